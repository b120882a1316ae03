import type { ChildCause, ChildFacts, ChildRecord, SpawnOrder } from './child-facts.ts';
import { isAtRest } from './order.ts';
import type { SpawnedRef } from './spawned.ts';
import type { ServiceSpec, SpawnSpec } from './spec.ts';
import type { UnitFacts } from './unit-facts.ts';

/** Processes that services spawn through the socket: who may, and what the end of one means to the others. */
export interface Child {
  readonly record: ChildRecord;
  readonly spec: ServiceSpec;
  /** The parent now: the end of one may have given its children to another, or left them without. */
  readonly parent: string | null;
  /** Null until its actor was spawned. */
  readonly ref: SpawnedRef | null;
  readonly facts: ChildFacts;
  /** Of the process that asked for it. */
  readonly ticket: number | null;
}

export type Children = ReadonlyMap<string, Child>;

export interface ChildEnding {
  readonly child: string;
  readonly cause: ChildCause;
}

/** Successful requests of one parent, in a second. */
const RATE = { count: 10, windowMs: 1000 } as const;
/** Ended children that are still shown, of each service. */
const SHOWN_ENDED = 20;
const ENDING: readonly UnitFacts['state'][] = ['stopping', 'killing', 'clearing'];

/** Why a child may not be spawned, in 0.33.0's words and order; null: it may. */
export function refusalOf(children: Children, limits: SpawnSpec, order: SpawnOrder, usedBytes: number, at: number): string | null {
  const exceeded = (what: string): string => `Spawn limit exceeded: ${what}`;
  const [first = ''] = order.argv;
  if (first === '') return `expected a command to spawn, got ${order.argv.length === 0 ? 'an empty list' : 'an empty program name'}`;
  const ofParent = [...children.values()].filter(({ record }) => record.order.parentPid === order.parentPid);
  if (ofParent.filter(({ record }) => record.startedAt > at - RATE.windowMs).length >= RATE.count) return exceeded(`Spawn rate limit exceeded (max ${RATE.count}/sec)`);
  if (depthOf(children, order) >= limits.depth) return exceeded('Maximum spawn depth reached');
  const living = [...children.values()].filter((child) => child.record.order.unit === order.unit && isLiving(child));
  if (living.length >= limits.descendants) return exceeded('Descendant limit exceeded');
  if (limits.totalMemoryBytes !== null && usedBytes >= limits.totalMemoryBytes) return exceeded('Memory quota exceeded');
  if (living.filter(({ record }) => record.order.parentPid === order.parentPid).length >= limits.children) return exceeded('Maximum direct children reached');
  return null;
}

/** 1 for a direct child of the service. */
export function depthOf(children: Children, order: SpawnOrder): number {
  return 1 + (order.parent === null ? 0 : (children.get(order.parent)?.record.depth ?? 0));
}

/** What a child is started with: its service's context, its own program, and the variables that say where it is in the tree. */
export function childSpec(service: ServiceSpec, { argv, logLevel, parentPid }: SpawnOrder, depth: number): ServiceSpec {
  return {
    ...service, command: argv.join(' '), launch: { kind: 'exec', argv },
    env: {
      ...service.env, SPAWN_DEPTH: String(depth), SPAWN_PARENT_PID: String(parentPid),
      ...(logLevel !== null && { RUST_LOG: logLevel }),
    },
    check: null, hooks: [], skip: false, preStart: null, dependsOn: [], essential: false, cron: null, spawn: null,
  };
}

/** Takes in what a child's actor reported, and what follows for the others when it is gone. */
export function afterChange(children: Children, facts: ChildFacts, policyOf: (unit: string) => SpawnSpec['terminationPolicy']): {
  readonly children: Children; readonly endings: readonly ChildEnding[];
} {
  const changed = new Map(children);
  const child = changed.get(facts.child);
  if (child === undefined) return { children, endings: [] };
  changed.set(facts.child, { ...child, facts });
  if (facts.state !== 'gone') return { children: changed, endings: [] };
  // One that was never born leaves nothing to be shown.
  if (facts.cause === 'service' || facts.identity === null) {
    changed.delete(facts.child);
    return { children: changed, endings: [] };
  }
  const policy = policyOf(facts.unit);
  const own = [...changed.values()].filter(({ parent }) => parent === facts.child);
  if (policy === 'cascade') {
    // Whose own children end when it is gone itself.
    changed.delete(facts.child);
    return { children: changed, endings: own.filter(isLiving).map(({ record }) => ({ child: record.id, cause: 'cascade' })) };
  }
  for (const orphan of own) changed.set(orphan.record.id, { ...orphan, parent: policy === 'reparent' ? child.parent : null });
  return { children: withoutOldest(changed, facts.unit), endings: [] };
}

/**
 * What a change of a service means to the children of that process of it. While it is being ended, its own ending finds
 * those that were born; when it is gone, nothing of it may be left.
 */
export function afterService(children: Children, facts: UnitFacts): { readonly children: Children; readonly endings: readonly ChildEnding[] } {
  const { unit, state, generation } = facts;
  const own = [...children.values()].filter(({ record }) => record.order.unit === unit && record.order.generation === generation);
  if (own.length === 0) return { children, endings: [] };
  const settled = isAtRest(facts);
  const ended = own.filter((child) => isLiving(child) && (settled || (ENDING.includes(state) && child.facts.state === 'spawning')));
  const left = new Map(children);
  if (settled) for (const child of own) if (!isLiving(child)) left.delete(child.record.id);
  return { children: left, endings: ended.map(({ record }) => ({ child: record.id, cause: 'service' })) };
}

export function isLiving({ facts }: Child): boolean {
  return facts.state !== 'gone';
}

function withoutOldest(children: Children, unit: string): Children {
  const ended = [...children.values()].filter((child) => child.record.order.unit === unit && !isLiving(child)).toSorted((one, other) => one.facts.at - other.facts.at);
  const kept = new Map(children);
  for (const { record } of ended.slice(0, Math.max(0, ended.length - SHOWN_ENDED))) kept.delete(record.id);
  return kept;
}
