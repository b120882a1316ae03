import type { Child } from './children.ts';
import type { JobRef } from './job.ts';
import type { OperationInput, Part } from './operation-facts.ts';
import type { OperationRef } from './operation.ts';
import type { Availability } from './order.ts';
import type { RolloutFacts, SlotChange, SlotIndex } from './rollout-facts.ts';
import type { RolloutInput } from './rollout-setup.ts';
import type { RolloutRef } from './rollout.ts';
import type { ServiceRef } from './service.ts';
import type { ServiceSpec } from './spec.ts';
import type { Table } from './table.ts';
import type { Place, Settlement, UnitFacts } from './unit-facts.ts';

// What the root knows, as data.

/** A unit waits for its turn in an operation. */
export interface Turn {
  readonly operation: number;
  readonly command: Part['command'];
  /** Other operations that want the unit up: the order of this one answers them, too. */
  readonly joined: readonly number[];
}

export interface Unit {
  readonly name: string;
  /** What the configuration says. */
  readonly spec: ServiceSpec;
  /** Null until its actor was spawned. */
  readonly ref: ServiceRef | JobRef | null;
  readonly facts: UnitFacts;
  /** Of the current instance. */
  readonly inForce: ServiceSpec['definition'];
  /** What was last said to the unit about each of its dependencies. */
  readonly informed: Readonly<Record<string, Availability>>;
  readonly turn: Turn | null;
  /** It has an order and has not reported since: its facts are about to change. */
  readonly expected: boolean;
  /** What it is made anew as when the present actor is gone: a service that became a cron unit, or the reverse. */
  readonly returning: ServiceSpec | null;
  /** It is configured no more, and its actor still ends what it owns. */
  readonly leaves: boolean;
}

export interface Operation {
  readonly input: OperationInput;
  readonly units: ReadonlySet<string>;
  /** Units that have to make way for another. */
  readonly blockers: ReadonlySet<string>;
  /** Null until its actor was spawned. */
  readonly ref: OperationRef | null;
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
  /** Operations that are answered by how it ends. */
  readonly tickets: readonly number[];
  /** Null until its actor was spawned. */
  readonly ref: RolloutRef | null;
  readonly aside: {
    readonly place: Exclude<Place, 'current'>;
    readonly ref: ServiceRef | null;
    readonly facts: UnitFacts;
  };
  readonly facts: RolloutFacts | null;
  /** It has to end without a change, or as soon as it may. */
  readonly calledOff: boolean;
  /** Answers of a stop that the unit has given: they go out when the second instance is gone too. */
  readonly owed: readonly Settlement[];
}

export interface SupervisorContext {
  readonly units: Table<Unit>;
  /** The units that need each unit. */
  readonly dependents: ReadonlyMap<string, readonly string[]>;
  /** How many units own a process that SIGKILL can still end. */
  readonly busy: number;
  /** How many units wait for their turn in an operation, or have an order and have not reported since. */
  readonly underOrder: number;
  readonly operations: ReadonlyMap<number, Operation>;
  /** Processes that services spawned, by id; ended ones as long as they are shown. */
  readonly children: ReadonlyMap<string, Child>;
  readonly childrenMade: number;
  /** Units that are being replaced. */
  readonly rollouts: ReadonlyMap<string, Rollout>;
  /** Switches of units that are down which were not put back: the next start of the unit does. */
  readonly openSwitches: ReadonlyMap<string, SlotChange>;
  /** The slot of each blue-green unit. */
  readonly slots: ReadonlyMap<string, SlotIndex>;
  readonly tokenSeed: string;
  readonly unitsMade: number;
  readonly seed: number;
  /** When each unit's actor threw. */
  readonly crashes: ReadonlyMap<string, readonly number[]>;
  readonly exitCode: number;
  /** What is ended gets SIGKILL at once. */
  readonly hurried: boolean;
  readonly endTickets: readonly number[];
  /** The latest moment any event spoke of. */
  readonly now: number;
}

export const PENDING: Availability = { met: false, lost: null };

export function unitOf(spec: ServiceSpec, at: number): Unit {
  const facts: UnitFacts = {
    unit: spec.name, place: 'current', state: 'stopped', phase: 'stopped', wanted: 'down', ready: null, outcome: 'none', cause: null, generation: 0, exit: null, ended: null,
    reason: null, blame: null, left: [], restarts: 0, stuck: false, pid: null, failures: 0, deadline: null, trigger: { kind: 'boot', by: null }, event: 'boot', at,
  };
  const informed = Object.fromEntries(spec.dependsOn.map(({ service }) => [service, PENDING]));
  return { name: spec.name, spec, inForce: spec.definition, ref: null, facts, informed, turn: null, expected: false, returning: null, leaves: false };
}

export function dependentsIn(units: ReadonlyMap<string, Unit>): ReadonlyMap<string, readonly string[]> {
  const dependents = new Map<string, string[]>();
  for (const [name, { spec }] of units) {
    for (const { service } of spec.dependsOn) {
      const others = dependents.get(service);
      if (others === undefined) dependents.set(service, [name]);
      else if (others.at(-1) !== name) others.push(name);
    }
  }
  return dependents;
}
