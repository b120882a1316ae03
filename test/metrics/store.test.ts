import { expect, test } from 'vitest';
import { BYTES_PER_SAMPLE, openSampleStore, type Sample } from '../../src/metrics/store.ts';

const sample = (atMs: number, cpuPercent = 0, rssBytes = 0): Sample => ({ atMs, cpuPercent, rssBytes, readBytes: 0, writtenBytes: 0 });
const times = (samples: readonly Sample[]): readonly number[] => samples.map(({ atMs }) => atMs);

function open(limits: { retentionMs?: number; samples?: number } = {}) {
  const evicted: string[] = [];
  const store = openSampleStore(
    { retentionMs: limits.retentionMs ?? 1e9, maxMemoryBytes: (limits.samples ?? 1e6) * BYTES_PER_SAMPLE }, (unit, { atMs }) => evicted.push(`${unit} ${atMs}`),
  );
  return { store, evicted };
}

test('the newest samples come oldest first, and never more than there are', () => {
  const { store } = open();
  for (let at = 1; at <= 100; at += 1) store.add('web', sample(at));
  expect(times(store.newest('web', 3))).toEqual([98, 99, 100]);
  expect(store.newest('web', 1000)).toHaveLength(100);
  expect(store.newest('web', 0)).toEqual([]);
  expect(store.newest('other', 3)).toEqual([]);
});

test('a sample older than the newest by more than the retention is dropped, one of exactly that age is kept', () => {
  const { store, evicted } = open({ retentionMs: 10 });
  for (const at of [0, 1, 10, 11]) store.add('web', sample(at));
  expect(times(store.newest('web', 9))).toEqual([1, 10, 11]);
  expect(evicted).toEqual(['web 0']);
});

test('over the memory budget each unit in turn gives its oldest sample', () => {
  const { store, evicted } = open({ samples: 4 });
  for (let at = 1; at <= 4; at += 1) {
    store.add('b', sample(at));
    store.add('a', sample(at + 0.5));
  }
  expect(evicted).toEqual(['a 1.5', 'b 1', 'a 2.5', 'b 2']);
  expect(times(store.newest('a', 9))).toEqual([3.5, 4.5]);
  expect(times(store.newest('b', 9))).toEqual([3, 4]);
});

test('a smaller budget and a shorter retention hold at once', () => {
  const { store } = open();
  for (let at = 1; at <= 50; at += 1) store.add('web', sample(at));
  store.setLimits({ retentionMs: 20, maxMemoryBytes: 1e6 });
  expect(times(store.newest('web', 100))[0]).toBe(30);
  store.setLimits({ retentionMs: 20, maxMemoryBytes: 5 * BYTES_PER_SAMPLE });
  expect(times(store.newest('web', 100))).toEqual([46, 47, 48, 49, 50]);
});

test('the summary is over every sample that is kept', () => {
  const { store } = open({ samples: 2 });
  store.add('web', sample(1, 90, 900));
  store.add('web', sample(2, 10, 100));
  store.add('web', sample(3, 30, 200));
  expect(store.summary('web')).toEqual({
    latestCpuPercent: 30, averageCpuPercent: 20, maxCpuPercent: 30, latestRssBytes: 200, averageRssBytes: 150, maxRssBytes: 200, samples: 2,
  });
  expect(store.summary('other')).toBeNull();
});

test('of a span at most so many samples are given, its first and its last among them', () => {
  const { store } = open();
  for (let at = 0; at <= 100; at += 1) store.add('job', sample(at));
  expect(times(store.between('job', 10, 13, 60))).toEqual([10, 11, 12, 13]);
  const thinned = times(store.between('job', 0, 100, 5));
  expect(thinned).toEqual([0, 25, 50, 75, 100]);
});

test('units that are gone give their room back', () => {
  const { store, evicted } = open({ samples: 3 });
  for (let at = 1; at <= 3; at += 1) store.add('old', sample(at));
  store.forgetAllBut(new Set(['new']));
  for (let at = 1; at <= 3; at += 1) store.add('new', sample(at));
  expect(evicted).toEqual([]);
  expect(store.summary('old')).toBeNull();
});
