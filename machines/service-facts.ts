import type { AnyActorRef, StateValue } from 'xstate';
import type { ServiceEvent } from './events.ts';
import type { OwnedProcess, ProcessExit } from './process-facts.ts';
import type { ServiceSpec } from './spec.ts';
import {
  LEAVES, type Blame, type Cause, type Deadline, type DeadlineKind, type HookRun, type Leaf, type Outcome, type Place, type Settlement,
  type Ticket, type Trigger, type Wanted,
} from './unit-facts.ts';

/** What a service actor is made from. */
export interface ServiceInput {
  readonly spec: ServiceSpec;
  /** Dependencies that are not available yet. */
  readonly held: readonly string[];
  readonly place?: Place;
  /** Of the last process the unit had. */
  readonly generation?: number;
  /** Process tokens are this, a dot and the generation. */
  readonly tokenBase: string;
  /** Of the backoff's jitter. */
  readonly seed: number;
  readonly at: number;
  /** Gets every `ServiceFact`. */
  readonly parent: AnyActorRef | null;
}

export interface ServiceContext {
  readonly parent: AnyActorRef | null;
  readonly tokenBase: string;
  readonly place: Place;
  readonly spec: ServiceSpec;
  /** Taken when the present process is gone. */
  readonly nextSpec: ServiceSpec | null;
  /** The definition of the last process, which may be an older one than that of the unit. */
  readonly ran: ServiceSpec['definition'];
  readonly removed: boolean;
  readonly wanted: Wanted;
  /** It is down because its job ended a run, and the job is wanted. */
  readonly goesOn: boolean;
  /** Unavailable dependencies; a text says why one will not come by itself. */
  readonly held: Readonly<Record<string, string | null>>;
  readonly generation: number;
  readonly process: OwnedProcess | null;
  /** Why the unit is being ended, or why its attempt failed: for the ledger and for people. What follows the end is the chart's. */
  readonly cause: Cause | null;
  /** Why an attempt could not begin, or was ended, in words. */
  readonly refusal: string | null;
  /** The program could not be started at all. */
  readonly refused: boolean;
  /** The leader at hand has ended, whether or not anybody saw how. */
  readonly leaderEnded: boolean;
  /** How the leader at hand ended; null: it has not, or nobody saw it. */
  readonly ended: ProcessExit | null;
  /** What the leader had left running when it ended by itself, in words. */
  readonly left: readonly string[];
  /** The last known end of the service itself. */
  readonly exit: ProcessExit | null;
  readonly reason: string | null;
  readonly blame: Blame | null;
  readonly failures: readonly number[];
  readonly streak: number;
  readonly restarts: number;
  readonly outcome: Outcome;
  readonly ready: boolean | null;
  readonly tickets: readonly Ticket[];
  readonly deadline: Deadline | null;
  /** A deadline from before a change of supervisor, kept instead of a new one. */
  readonly resumed: Deadline | null;
  readonly killsOrdered: number;
  /** This generation has been running (and ready). */
  readonly hasRun: boolean;
  /** This attempt was begun by the restart policy, not by a person. */
  readonly automatic: boolean;
  readonly hooksPending: boolean;
  /** When the present phase began. */
  readonly since: number;
  readonly seed: number;
  /** Collected in a transition and published after it. */
  readonly settled: readonly Settlement[];
  readonly hookRuns: readonly HookRun[];
}

/** The deadlines that the service machine itself waits for. */
export type ServiceDeadline = Exclude<DeadlineKind, 'ttl' | 'rollout' | 'probe' | 'run'>;

const STATES: ReadonlySet<string> = new Set(LEAVES);

/** The public name of a state of the chart: the outermost one that has a name outside of it. */
export function leafOf(value: StateValue): Leaf {
  for (let rest: StateValue | undefined = value; rest !== undefined;) {
    if (typeof rest === 'string') return rest as Leaf;
    // Of a parallel state the region that owns the process has the name.
    const key: string = 'process' in rest ? 'process' : (Object.keys(rest)[0] ?? '');
    if (STATES.has(key)) return key as Leaf;
    rest = rest[key];
  }
  throw new Error(`a state without a name: ${JSON.stringify(value)}`);
}

/** The moment that an event speaks of; null for XState's own. */
export function momentOf(event: object): number | null {
  return 'at' in event && typeof event.at === 'number' ? event.at : null;
}

export function actorId({ process }: Pick<ServiceContext, 'process'>): string {
  if (process === null) return 'process.none';
  return process.role === 'main' ? `process.${process.generation}` : `task.${process.generation}.${process.role}`;
}

export function lostReason(context: ServiceContext): string | null {
  return Object.values(context.held).find((reason) => reason !== null) ?? null;
}

/** What moved the unit, read from the event that did. */
export function triggerOf(event: ServiceEvent): Trigger {
  switch (event.type) {
    case 'start': return event.origin ?? { kind: 'command', by: 'start' };
    case 'stop': return event.origin ?? { kind: 'command', by: 'stop' };
    case 'restart': return event.origin ?? { kind: 'command', by: 'restart' };
    case 'hold': case 'release': return { kind: 'dependency', by: event.dependency };
    case 'reload': return { kind: 'reload', by: null };
    case 'move': return { kind: 'command', by: 'rollout' };
    case 'adopt': return { kind: 'adopt', by: null };
    case 'signal': return { kind: 'signal', by: event.signal };
    case 'limit.exceeded': return { kind: 'limit', by: null };
    case 'probe.ok': case 'probe.bad': case 'probe.timeout': return { kind: 'probe', by: null };
    case 'process.spawned': case 'process.refused': case 'process.exited': case 'process.gone': return { kind: 'exit', by: null };
    default: return { kind: 'timer', by: null };
  }
}

/** The name under which the ledger keeps an instance of a unit. */
export function recordKey(unit: string, place: Place): string {
  return place === 'current' ? unit : `${unit}/${place}`;
}

/** A definition that comes with a command, or the present one. */
export function definedBy({ spec }: { readonly spec: ServiceSpec }, event: { readonly type: string; readonly spec?: ServiceSpec | null }): ServiceSpec {
  return ((event.type === 'reload' || event.type === 'restart') && event.spec) || spec;
}

/** Answers the command at hand at once. */
export function answered(
  { settled, spec }: Pick<ServiceContext, 'settled' | 'spec'>, event: object, { result, error }: Answer,
): Pick<ServiceContext, 'settled'> | Record<string, never> {
  if (!('ticket' in event) || typeof event.ticket !== 'number') return {};
  return { settled: [...settled, { ticket: event.ticket, unit: spec.name, result, error }] };
}

export type Answer = Pick<Settlement, 'result' | 'error'>;

export function answer(result: Settlement['result'], error: string | null = null) {
  return { type: 'answer', params: { result, error } } as const;
}
