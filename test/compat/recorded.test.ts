import { expect, test } from 'vitest';
import type { UnitRecord } from '../../machines/types.ts';
import type { RecordedJob, RecordedRun } from '../../src/compat/state-files.ts';
import { noteRecordedRuns, recordedJob, runsOf } from '../../src/compat/recorded.ts';
import { historyKey } from '../../src/cron/history.ts';
import type { CronRun } from '../../src/cron/summary.ts';
import { serviceSpec } from '../process/spec.ts';

const open: RecordedRun = { startedAt: 10, completedAt: null, status: null, exitCode: null, pid: 24, user: 'me', command: 'sleep 20', samples: [] };
const overlap: RecordedRun = { ...open, startedAt: 14, completedAt: 14, status: 'OverlapError', pid: null, user: null, command: null };
const job: RecordedJob = { lastExecution: 14, runs: [open, overlap], timezoneLabel: 'UTC', timezone: 'UTC' };

test('a run whose process was taken over goes on, whatever was recorded after it', () => {
  expect(runsOf(job, 24, 99_000)[0]).toMatchObject({ startedWallMs: 10_000, completedWallMs: null, status: null, pid: 24 });
});

test('a run without a living process was interrupted, also when the unit has another process', () => {
  for (const pid of [null, 25]) {
    expect(runsOf(job, pid, 99_000)[0]).toMatchObject({ completedWallMs: 99_000, status: { Failed: 'Interrupted by supervisor crash' } });
  }
});

test('runs that another program records join those of the ledger that its file does not have, which no longer go on', () => {
  const run = (id: string, startedWallMs: number, completedWallMs: number | null = startedWallMs): CronRun => ({
    id, scheduledWallMs: null, startedWallMs, completedWallMs, status: completedWallMs === null ? null : 'Success', exitCode: 0, pid: null, user: null, command: null,
  });
  const spec = serviceSpec([''], '/', { name: 'tick', hash: 'h', cron: { expression: '@daily', timezone: 'UTC', overlap: 'skip', timeoutMs: null, catchUp: 'none' } });
  const noted = (before: unknown, job: RecordedJob): unknown => {
    const meta = new Map<string, unknown>([[historyKey('tick'), before]]);
    noteRecordedRuns({ meta, note: (key, value) => void meta.set(key, value) }, { cron: new Map([['h', job]]), orders: [] }, [spec]);
    return (meta.get(historyKey('tick')) as CronRun[]).map(({ startedWallMs, status }) => [startedWallMs, status]);
  };
  const recorded = (...starts: readonly number[]): RecordedJob => ({ ...job, runs: starts.map((startedAt) => ({ ...overlap, startedAt })) });
  expect(noted([run('a', 11_250), run('b', 12_750), run('c', 13_000, null)], recorded(12, 14))).toEqual([[11_250, 'Success'], [12_000, 'OverlapError'], [14_000, 'OverlapError']]);
  expect(noted('damaged', recorded(12))).toEqual([[12_000, 'OverlapError']]);
  expect(noted([1, 2].map((second) => run(`${second}`, second * 1000)), recorded(...Array.from({ length: 9 }, (_, index) => index + 20)))).toHaveLength(10);
});

test('a run that goes on is kept, however many came after it', () => {
  const spec = serviceSpec([''], '/', { name: 'tick', hash: 'h', cron: { expression: '@daily', timezone: 'UTC', overlap: 'skip', timeoutMs: null, catchUp: 'none' } });
  const process = { generation: 1, role: 'main', token: 'x', identity: { pid: 24, startTime: '1', bootId: 'b' }, adopted: true } as const;
  const runs = [open, ...Array.from({ length: 10 }, (_, index) => ({ ...overlap, startedAt: 20 + index, completedAt: 20 + index }))];
  let kept: unknown;
  noteRecordedRuns({ meta: new Map(), note: (_, value) => (kept = value) }, { cron: new Map([['h', { ...job, runs }]]), orders: [{ record: { unit: 'tick', process } as unknown as UnitRecord, verdict: 'alive' }] }, [spec]);
  expect((kept as CronRun[]).map(({ startedWallMs, completedWallMs }) => [startedWallMs, completedWallMs === null])).toEqual([
    [10_000, true], ...Array.from({ length: 9 }, (_, index) => [21_000 + index * 1000, false]),
  ]);
});

test('what is written of runs comes back as it was, to the second', () => {
  const runs = runsOf({ ...job, runs: [overlap, { ...open, startedAt: 20 }] }, 24, 99_000);
  const again = runsOf(recordedJob('UTC', runs, 99_000), 24, 99_000);
  expect(again.map(({ id: _, ...run }) => run)).toEqual(runs.map(({ id: _, ...run }) => run));
});
