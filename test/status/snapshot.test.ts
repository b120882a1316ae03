import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { UnitView } from '../../machines/view.ts';
import { readProcStat } from '../../src/process/proc.ts';
import { ago } from '../../src/status/process-facts.ts';
import { overallHealth, statusSnapshot, unitStatus } from '../../src/status/snapshot.ts';

const now = { monotonicMs: 50_000, wallMs: Date.parse('2026-01-01T00:10:00.000Z') };
const spec = { name: 'web', hash: '0123456789abcdef', command: 'serve', cron: null, check: null, dependsOn: [{ service: 'db', condition: 'healthy', onRestart: 'ignore' }] } as unknown as UnitView['spec'];
const resting: UnitView = {
  spec, ran: { process: 'p1', policy: 'q1' }, state: 'stopped', phase: 'stopped', wanted: 'down', ready: null, outcome: 'none', lifecycle: 'stopped', health: 'healthy', process: null, alive: false, generation: 0,
  restarts: 0, failures: 0, cause: null, reason: null, exit: null, held: {}, ordered: null, since: 20_000, deadline: null, nextWallMs: null, rollout: null,
};
const summary = { latestCpuPercent: 1, averageCpuPercent: 1, maxCpuPercent: 1, latestRssBytes: 1, averageRssBytes: 1, maxRssBytes: 1, samples: 1 };
const view = (changes: Partial<UnitView>): UnitView => ({ ...resting, ...changes });

/** Every unit that was recorded of systemg 0.33.0. */
function recordedUnits(): Record<string, unknown>[] {
  return ['status', 'inspect', 'cron', 'edge'].flatMap((file) => readFileSync(join(import.meta.dirname, `../fixtures/wire/${file}.jsonl`), 'utf8').trim().split('\n').flatMap((line) => {
    const { response } = JSON.parse(line) as { response: string };
    if (!response.startsWith('{"Status"') && !response.startsWith('{"Inspect"')) return [];
    const answer = JSON.parse(response) as { Status?: { units: Record<string, unknown>[] }; Inspect?: { unit: Record<string, unknown> | null } };
    return answer.Status?.units ?? [answer.Inspect?.unit ?? {}];
  }));
}

const OURS = ['phase', 'wanted', 'ready', 'generation', 'restarts', 'since', 'next_at', 'kill_at', 'last_event', 'waits_for', 'ordered'];

