import type { ServiceSpec } from '../../machines/types.ts';
import type { UnitView } from '../../machines/view.ts';
import { changedKeys } from '../config/definition.ts';
import type { PlanEntry, ReloadPlan } from '../wire/payloads.ts';

/** What a reload to `specs` would do to each unit, found by the digests of their definitions as the units themselves do it. */
export function planReload(views: readonly UnitView[], specs: readonly ServiceSpec[]): ReloadPlan {
  const plan: Record<keyof ReloadPlan, PlanEntry[]> = { unchanged: [], start: [], stop: [], restart: [], update: [] };
  const present = new Map(views.map((view) => [view.spec.name, view]));
  for (const spec of [...specs].sort(byName)) {
    const [what, why] = change(present.get(spec.name), spec);
    plan[what].push({ unit: spec.name, why });
  }
  const configured = new Set(specs.map(({ name }) => name));
  for (const { spec, phase } of views) {
    if (!configured.has(spec.name)) plan.stop.push({ unit: spec.name, why: `no longer configured${phase === 'stopped' ? ' (not running)' : ''}` });
  }
  return plan;
}

function change(view: UnitView | undefined, spec: ServiceSpec): readonly [keyof ReloadPlan, string] {
  if (view === undefined) return ['start', spec.cron === null ? 'new in the configuration' : 'new in the configuration: runs by its schedule'];
  const { process, policy } = view.spec.definition;
  const why = `changed: ${changedKeys(view.spec, spec).join(', ') || 'definition'}`;
  if (process === spec.definition.process && policy === spec.definition.policy) return ['unchanged', 'same definition'];
  if ((view.spec.cron === null) !== (spec.cron === null)) return ['restart', why];
  if (view.phase === 'stopped') return ['update', `${why}; it is stopped, the next start uses it`];
  if (spec.cron !== null) return ['update', `${why}; the next run uses it`];
  if (view.phase === 'failed' || view.phase === 'backoff') return ['restart', `${why}; in phase ${view.phase}, tried again at once`];
  return process === spec.definition.process ? ['update', `${why}; taken over live`] : ['restart', why];
}

function byName(one: ServiceSpec, other: ServiceSpec): number {
  return one.name < other.name ? -1 : 1;
}
