import { glyphOf, latest, phaseOf, stateOf, stateText } from '../cli/print/unit.ts';
import { newestRun } from '../cli/print/newest-run.ts';
import { count, list, nullable, number, oneOf, record, string, boolean, type Shaped } from '../wire/shape.ts';
import type { CronExecutionSummary, UnitStatus } from '../wire/payloads.ts';
import { exitText } from '../signals.ts';
import { processesOf } from './metrics/families.ts';

/** What the table shows of a unit. Nothing in it changes by itself, so that only what happened travels. */
export const unitRow = record(
  {
    name: string, kind: oneOf('service', 'cron', 'orphaned'), phase: string, state: string, glyph: string, text: string, health: string, command: string,
    last_exit: string, restarts: count, processes: count,
  },
  {
    wanted: string, ready: boolean, since: string, started_at: string, next_at: string, reason: string, pid: count, user: string, generation: count,
    last_event: count, ordered: string,
    /** Percent of one core. */
    cpu: number,
    /** Bytes. */
    rss: count,
    waits_for: list(record({ unit: string }, { lost: string, condition: string })),
    rollout: record({ step: string, instance: string }, { pid: count }),
    cron: record({ timezone: string }, { last: record({ started_at: string }, { completed_at: string, result: nullable(string) }) }),
  },
);

export interface UnitRow extends Shaped<typeof unitRow> {}

export function rowOf(unit: UnitStatus): UnitRow {
  const { name, kind, health, process, rollout, cron } = unit;
  const [state, figures, run] = [stateOf(unit), latest(unit), newestRun(cron)];
  return {
    name, kind, phase: phaseOf(unit), state, glyph: glyphOf(state),
    // Without the time that is left, which the page counts down by itself.
    text: stateText(unit, Number.POSITIVE_INFINITY),
    health, command: unit.command ?? '', last_exit: exitText(unit.last_exit), restarts: unit.restarts ?? 0, processes: processesOf(unit),
    ...defined({
      wanted: unit.wanted, ready: unit.ready, since: unit.since, started_at: unit.uptime?.started_at, next_at: unit.next_at, reason: unit.reason,
      pid: process?.pid, user: process?.user, generation: unit.generation, last_event: unit.last_event, ordered: unit.ordered, waits_for: unit.waits_for,
      cpu: figures?.latest_cpu_percent, rss: figures?.latest_rss_bytes,
      rollout: rollout && { step: rollout.step, instance: rollout.instance, ...defined({ pid: rollout.pid }) },
      cron: cron && {
        timezone: cron.timezone_label,
        ...(run !== undefined && { last: { started_at: run.started_at, ...defined({ completed_at: run.completed_at }), result: resultOf(run.status) } }),
      },
    }),
  };
}

/** Of a run of a cron unit, in a word or with its reason; null while it goes on. */
function resultOf(status: CronExecutionSummary['status']): string | null {
  if (status === undefined) return null;
  return typeof status === 'object' ? `failed: ${status.Failed}` : 'succeeded';
}

/** Without what is not there. */
function defined<Values extends object>(values: Values): { [Key in keyof Values]: Exclude<Values[Key], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as ReturnType<typeof defined<Values>>;
}
