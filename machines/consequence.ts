import type { ServiceSpec } from './spec.ts';
import type { Leaf } from './unit-facts.ts';

/**
 * What a new definition means to a unit, decided in one place: the service's chart asks it, `plan` shows it, and the answer
 * to `reload` counts it.
 *
 * `update`: taken over without a restart, now or at the next start. `restart`: ended and started, or tried again at once.
 * `replace`: a candidate beside the running instance. `remake`: a service becomes a cron unit or the reverse.
 */
export type Consequence = 'unchanged' | 'update' | 'restart' | 'replace' | 'remake' | 'remove';

/** A unit as far as a new definition is concerned. */
export interface Redefinable {
  readonly state: Leaf;
  readonly wanted: 'up' | 'down';
  /** The definition that the present instance has. */
  readonly spec: Pick<ServiceSpec, 'definition' | 'cron'>;
}

const RESTING: readonly Leaf[] = ['stopped', 'waiting', 'removed'];
const ENDING: readonly Leaf[] = ['stopping', 'killing', 'clearing'];

/** `next` null: the unit is no longer configured. */
export function consequenceOf({ state, wanted, spec }: Redefinable, next: ServiceSpec | null): Consequence {
  if (next === null) return 'remove';
  if ((spec.cron === null) !== (next.cron === null)) return 'remake';
  const sameProcess = spec.definition.process === next.definition.process;
  if (sameProcess && spec.definition.policy === next.definition.policy) return 'unchanged';
  // A run of a cron unit, and an end that is under way, go on: the next start has the new definition.
  if (next.cron !== null || RESTING.includes(state) || ENDING.includes(state)) return 'update';
  if (state === 'failed' || state === 'backoff') return 'restart';
  if (sameProcess) return 'update';
  return rollsOver(next, state, wanted) ? 'replace' : 'restart';
}

/** Whether a unit is replaced by a candidate beside it: it says so and runs. */
export function rollsOver(next: Pick<ServiceSpec, 'deployment' | 'cron'>, state: Leaf, wanted: 'up' | 'down'): boolean {
  return next.deployment.strategy === 'rolling' && next.cron === null && state === 'running' && wanted === 'up';
}
