import { expect, test } from 'vitest';
import type { RecordedJob, RecordedRun } from '../../src/compat/state-files.ts';
import { recordedJob, runsOf } from '../../src/compat/recorded.ts';

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

test('what is written of runs comes back as it was, to the second', () => {
  const runs = runsOf({ ...job, runs: [overlap, { ...open, startedAt: 20 }] }, 24, 99_000);
  const again = runsOf(recordedJob('UTC', runs, 99_000), 24, 99_000);
  expect(again.map(({ id: _, ...run }) => run)).toEqual(runs.map(({ id: _, ...run }) => run));
});
