import type { UnitView } from '../../machines/view.ts';
import type { CronUnitStatus, MetricSample, StatusSnapshot, UnitStatus } from '../wire/payloads.ts';
import { cronHealth, cronStatus, type CronRun } from '../cron/summary.ts';
import { overallHealth } from './snapshot.ts';

export interface CronSources {
  readonly views: readonly UnitView[];
  /** Newest last. */
  runs(unit: string): readonly CronRun[];
  /** Oldest first. */
  samplesBetween(unit: string, fromMs: number, toMs: number, count: number): readonly MetricSample[];
  readonly wallMs: number;
}

/** The same snapshot with what is known of cron units' runs; while a run goes on its process speaks for its health. */
export function withCron(snapshot: StatusSnapshot, { views, runs, samplesBetween, wallMs }: CronSources): StatusSnapshot {
  const specs = new Map(views.map(({ spec }) => [spec.name, spec]));
  const units = snapshot.units.map((unit): UnitStatus => {
    const cron = specs.get(unit.name)?.cron;
    if (cron === undefined || cron === null) return unit;
    const history = runs(unit.name);
    const block = cronStatus({ timezone: cron.timezone, runs: history, samplesBetween: (...span) => samplesBetween(unit.name, ...span) }, wallMs);
    const health = unit.process?.state === 'running' ? 'healthy' : cronHealth(history);
    return withBlock({ ...unit, health }, block);
  });
  return { ...snapshot, overall_health: overallHealth(units), units };
}

/** At its place in the order of keys on the wire: behind what is known of the process, before what was measured. */
function withBlock(unit: UnitStatus, cron: CronUnitStatus): UnitStatus {
  const { name, hash, kind, lifecycle, health, process, uptime, last_exit: lastExit, ...rest } = unit;
  return {
    name, hash, kind, ...(lifecycle !== undefined && { lifecycle }), health, ...(process !== undefined && { process }),
    ...(uptime !== undefined && { uptime }), ...(lastExit !== undefined && { last_exit: lastExit }), cron, ...rest,
  };
}
