import type { UnitStatus } from '../../wire/payloads.ts';
import { naturally } from '../../words.ts';
import { latest, stateOf } from './unit.ts';

/** By what units are put in order. Where two are alike, their names decide. */
export const orderings = ['attention', 'name', 'state', 'cpu', 'rss', 'uptime', 'restarts', 'pid'] as const;
export type Ordering = (typeof orderings)[number];

export interface Order { readonly by: Ordering; readonly isReversed: boolean }

/** Those that need attention first. */
export const firstOrder: Order = { by: 'attention', isReversed: false };

export function ordered(units: readonly UnitStatus[], { by, isReversed }: Order): UnitStatus[] {
  const named = naturally(units, ({ name }) => name);
  if (by === 'name') return isReversed ? named.reverse() : named;
  const compare = COMPARISONS[by];
  return named.sort((one, other) => (isReversed ? -1 : 1) * compare(one, other));
}

/** Up: the least is first. Attention has no column and no direction that could be read off it. */
export function directionOf({ by, isReversed }: Order): 'up' | 'down' {
  return FALLING.includes(by) === isReversed ? 'up' : 'down';
}

type Comparison = (one: UnitStatus, other: UnitStatus) => number;

function falling(figure: (unit: UnitStatus) => number | undefined): Comparison {
  return (one, other) => (figure(other) ?? -1) - (figure(one) ?? -1);
}

const COMPARISONS: Readonly<Record<Exclude<Ordering, 'name'>, Comparison>> = {
  attention: (one, other) => urgency(one) - urgency(other),
  state: (one, other) => (stateOf(one) < stateOf(other) ? -1 : Number(stateOf(one) > stateOf(other))),
  cpu: falling((unit) => latest(unit)?.latest_cpu_percent),
  rss: falling((unit) => latest(unit)?.latest_rss_bytes),
  uptime: falling(({ uptime }) => uptime?.seconds),
  restarts: falling(({ restarts }) => restarts),
  pid: (one, other) => (one.process?.pid ?? Infinity) - (other.process?.pid ?? Infinity) || 0,
};

/** Those of which the most comes first. */
const FALLING: readonly Ordering[] = ['cpu', 'rss', 'uptime', 'restarts'];

function urgency({ health }: UnitStatus): number {
  return health === 'failing' ? 0 : health === 'degraded' ? 1 : 2;
}
