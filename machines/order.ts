import { describeExit } from './ends.ts';
import type { Part } from './operation-facts.ts';
import type { Dependency, ServiceSpec } from './spec.ts';
import type { UnitFacts } from './unit-facts.ts';

const NONE: readonly string[] = [];

/** Who comes before whom, and whether a dependency is there. Pure functions over the table of units. */
export interface Ordered {
  readonly spec: ServiceSpec;
  readonly facts: UnitFacts;
  /** What the unit knows of its own dependencies. */
  readonly informed?: Readonly<Record<string, Availability>>;
}

export type Units<T extends Ordered = Ordered> = ReadonlyMap<string, T>;

/** The named units, dependencies first; equals in the order of their names. Cycles were refused with the configuration. */
export function inOrder(units: Units, names: Iterable<string>): readonly string[] {
  const wanted = new Set(names);
  const ordered: string[] = [];
  const seen = new Set<string>();
  const visit = (name: string): void => {
    if (seen.has(name)) return;
    seen.add(name);
    for (const dependency of dependenciesOf(units, name)) visit(dependency);
    if (wanted.has(name)) ordered.push(name);
  };
  for (const name of [...wanted].sort()) visit(name);
  return ordered;
}

/** The named units and all that they need, directly or not. */
export function withDependencies(units: Units, names: Iterable<string>): ReadonlySet<string> {
  const all = new Set(names);
  for (const name of all) for (const dependency of dependenciesOf(units, name)) all.add(dependency);
  return all;
}

function dependenciesOf(units: Units, name: string): readonly string[] {
  const edges = units.get(name)?.spec.dependsOn ?? [];
  return edges.length === 0 ? NONE : edges.map(({ service }) => service).filter((other) => units.has(other)).sort();
}

/** Whether this edge makes the unit restart with its dependency. What has completed for a unit is not undone by another run. */
export function restartsWith({ condition, onRestart }: Dependency): boolean {
  return onRestart === 'restart' && condition !== 'completed';
}

/** `lost`: why a missing dependency will not come by itself. `unproven`: there since its program was executed; it may still end at once. */
export interface Availability {
  readonly met: boolean;
  readonly lost: string | null;
  readonly unproven?: true;
}

/** Of the first process since the unit was ordered to start: one that follows an end has to live for a moment first. */
const UNPROVEN: Availability = { met: true, lost: null, unproven: true };

/** Whether a unit in this condition satisfies the edge that asks for it. */
export function availability(edge: Dependency, unit: Ordered | undefined): Availability {
  const name = edge.service;
  if (unit === undefined) return { met: false, lost: `dependency '${name}' is not configured` };
  const { facts, spec, informed = {} } = unit;
  if (spec.cron !== null) return { met: true, lost: null };
  if (facts.state === 'stopped' && (facts.outcome === 'completed' || facts.outcome === 'skipped')) return { met: true, lost: null };
  if (facts.state === 'failed') return { met: false, lost: `dependency '${name}' failed${howOf(facts)}` };
  if (facts.state === 'stopped' && facts.wanted === 'down') return { met: false, lost: `dependency '${name}' is stopped` };
  const inVain = facts.state === 'waiting' && facts.wanted === 'up' ? Object.values(informed).find(({ lost }) => lost !== null)?.lost : null;
  if (inVain != null) return { met: false, lost: `dependency '${name}' cannot start: its ${inVain}` };
  if (facts.state === 'starting' && edge.condition === 'started' && spec.check === null && facts.restarts === 0) return UNPROVEN;
  const serves = facts.state === 'running' && edge.condition !== 'completed' && (edge.condition === 'started' || facts.ready !== false);
  return { met: serves, lost: null };
}

/** How the last attempt ended: an older end says nothing about it. Under another supervisor than that of the attempt the record has its exit alone. */
function howOf({ ended: seen, exit, reason }: UnitFacts): string {
  const ended = seen ?? (reason === null ? null : exit);
  // Where the reason says more than the exit does, the exit was the supervisor's doing: a process that was not ready in time.
  if (ended !== null && (reason === null || reason === describeExit(ended))) return ` (${ended.code === null ? ended.signal : `exit ${ended.code}`})`;
  return reason === null ? '' : ` (${reason})`;
}

/** A unit that owns no process and will not begin to by itself before something else happens. */
export function isAtRest(facts: UnitFacts): boolean {
  return ['stopped', 'failed', 'waiting', 'backoff', 'removed'].includes(facts.state);
}

/** Whether the order is sure to change the unit's facts: what is known of the unit is no longer right. */
export function isAboutToChange({ state, wanted }: UnitFacts, command: Part['command']): boolean {
  if (command === 'stop') return wanted === 'up';
  if (command === 'rollout') return false;
  return state === 'stopped' || state === 'failed' || (state === 'running' && command === 'restart');
}
