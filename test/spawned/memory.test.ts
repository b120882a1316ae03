import { describe, expect, test } from 'vitest';
import type { SupervisorCommand } from '../../machines/types.ts';
import type { JournalDraft } from '../../src/journal/journal.ts';
import type { Member, Observer } from '../../src/metrics/observer.ts';
import { makeMemoryEnforcer } from '../../src/spawned/memory-enforcer.ts';
import { openMemoryWatch, type WatchedChild } from '../../src/spawned/memory.ts';

const MiB = 2 ** 20;

function rig(limits: Readonly<Record<string, number>>) {
  let now = 0;
  let wake: (() => void) | null = null;
  let rests = 0;
  const bytes = new Map<string, readonly number[]>();
  const children: WatchedChild[] = [];
  const acts: unknown[] = [];
  const problems: string[] = [];
  let fails = false;
  const observer: Observer = {
    pass(units) {
      if (fails) throw new Error('EMFILE');
      return new Map([...units.keys()].map((child) => [child, new Map((bytes.get(child) ?? []).map((rssBytes, index): [number, Member] => [
        index, { zombie: false, stat: { pid: index, ppid: 1, pgrp: 1, session: 1, state: 'S', startTime: '1' }, usage: { ownTicks: 0, reapedTicks: 0, rssBytes, io: null } },
      ]))]));
    },
    rest: () => void (rests += 1),
  };
  const watch = openMemoryWatch({
    now: () => now, children: () => children, limitOf: (unit) => limits[unit] ?? null, act: ({ unit, verdict, limitBytes }) => void acts.push([unit, verdict.kind, limitBytes]),
    onProblem: (text) => void problems.push(text), observer,
    wait: (ms, next) => {
      wake = () => {
        now += ms;
        next();
      };
      return () => void (wake = null);
    },
  });
  return {
    watch, acts, problems, children, bytes, isWaiting: () => wake !== null, rests: () => rests, fail: () => void (fails = true),
    tick(times: number) {
      for (let count = 0; count < times; count += 1) {
        const due = wake;
        wake = null;
        due?.();
      }
    },
    add: (child: string, unit: string, ...megabytes: readonly number[]) => {
      children.push({ child, unit, state: 'living', origin: { leader: { pid: 7, startTime: '1', bootId: 'b' }, token: child } });
      bytes.set(child, megabytes.map((one) => one * MiB));
      watch.changed();
    },
  };
}

describe('the watch over children\'s memory', () => {
  test('counts whole trees, of the asked unit\'s children only', () => {
    const { watch, add } = rig({});
    add('a', 'orch', 1, 2);
    add('b', 'orch', 4);
    add('c', 'other', 100);
    expect(watch.usedBytes('orch')).toBe(7 * MiB);
  });

  test('looks each second while a limited unit has a child, and rests otherwise', () => {
    const { add, isWaiting, children, tick, rests } = rig({ orch: MiB });
    add('c', 'other', 100);
    expect(isWaiting()).toBe(false);
    add('a', 'orch', 0.5);
    expect(isWaiting()).toBe(true);
    tick(3);
    expect(isWaiting()).toBe(true);
    children.length = 0;
    const before = rests();
    tick(1);
    expect([isWaiting(), rests() > before]).toEqual([false, true]);
  });

  test('acts when they stay above, each unit for itself', () => {
    const { add, tick, acts } = rig({ orch: 10 * MiB, other: 10 * MiB });
    add('a', 'orch', 8);
    add('b', 'orch', 1, 2);
    add('c', 'other', 9);
    tick(3);
    expect(acts).toEqual([]);
    tick(1);
    expect(acts).toEqual([['orch', 'end-child', 10 * MiB]]);
  });

  test('ends nothing on a guess', () => {
    const { add, tick, acts, problems, fail, watch } = rig({ orch: MiB });
    add('a', 'orch', 8);
    fail();
    tick(9);
    expect(acts).toEqual([]);
    expect(problems).toEqual(['the memory of spawned children cannot be measured: EMFILE']);
    expect(watch.usedBytes('orch')).toBe(0);
  });
});

describe('what is done about it', () => {
  const enforced = (verdict: Parameters<ReturnType<typeof makeMemoryEnforcer>>[0]['verdict']) => {
    const [journal, log, sent, exceeded]: [JournalDraft[], string[], SupervisorCommand[], string[]] = [[], [], [], []];
    makeMemoryEnforcer({
      journal: { append: (draft) => (journal.push(draft), { seq: 1, ...draft }) }, log: { warn: (_, text) => void log.push(text) }, send: (command) => void sent.push(command),
      now: () => 5, wallNow: () => 0, childOf: () => null, exceed: (unit, reason) => void exceeded.push(`${unit}: ${reason}`),
    })({ unit: 'orch', limitBytes: 100, verdict });
    return { journal, log, sent, exceeded };
  };

  test('a child is ended, with figures in the log', () => {
    const { journal, log, sent, exceeded } = enforced({ kind: 'end-child', child: 'c1', childBytes: 90, usedBytes: 110 });
    expect(sent).toEqual([{ type: 'child.limit', at: 5, child: 'c1' }]);
    expect(journal).toEqual([{ at: '1970-01-01T00:00:00.000Z', unit: 'orch', event: 'spawn.limit', cause: { kind: 'limit' }, detail: { child: 'c1', child_bytes: 90, used_bytes: 110, limit_bytes: 100 } }]);
    expect(log[0]).toContain("use 110 bytes, spawn.limits.total_memory is 100: 'c1'");
    expect(exceeded).toEqual([]);
  });

  test('the service is ended, with figures in the log', () => {
    const { journal, sent, exceeded } = enforced({ kind: 'exceeded', usedBytes: 110 });
    expect(sent).toEqual([]);
    expect(journal[0]?.detail).toEqual({ used_bytes: 110, limit_bytes: 100 });
    expect(exceeded).toEqual(["orch: all spawned children of service 'orch' use 110 bytes, spawn.limits.total_memory is 100"]);
  });
});
