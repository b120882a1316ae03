import type { CronExecutionSummary, CronRunStatus, CronUnitStatus, MetricSample } from '../wire/payloads.ts';
import { twoDigits } from '../words.ts';
import { timelineOf } from './timeline.ts';

/** One run of a cron unit, or an overlap, which is a record without a process. Times are of the wall clock. */
export interface CronRun {
  readonly id: string;
  /** The instant it is the run of; `null`: asked for by a person. */
  readonly scheduledWallMs: number | null;
  readonly startedWallMs: number;
  /** `null`: goes on. */
  readonly completedWallMs: number | null;
  readonly status: CronRunStatus | null;
  readonly exitCode: number | null;
  readonly pid: number | null;
  readonly user: string | null;
  readonly command: string | null;
}

/** As many as systemg 0.33.0 keeps. */
const RUNS_KEPT = 10;
/** Of the samples that fall into a run, so many are shown. */
const SAMPLES_SHOWN = 60;

/** `recorded` (newest last) with one more or a changed one. Beyond what is kept the oldest go, one that goes on last of all. */
export function withRun(recorded: readonly CronRun[], run: CronRun): readonly CronRun[] {
  const known = recorded.some(({ id }) => id === run.id);
  const all = known ? recorded.map((other) => (other.id === run.id ? run : other)) : [...recorded, run];
  if (all.length <= RUNS_KEPT) return all;
  const oldest = all.find(({ completedWallMs }) => completedWallMs !== null) ?? all[0];
  return all.filter((other) => other !== oldest);
}

export interface CronFacts {
  /** As in `CronSpec`. */
  readonly timezone: string | null;
  /** Newest last. */
  readonly runs: readonly CronRun[];
  /** Undefined: none was counted. */
  readonly missed?: number | undefined;
  /** At most `count` samples of the unit between two instants, oldest first: each run shows those of its own time. */
  samplesBetween(fromMs: number, toMs: number, count: number): readonly MetricSample[];
}

/** The `cron` block of a unit's status, in 0.33.0's form. */
export function cronStatus({ timezone, runs, missed, samplesBetween }: CronFacts, nowWallMs: number): CronUnitStatus {
  const summaries = runs.slice(-RUNS_KEPT).toReversed().map((run) => summary(run, samplesBetween, nowWallMs));
  const newest = summaries[0];
  return {
    timezone_label: timezoneLabel(timezone, nowWallMs),
    ...(timezone !== null && { timezone }),
    ...(newest !== undefined && { last_run: newest, recent_runs: summaries }),
    ...(missed !== undefined && { missed }),
  };
}

/**
 * By the newest ten runs that are complete: degraded when a fifth of them failed. A unit whose first run has not come yet lacks nothing; 0.33.0 calls
 * it degraded. Every `Failed` counts, unlike in 0.33.0, which forgives those without an exit code.
 */
export function cronHealth(runs: readonly CronRun[]): 'healthy' | 'degraded' {
  const complete = runs.filter((run) => run.completedWallMs !== null || run.status !== null || run.exitCode !== null).slice(-RUNS_KEPT);
  const failures = complete.filter(({ status, exitCode }) => (status === null ? exitCode !== null && exitCode !== 0 : status !== 'Success')).length;
  return failures > 0 && failures * 5 >= complete.length ? 'degraded' : 'healthy';
}

/** `UTC`, the IANA name, or `local (+02:00+02:00)`: 0.33.0's local zone has no name but its offset. */
export function timezoneLabel(timezone: string | null, nowWallMs: number): string {
  if (timezone !== null) return timezone;
  const minutes = Math.round(timelineOf(null).offsetAt(nowWallMs) / 60_000);
  const [hour, minute] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60].map(twoDigits);
  const offset = `${minutes < 0 ? '-' : '+'}${hour}:${minute}`;
  return `local (${offset}${offset})`;
}

function summary(run: CronRun, samplesBetween: CronFacts['samplesBetween'], nowWallMs: number): CronExecutionSummary {
  const during = run.status === 'OverlapError' ? [] : samplesBetween(run.startedWallMs, run.completedWallMs ?? nowWallMs, SAMPLES_SHOWN);
  return {
    started_at: wholeSeconds(run.startedWallMs),
    ...(run.completedWallMs !== null && { completed_at: wholeSeconds(run.completedWallMs) }),
    ...(run.status !== null && { status: run.status }),
    ...(run.exitCode !== null && { exit_code: run.exitCode }),
    ...(run.pid !== null && { pid: run.pid }),
    ...(run.user !== null && { user: run.user }),
    ...(run.command !== null && { command: run.command }),
    ...(during.length > 0 && { metrics: during }),
  };
}

/** 0.33.0's files keep seconds; a fraction would be lost by its readers. */
function wholeSeconds(wallMs: number): string {
  return `${new Date(Math.floor(wallMs / 1000) * 1000).toISOString().slice(0, 19)}Z`;
}
