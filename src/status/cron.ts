import type { UnitView } from '../../machines/view.ts';
import type { MetricSample, StatusSnapshot, UnitStatus } from '../control/payloads.ts';
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
    return { ...unit, health: unit.process?.state === 'running' ? 'healthy' : cronHealth(history), cron: block };
  });
  return { ...snapshot, overall_health: overallHealth(units), units };
}
