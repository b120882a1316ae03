import { newestRun } from '../cli/print/newest-run.ts';
import { glyphOf, phaseOf, stateOf, stateText } from '../cli/print/unit.ts';
import { count, list, nullable, number, oneOf, record, string, boolean, type Shaped } from '../wire/shape.ts';
import type { SpawnedProcessNode, UnitStatus } from '../wire/payloads.ts';
import { exitText } from '../signals.ts';

/** What the table shows of a unit. Nothing in it changes by itself, so that only what happened travels. */
export const unitRow = record(
  {
    name: string,
    kind: oneOf('service', 'cron', 'orphaned'),
    phase: string,
    state: string,
    glyph: string,
    text: string,
    health: string,
    command: string,
    last_exit: string,
    restarts: count,
    processes: count,
  },
  {
    wanted: string,
    ready: boolean,
    since: string,
    started_at: string,
    next_at: string,
    reason: string,
    pid: count,
    user: string,
    generation: count,
    last_event: count,
    ordered: string,
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
  const { name, kind, health, process, metrics, uptime, rollout, cron } = unit;
  const state = stateOf(unit);
  const run = newestRun(cron);
  return {
    name, kind, phase: phaseOf(unit), state, glyph: glyphOf(state),
    // Without the time that is left, which the page counts down by itself.
    text: stateText(unit, Number.POSITIVE_INFINITY),
    health,
    command: unit.command ?? '',
    last_exit: exitText(unit.last_exit),
    restarts: unit.restarts ?? 0,
    processes: process === undefined ? 0 : 1 + counted(unit.spawned_children),
    ...defined({
      wanted: unit.wanted,
      ready: unit.ready,
      since: unit.since,
      started_at: uptime?.started_at,
      next_at: unit.next_at,
      reason: unit.reason,
      pid: process?.pid,
      user: process?.user,
      generation: unit.generation,
      last_event: unit.last_event,
      ordered: unit.ordered,
      waits_for: unit.waits_for,
      cpu: process === undefined ? undefined : metrics?.latest_cpu_percent,
      rss: process === undefined ? undefined : metrics?.latest_rss_bytes,
    }),
    ...(rollout !== undefined && {
      rollout: { step: rollout.step, instance: rollout.instance, ...(rollout.pid !== undefined && { pid: rollout.pid }) },
    }),
    ...(cron !== undefined && {
      cron: {
        timezone: cron.timezone_label,
        ...(run !== undefined && {
          last: {
            started_at: run.started_at,
            ...(run.completed_at !== undefined && { completed_at: run.completed_at }),
            result: resultOf(run.status),
          },
        }),
      },
    }),
  };
}

/** Of a run of a cron unit, in a word or with its reason; null while it goes on. */
export function resultOf(status: NonNullable<NonNullable<UnitStatus['cron']>['last_run']>['status']): string | null {
  if (status === undefined) return null;
  return typeof status === 'object' ? `failed: ${status.Failed}` : 'succeeded';
}

function counted(nodes: readonly SpawnedProcessNode[] = []): number {
  return nodes.reduce((sum, { child, children }) => sum + (child.last_exit === undefined ? 1 : 0) + counted(children), 0);
}

/** Without what is not there. */
function defined<Values extends Readonly<Record<string, unknown>>>(values: Values): { [Key in keyof Values]: Exclude<Values[Key], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [Key in keyof Values]: Exclude<Values[Key], undefined>;
  };
}