describe('a unit of the answer to Status', () => {
  test('that never ran has no key without a value, and never a null', () => {
    expect(Object.entries(unitStatus(view({}), now))).toEqual([
      ['name', 'web'], ['hash', '0123456789abcdef'], ['kind', 'service'], ['lifecycle', 'stopped'], ['health', 'healthy'], ['command', 'serve'],
      ['phase', 'stopped'], ['wanted', 'down'], ['generation', 0], ['restarts', 0], ['since', '2026-01-01T00:09:30.000Z'],
    ]);
  });

  test.runIf(process.platform === 'linux')('that runs has its process, user, uptime and command line, as /proc has them', () => {
    const startTime = readProcStat(process.pid)?.startTime ?? '';
    const owned = { identity: { pid: process.pid, startTime, bootId: '' }, token: '', role: 'main', generation: 2, adopted: false } as unknown as NonNullable<UnitView['process']>;
    const unit = unitStatus(view({ state: 'running', phase: 'running', lifecycle: 'running', alive: true, process: owned, generation: 2 }), now);
    expect(unit.process).toEqual({ pid: process.pid, state: 'running', user: expect.stringMatching(/./) as unknown });
    expect(Math.abs((unit.uptime?.seconds ?? -100) - process.uptime())).toBeLessThan(5);
    expect(unit.uptime?.human).toBe(ago(unit.uptime?.seconds ?? 0));
    expect(Date.parse(unit.uptime?.started_at ?? '')).toBeLessThanOrEqual(now.wallMs);
    expect(unit.runtime_command).toContain('node');
    expect(unit).not.toHaveProperty('last_exit');
    const other = { ...owned, identity: { pid: process.pid, startTime: '1', bootId: '' } } as unknown as NonNullable<UnitView['process']>;
    const replaced = unitStatus(view({ alive: true, process: other }), now);
    expect(replaced.process).toEqual({ pid: process.pid, state: 'missing', user: '' });
    expect(replaced).not.toHaveProperty('uptime');
    expect(replaced).not.toHaveProperty('runtime_command');
  });

  test('says how it ended: by a code or by the number of a signal', () => {
    expect(unitStatus(view({ exit: { code: 3, signal: null } }), now).last_exit).toEqual({ exit_code: 3 });
    expect(unitStatus(view({ exit: { code: null, signal: 'SIGKILL' } }), now).last_exit).toEqual({ signal: 9 });
  });

  test('of a schedule has its runs behind what ended, before what was measured, and is as healthy as they are', () => {
    const nightly = { ...spec, cron: { expression: '@daily', timezone: 'UTC' } } as unknown as UnitView['spec'];
    const run = { id: '1', scheduledWallMs: 0, startedWallMs: 0, completedWallMs: 1, status: { Failed: 'exit 1' }, exitCode: 1, pid: 7, user: null, command: null };
    const measured = { live: new Map([['web', { summary, processes: [] }]]), lastEvent: () => 9 };
    const unit = unitStatus(view({ spec: nightly, exit: { code: 1, signal: null } }), now, { ...measured, cron: { runs: () => [run], samplesBetween: () => [] } });
    expect(Object.keys(unit).slice(0, 9)).toEqual(['name', 'hash', 'kind', 'lifecycle', 'health', 'last_exit', 'cron', 'metrics', 'command']);
    expect([unit.kind, unit.health, unit.cron?.last_run?.exit_code, Object.entries(unit).at(-1)]).toEqual(['cron', 'degraded', 1, ['last_event', 9]]);
  });

  test('says while it is being stopped when SIGKILL follows', () => {
    for (const [state, kind] of [['stopping', 'grace'], ['killing', 'kill']] as const) {
      const unit = unitStatus(view({ state, phase: 'stopping', deadline: { kind, at: 53_000 } }), now);
      expect([unit.kill_at, unit.next_at]).toEqual(['2026-01-01T00:10:03.000Z', undefined]);
    }
    expect(unitStatus(view({ state: 'backoff', phase: 'backoff', deadline: { kind: 'backoff', at: 53_000 } }), now)).not.toHaveProperty('kill_at');
  });

  test('has a next instant while it backs off or waits for its schedule, and says what it waits for', () => {
    expect(unitStatus(view({ state: 'backoff', phase: 'backoff', deadline: { kind: 'backoff', at: 53_000 } }), now).next_at).toBe('2026-01-01T00:10:03.000Z');
    expect(unitStatus(view({ deadline: { kind: 'stable', at: 53_000 } }), now)).not.toHaveProperty('next_at');
    expect(unitStatus(view({ nextWallMs: now.wallMs + 1000 }), now).next_at).toBe('2026-01-01T00:10:01.000Z');
    expect(unitStatus(view({ state: 'waiting', phase: 'starting', held: { db: null, old: 'failed' } }), now).waits_for).toEqual([{ unit: 'db', condition: 'healthy' }, { unit: 'old', lost: 'failed' }]);
    expect(unitStatus(view({ state: 'running', held: { db: null } }), now)).not.toHaveProperty('waits_for');
  });

  test('is ready or not where it has a check, and says nothing of it where it has none', () => {
    const checked = { ...spec, check: {} } as UnitView['spec'];
    expect([true, false, null].map((ready) => unitStatus(view({ spec: checked, ready }), now).ready)).toEqual([true, false, false]);
    expect(unitStatus(view({ ready: true }), now)).not.toHaveProperty('ready');
  });

  test('has its figures in bytes and percent, ours behind those of systemg', () => {
    const summary = { latestCpuPercent: 1.5, averageCpuPercent: 2.3456, maxCpuPercent: 110, latestRssBytes: 1024, averageRssBytes: 2048, maxRssBytes: 4096, samples: 7 };
    expect(Object.entries(unitStatus(view({}), now, { live: new Map([['web', { summary, processes: [] }]]) }).metrics ?? {})).toEqual([
      ['latest_cpu_percent', 1.5], ['average_cpu_percent', 2.35], ['max_cpu_percent', 110], ['latest_rss_bytes', 1024], ['samples', 7],
      ['average_rss_bytes', 2048], ['max_rss_bytes', 4096],
    ]);
    expect(unitStatus(view({}), now, { live: new Map([['web', { summary: null, processes: [] }]]) })).not.toHaveProperty('metrics');
  });

  test('has its keys in the order that was recorded, ours behind them', () => {
    const recorded = recordedUnits().map((unit) => Object.keys(unit));
    expect(recorded).toHaveLength(102);
    const checked = { ...spec, check: {} } as UnitView['spec'];
    const full = Object.keys(unitStatus(view({ spec: checked, exit: { code: 1, signal: null }, deadline: { kind: 'backoff', at: 1 }, state: 'waiting', held: { db: null } }), now, { live: new Map([['web', { summary, processes: [] }]]) }));
    expect(full.filter((key) => OURS.includes(key))).toEqual(OURS.filter((key) => full.includes(key)));
    const theirs = full.filter((key) => !OURS.includes(key));
    expect(full.slice(0, theirs.length)).toEqual(theirs);
    for (const keys of recorded) expect(theirs.filter((key) => keys.includes(key))).toEqual(keys.filter((key) => theirs.includes(key)));
  });
});

describe('the whole answer', () => {
  test('is ordered by hash, whatever the names are', () => {
    const named = (name: string, hash: string): UnitView => view({ spec: { ...spec, name, hash } });
    const snapshot = statusSnapshot([named('a', 'ff'), named('b', '00'), named('c', '0a')], now);
    expect(Object.keys(snapshot)).toEqual(['schema_version', 'captured_at', 'overall_health', 'units']);
    expect(snapshot).toMatchObject({ schema_version: 'status.v1', captured_at: '2026-01-01T00:10:00.000Z' });
    expect(snapshot.units.map(({ name }) => name)).toEqual(['b', 'c', 'a']);
  });

  test.each([
    [['service healthy', 'cron failing'], 'failing'], [['service degraded', 'cron failing'], 'degraded'], [['service failing', 'service degraded'], 'failing'],
    [['service healthy', 'cron degraded'], 'degraded'], [['orphaned failing', 'service healthy'], 'failing'], [[], 'healthy'],
  ])('of %j is %s', (units, health) => {
    expect(overallHealth(units.map((text) => {
      const [kind, own] = text.split(' ');
      return { kind, health: own } as Parameters<typeof overallHealth>[0][number];
    }))).toBe(health);
  });
});

test.each([
  [0, '0 secs ago'], [59, '59 secs ago'], [60, '1 mins ago'], [3599, '59 mins ago'], [3600, '1 hours ago'], [86_400, '1 days ago'], [604_800, '1 weeks ago'], [6_048_000, '10 weeks ago'],
])('%i seconds are %s, never in the singular', (seconds, text) => {
  expect(ago(seconds)).toBe(text);
});
