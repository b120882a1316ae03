import { consequenceOf, type Consequence } from '../../machines/consequence.ts';
import { restartsWith } from '../../machines/order.ts';
import { inSlotOf } from '../../machines/slots.ts';
import type { ServiceSpec } from '../../machines/types.ts';
import type { UnitView } from '../../machines/view.ts';
import { changedKeys } from '../config/definition.ts';
import type { PlanEntry, ReloadPlan } from '../wire/payloads.ts';

/** What a reload to `specs` would do to each unit: the machines decide the same by `consequenceOf`, and by the edges of its dependencies. */
export function planReload(views: readonly UnitView[], specs: readonly ServiceSpec[]): ReloadPlan {
  const plan: Record<keyof ReloadPlan, PlanEntry[]> = { unchanged: [], start: [], stop: [], restart: [], update: [] };
  const present = new Map(views.map((view) => [view.spec.name, view]));
  const followed = dependencyFollowed(present, specs);
  for (const spec of specs.toSorted((one, other) => (one.name < other.name ? -1 : 1))) {
    const [what, why] = change(present.get(spec.name), spec);
    const dependency = followed.get(spec.name);
    if (dependency === undefined) plan[what].push({ unit: spec.name, why });
    else plan.restart.push({ unit: spec.name, why: `${what === 'unchanged' ? '' : `${why.replace(LIVE, '').replace(BESIDE, '')}; `}restarted with its dependency '${dependency}'` });
  }
  const configured = new Set(specs.map(({ name }) => name));
  for (const { spec, phase } of views) {
    if (!configured.has(spec.name)) plan.stop.push({ unit: spec.name, why: `no longer configured${phase === 'stopped' ? ' (not running)' : ''}` });
  }
  return plan;
}

/** Of those that are restarted only because a dependency is, which one that is. A replacement by an instance beside it is no restart to dependents. */
function dependencyFollowed(present: ReadonlyMap<string, UnitView>, specs: readonly ServiceSpec[]): ReadonlyMap<string, string> {
  const live = specs.flatMap((spec) => {
    const view = present.get(spec.name);
    return view?.alive === true && view.wanted === 'up' && (view.phase === 'running' || view.phase === 'starting') ? [{ view, spec }] : [];
  });
  const restarting = new Set(live.filter(({ view, spec }) => consequenceOf(view, spec) === 'restart').map(({ spec }) => spec.name));
  const followed = new Map<string, string>();
  for (let before = -1; before < restarting.size;) {
    before = restarting.size;
    for (const { spec } of live) {
      if (restarting.has(spec.name) || spec.cron !== null) continue;
      const edge = spec.dependsOn.find((needed) => restartsWith(needed) && restarting.has(needed.service));
      if (edge === undefined) continue;
      restarting.add(spec.name);
      followed.set(spec.name, edge.service);
    }
  }
  return followed;
}

/** The plan as the answer to a reload counts it. */
export function describePlan(plan: ReloadPlan): string {
  const counts = [
    [plan.start, 'added'], [plan.stop, 'removed'], [plan.restart, 'restarted'], [plan.update, 'updated'], [plan.unchanged, 'unchanged'],
  ] as const;
  return counts.filter(([units]) => units.length > 0).map(([units, word]) => `${units.length} ${word}`).join(', ') || 'no units';
}

const ENTRIES = {
  unchanged: 'unchanged', update: 'update', restart: 'restart', replace: 'restart', remake: 'restart', remove: 'stop',
} as const satisfies Record<Consequence, keyof ReloadPlan>;

function change(view: UnitView | undefined, spec: ServiceSpec): readonly [keyof ReloadPlan, string] {
  if (view === undefined) return ['start', spec.cron === null ? 'new in the configuration' : 'new in the configuration: runs by its schedule'];
  const decided = consequenceOf(view, spec);
  // What is down stays down when it is made anew as the other kind.
  const consequence = decided === 'remake' && view.wanted === 'down' ? 'update' : decided;
  if (consequence === 'unchanged') return ['unchanged', 'same definition'];
  return [ENTRIES[consequence], `changed: ${changedKeys(view.spec, inSlotOf(view.spec, spec)).join(', ') || 'definition'}${howOf(consequence, view, spec)}`];
}

const LIVE = '; taken over live';
const BESIDE = '; replaced by an instance beside it';

function howOf(consequence: Consequence, { phase, state, lifecycle, spec: { cron } }: UnitView, spec: ServiceSpec): string {
  if (consequence === 'replace') return BESIDE;
  if (consequence === 'restart') return phase === 'failed' || phase === 'backoff' ? `; in phase ${phase}, tried again at once` : '';
  if (consequence !== 'update') return '';
  const isOtherKind = (cron === null) !== (spec.cron === null);
  if (spec.cron !== null && !isOtherKind) return '; the next run uses it';
  if (phase === 'stopped' || isOtherKind) return `; it ${lifecycle === 'exited_successfully' ? 'has completed' : 'is stopped'}, the next start uses it`;
  return state === 'waiting' || phase === 'stopping' ? '; the next start uses it' : LIVE;
}
