import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { MetricsSpec } from '../../src/metrics-spec.ts';
import * as boot from '../../src/process/boot.ts';
import type { Member, Observer } from '../../src/metrics/observer.ts';
import { openSampler, type MeasuredUnit } from '../../src/metrics/sampler.ts';
import { tempDir } from '../temp-dir.ts';
import { members } from './members.ts';

const leader = { pid: 7, startTime: '100', bootId: 'boot' };
const web: MeasuredUnit = { name: 'web', hash: '0123456789abcdef', origins: [{ leader, token: 'token' }] };
const block: MetricsSpec = {
  retentionMs: 60_000, sampleIntervalMs: 2000, maxMemoryBytes: 131_072, spilloverPath: null, spilloverMaxBytes: 0, spilloverSegmentBytes: 1000,
};

/** A sampler on a clock of its own, over processes that the test makes up. */
function rig(spec: MetricsSpec | null, units: readonly MeasuredUnit[] = [web]) {
  let at = 1_000_000;
  let due: { readonly at: number; readonly wake: () => void } | null = null;
  const state = { processes: members({ pid: 7, own: 0, rss: 1000 }), passes: 0, resting: false, problems: [] as string[], failure: null as Error | null, units };
  const observer: Observer = {
    pass: (asked) => {
      state.passes += 1;
      state.resting = false;
      if (state.failure !== null) throw state.failure;
      return new Map([...asked.keys()].map((name): [string, ReadonlyMap<number, Member>] => [name, state.processes]));
    },
    rest: () => {
      state.resting = true;
    },
  };
  const sampler = openSampler({
    now: () => at, wallMs: () => at, units: () => state.units, onProblem: (text) => state.problems.push(text), observer,
    wait: (ms, wake) => {
      const entry = { at: at + ms, wake };
      due = entry;
      return () => {
        if (due === entry) due = null;
      };
    },
  }, spec);
  onTestFinished(() => sampler.close());
  return {
    sampler, state,
    isArmed: () => due !== null,
    /** Lets the timer fire as often as it is due. */
    pass(ms: number): void {
      const end = at + ms;
      while (due !== null && due.at <= end) {
        at = due.at;
        const { wake } = due;
        due = null;
        wake();
      }
      at = end;
    },
    /** Time goes by and nobody looks. */
    skip(ms: number): void {
      at += ms;
    },
  };
}

test('nothing is looked at before somebody asks, and no more ten seconds after', () => {
  const { sampler, state, pass, isArmed } = rig(null);
  expect(isArmed()).toBe(false);
  pass(600_000);
  expect(state.passes).toBe(0);
  sampler.look();
  pass(9000);
  expect(state.passes).toBe(10);
  expect(state.resting).toBe(false);
  pass(5000);
  const passes = state.passes;
  pass(600_000);
  expect(state.passes).toBe(passes);
  expect(state.resting).toBe(true);
  expect(isArmed()).toBe(false);
});

test('with a metrics block it samples at its interval without being asked', async () => {
  const { sampler, state, pass } = rig(block);
  pass(10_000);
  expect(state.passes).toBe(5);
  state.processes = members({ pid: 7, own: 100, rss: 2000 });
  pass(2000);
  const samples = await sampler.inspect('web', 10);
  expect(samples).toHaveLength(6);
  // 100 ticks are a second of CPU time, in two seconds.
  expect(samples.at(-1)).toMatchObject({ cpuPercent: 50, rssBytes: 2000 });
  expect(samples.slice(1).map(({ atMs }, index) => atMs - (samples[index]?.atMs ?? 0))).toEqual([2000, 2000, 2000, 2000, 2000]);
});

test('the sum of CPU over all processes, each percent of one core', () => {
  const { sampler, state, pass } = rig(null);
  sampler.look();
  state.processes = members({ pid: 7, own: 30, rss: 1000 }, { pid: 8, ppid: 7, own: 90, rss: 500 }, { pid: 9, ppid: 8, own: 60, rss: 250 });
  pass(1000);
  const unit = sampler.look().get('web');
  expect(unit?.summary).toMatchObject({ latestCpuPercent: 180, latestRssBytes: 1750, samples: 2 });
});

