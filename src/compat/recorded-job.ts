import type { ServiceSpec } from '../../machines/types.ts';
import { historyKey } from '../cron/history.ts';
import { timezoneLabel, type CronRun } from '../cron/summary.ts';
import type { Ledger } from '../state/ledger.ts';
import type { Takeover } from './takeover.ts';
import type { RecordedJob, RecordedRun } from './cron-file.ts';

/** The runs of a cron unit for `cron_state.xml`; newest last. Their samples stay out: they are another supervisor's to take. */
export function recordedJob(timezone: string | null, runs: readonly CronRun[], nowWallMs: number): RecordedJob {
  const last = runs.at(-1);
  return { lastExecution: last === undefined ? null : seconds(last.startedWallMs), runs: runs.map(recordedRun), timezoneLabel: timezoneLabel(timezone, nowWallMs), timezone };
}

/** As our own history keeps them. What was going on when the other program ended was interrupted, unless its process was taken over. */
export function runsOf(job: RecordedJob, livingPid: number | null, nowWallMs: number): readonly CronRun[] {
  return job.runs.map((run, index): CronRun => {
    const open = run.completedAt === null && run.status === null;
    const goesOn = open && livingPid !== null && (run.pid === null || run.pid === livingPid);
    return {
      id: `recorded.${run.startedAt}.${index}`, scheduledWallMs: null, startedWallMs: run.startedAt * 1000,
      completedWallMs: run.completedAt !== null ? run.completedAt * 1000 : open && !goesOn ? nowWallMs : null,
      status: open && !goesOn ? { Failed: 'Interrupted by supervisor crash' } : run.status,
      exitCode: run.exitCode, pid: goesOn ? livingPid : run.pid, user: run.user, command: run.command,
    };
  });
}

/** Puts the runs that another program has recorded into the ledger, where the history of runs looks for them. */
export function noteRecordedRuns(ledger: Pick<Ledger, 'note'>, { cron, orders }: Pick<Takeover, 'cron' | 'orders'>, specs: readonly ServiceSpec[]): void {
  for (const spec of specs) {
    const job = spec.cron === null ? undefined : cron?.get(spec.hash);
    if (job === undefined) continue;
    const adopted = orders.find(({ record, verdict }) => record.unit === spec.name && verdict === 'alive');
    ledger.note(historyKey(spec.name), runsOf(job, adopted?.record.process?.identity?.pid ?? null, Date.now()));
  }
}

function recordedRun(run: CronRun): RecordedRun {
  return {
    startedAt: seconds(run.startedWallMs), completedAt: run.completedWallMs === null ? null : seconds(run.completedWallMs), status: run.status,
    exitCode: run.exitCode, pid: run.pid, user: run.user, command: run.command, samples: [],
  };
}

function seconds(wallMs: number): number {
  return Math.floor(wallMs / 1000);
}
