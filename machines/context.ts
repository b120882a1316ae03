import type { JobRef } from './job.ts';
import type { Availability } from './order.ts';
import type { RolloutEvent, RolloutInput, RolloutRef } from './rollout.ts';
import type { ServiceRef } from './service.ts';
import type { Child, ChildEnding } from './spawning.ts';
import type {
  Place, RolloutFacts, ServiceCommand, ServiceSpec, Settlement, SlotChange, SlotIndex, Trigger, UnitFacts,
} from './types.ts';

/** What the root knows, and what it does with an event, as data: order and tickets can be read and tested without an actor. */
export interface Unit {
  readonly name: string;
  readonly spec: ServiceSpec;
  /** Null until its actor was spawned. */
  readonly ref: ServiceRef | JobRef | null;
  readonly facts: UnitFacts;
  /** Of the current instance; `spec` is what the configuration says. */
  readonly inForce: ServiceSpec['definition'];
  /** What the unit was last told of each of its dependencies. */
  readonly told: Readonly<Record<string, Availability>>;
}

/**
 * A part of a command that waits for other units: a stop and a restart until those that need the unit own no process, a
 * rollout until those that it needs are through with theirs.
 */
export interface Turn {
  readonly unit: string;
  readonly command: 'stop' | 'restart' | 'rollout';
  readonly ticket: number | null;
  readonly origin: Trigger;
  readonly spec: ServiceSpec | null;
  readonly after: readonly string[];
  /** Goes into the answer. */
  readonly note?: string;
}

/** A unit that is being replaced, and the instance beside the current one. */
export interface Rollout {
  readonly unit: string;
  /** The definition to come. */
  readonly spec: ServiceSpec;
  /** The one to go. */
  readonly former: ServiceSpec['definition'];
  readonly slots: SlotChange | null;
  readonly mode: RolloutInput['mode'];
  readonly ticket: number | null;
  /** Null until its actor was spawned. */
  readonly ref: RolloutRef | null;
  readonly aside: {
    readonly place: Exclude<Place, 'current'>;
    readonly ref: ServiceRef | null;
    readonly facts: UnitFacts;
  };
  readonly facts: RolloutFacts | null;
  /** It was told to end without a change, or as soon as it may. */
  readonly calledOff: boolean;
}

export type RolloutSend =
  | { readonly to: 'aside'; readonly unit: string; readonly event: ServiceCommand }
  | { readonly to: 'rollout'; readonly unit: string; readonly event: RolloutEvent };

export interface SupervisorContext {
  readonly units: ReadonlyMap<string, Unit>;
  readonly turns: readonly Turn[];
  /** Units that were sent up and have not answered: what is known of them is about to change. */
  readonly expected: ReadonlySet<string>;
  /** Units whose old actor has to be gone before a new one can be made: a service that became a cron unit, or the reverse. */
  readonly returning: ReadonlyMap<string, ServiceSpec>;
  /** Processes that services spawned, by id; ended ones as long as they are shown. */
  readonly children: ReadonlyMap<string, Child>;
  readonly childrenMade: number;
  /** Units that are being replaced. */
  readonly rollouts: ReadonlyMap<string, Rollout>;
  /** The slot of each blue-green unit. */
  readonly slots: ReadonlyMap<string, SlotIndex>;
  readonly tokenSeed: string;
  readonly unitsMade: number;
  readonly seed: number;
  /** When each unit's actor threw. */
  readonly crashes: ReadonlyMap<string, readonly number[]>;
  readonly ending: boolean;
  readonly exitCode: number;
  readonly endTickets: readonly number[];
  /** The latest moment any event spoke of. */
  readonly now: number;
}

export interface Plan {
  readonly context: SupervisorContext;
  readonly sends: readonly { readonly unit: string; readonly event: ServiceCommand }[];
  readonly settlements: readonly Settlement[];
  /** To rollouts, and to the instances beside the current ones. */
  readonly rolloutSends: readonly RolloutSend[];
  /** Spawned children to end. */
  readonly endings: readonly ChildEnding[];
}

export const PENDING: Availability = { met: false, lost: null };

export function unitOf(spec: ServiceSpec, at: number): Unit {
  const facts: UnitFacts = {
    unit: spec.name, place: 'current', state: 'stopped', phase: 'stopped', wanted: 'down', ready: null, outcome: 'none', cause: null, generation: 0, exit: null, ended: null,
    reason: null, restarts: 0, stuck: false, pid: null, failures: 0, deadline: null, trigger: { kind: 'boot', by: null }, event: 'boot', at,
  };
  return { name: spec.name, spec, inForce: spec.definition, ref: null, facts, told: pending(spec) };
}

export function pending(spec: ServiceSpec): Record<string, Availability> {
  return Object.fromEntries(spec.dependsOn.map(({ service }) => [service, PENDING]));
}