test('looks within a moment share one pass over the processes, unless a new one must be in it', () => {
  const { sampler, state, skip } = rig(null);
  sampler.look();
  sampler.look();
  expect(state.passes).toBe(1);
  state.units = [{ ...web, origins: [{ leader: { ...leader, pid: 70 }, token: 'token' }] }];
  sampler.look();
  expect(state.passes).toBe(2);
  state.units = [web];
  skip(100);
  sampler.look();
  expect(state.passes).toBe(3);
});

test('a first inspection takes two readings, a later one what is there', async () => {
  const { sampler, state, pass, skip } = rig(null);
  const first = sampler.inspect('web', 100);
  skip(100);
  expect(await first).toHaveLength(2);
  pass(3000);
  const passes = state.passes;
  expect(await sampler.inspect('web', 100)).toHaveLength(5);
  expect(state.passes - passes).toBeLessThanOrEqual(1);
  expect(await sampler.inspect('web', 2)).toHaveLength(2);
  expect(await sampler.inspect('nobody', 2)).toEqual([]);
});

test('a unit without a living process is not measured, and its next process begins a new account', () => {
  const { sampler, state, pass } = rig(null);
  state.processes = members({ pid: 7, own: 500, rss: 1000, read: 9, written: 8 });
  sampler.look();
  state.processes = members();
  pass(1000);
  expect(sampler.look().get('web')).toMatchObject({ summary: { samples: 1 }, processes: [] });
  state.processes = members({ pid: 7, own: 0, rss: 10, read: 1, written: 0, startTime: '900' });
  pass(1000);
  expect(sampler.look().get('web')?.summary).toMatchObject({ latestCpuPercent: 0, latestRssBytes: 10 });
});

test('history survives a new configuration, within its limits', async () => {
  const { sampler, pass } = rig(null);
  sampler.look();
  pass(9000);
  sampler.configure({ ...block, retentionMs: 60_000, sampleIntervalMs: 5000 });
  expect(await sampler.inspect('web', 100)).toHaveLength(10);
  sampler.configure({ ...block, retentionMs: 3000 });
  expect(await sampler.inspect('web', 100)).toHaveLength(4);
});

test('what is evicted goes to the files, under the hash of its unit', () => {
  const directory = tempDir();
  const { pass } = rig({ ...block, retentionMs: 4000, spilloverPath: directory, spilloverMaxBytes: 10_000 });
  pass(8000);
  const lines = readdirSync(directory).flatMap((name) => readFileSync(join(directory, name), 'utf8').trim().split('\n'));
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([{
    unit_hash: '0123456789abcdef',
    sample: {
      timestamp: '1970-01-01T00:16:42.000Z', cpu_percent: expect.any(Number), rss_bytes: 1000,
      io_read_bytes: 0, io_write_bytes: 0, net_rx_bytes: 0, net_tx_bytes: 0,
    },
  }]);
});

test('processes that cannot be read cost the figures, not the answer, and are reported once', () => {
  const { sampler, state, skip } = rig(null);
  state.failure = new Error('EMFILE: too many open files');
  for (let round = 0; round < 3; round += 1) {
    expect(sampler.look()).toEqual(new Map());
    skip(100);
  }
  expect(state.problems).toEqual(['processes cannot be measured: EMFILE: too many open files']);
});

test('a look at many units asks the kernel once how long it has been up', () => {
  const many = Array.from({ length: 20 }, (_, index): MeasuredUnit => ({ ...web, name: `web${index}` }));
  const { sampler } = rig(null, many);
  const asked = vi.spyOn(boot, 'uptimeMs');
  onTestFinished(() => asked.mockRestore());
  expect(sampler.look().size).toBe(20);
  expect(asked).toHaveBeenCalledTimes(1);
});
