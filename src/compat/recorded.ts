import type { ServiceSpec } from '../../machines/types.ts';
import type { UnitView } from '../../machines/view.ts';
import { historyKey, notedRuns } from '../cron/history.ts';
import { timezoneLabel, withRun, type CronRun } from '../cron/summary.ts';
import { signalNumber } from '../signals.ts';
import type { Ledger } from '../state/ledger.ts';
import type { Takeover } from './takeover.ts';
import type { RecordedJob } from './state-files.ts';
import type { ProjectedUnit } from './projection.ts';

/** A spawned child that lives, by the wall clock. */
export interface LivingChild {
  readonly pid: number;
  readonly name: string;
  readonly argv: readonly string[];
  readonly startedAtMs: number;
  readonly ttlMs: number | null;
  readonly depth: number;
  readonly parentPid: number;
}

/** A unit for the state files of systemg 0.33.0, whose status is the last end where there is none that goes on. */
export function projectedUnit(view: UnitView, runs: readonly CronRun[], children: readonly LivingChild[], nowWallMs: number): ProjectedUnit {
  const { spec: { name, hash, cron }, lifecycle, exit } = view;
  const pid = view.alive ? (view.process?.identity?.pid ?? null) : null;
  const isRunning = lifecycle === 'running';
  return {
    name, hash, pid,
    state: {
      status: lifecycle, pid: isRunning ? pid : null, exitCode: isRunning ? null : (exit?.code ?? null), signal: isRunning ? null : signalNumber(exit?.signal ?? null),
    },
    job: cron === null ? null : recordedJob(cron.timezone, runs, nowWallMs),
    spawned: children.map((child) => ({
      pid: child.pid, name: child.name, command: child.argv.join(' '), startedAt: seconds(child.startedAtMs),
      ttl: child.ttlMs === null ? null : Math.round(child.ttlMs / 1000), depth: child.depth, parentPid: child.parentPid, serviceHash: hash,
    })),
  };
}

/** The runs of a cron unit for `cron_state.xml`; newest last. Samples are left out: systemg 0.33.0 takes its own. */
export function recordedJob(timezone: string | null, runs: readonly CronRun[], nowWallMs: number): RecordedJob {
  const last = runs.at(-1);
  return {
    lastExecution: last === undefined ? null : seconds(last.startedWallMs), timezoneLabel: timezoneLabel(timezone, nowWallMs), timezone,
    runs: runs.map((run) => ({
      startedAt: seconds(run.startedWallMs), completedAt: run.completedWallMs === null ? null : seconds(run.completedWallMs), status: run.status,
      exitCode: run.exitCode, pid: run.pid, user: run.user, command: run.command, samples: [],
    })),
  };
}

/** Recorded runs as our own history keeps them. A run that was going on when the other program ended was interrupted, unless its process was taken over. */
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

/** Puts the runs that another program has recorded into the ledger, where the history of runs looks for them, beside those there that it no longer has. */
export function noteRecordedRuns(ledger: Pick<Ledger, 'note' | 'meta'>, { cron, orders }: Pick<Takeover, 'cron' | 'orders'>, specs: readonly ServiceSpec[]): void {
  for (const spec of specs) {
    const job = spec.cron === null ? undefined : cron?.get(spec.hash);
    if (job === undefined) continue;
    const adopted = orders.find(({ record, verdict }) => record.unit === spec.name && verdict === 'alive');
    const runs = runsOf(job, adopted?.record.process?.identity?.pid ?? null, Date.now());
    // The file has whole seconds.
    const known = new Set(runs.map(({ startedWallMs }) => seconds(startedWallMs)));
    const others = notedRuns(ledger.meta.get(historyKey(spec.name))).filter(({ startedWallMs, completedWallMs }) => completedWallMs !== null && !known.has(seconds(startedWallMs)));
    const inOrder = [...others, ...runs].sort((one, other) => one.startedWallMs - other.startedWallMs);
    ledger.note(historyKey(spec.name), inOrder.reduce<readonly CronRun[]>((kept, run) => withRun(kept, run), []));
  }
}

function seconds(wallMs: number): number {
  return Math.floor(wallMs / 1000);
}
