import type { OwnedProcess, ProcessExit } from './process-facts.ts';
import type { HookSpec, ServiceSpec } from './spec.ts';

/** What is known of a unit, and how it answers. */

export type Wanted = 'up' | 'down';
/** `waiting` is a cron unit's, between two runs. */
export type Phase = 'stopped' | 'starting' | 'running' | 'stopping' | 'backoff' | 'failed' | 'waiting';

/** The states of the service machine that have a name outside of it: in the ledger, the journal and on the wire. */
export const LEAVES = [
  'stopped', 'failed', 'waiting', 'backoff', 'preparing', 'spawning', 'starting', 'running', 'stopping', 'killing', 'clearing', 'removed',
] as const;

export type Leaf = (typeof LEAVES)[number];
/** Which of a unit's two instances an actor is while one replaces the other; `current` is the unit to everybody else. */
export type Place = 'current' | 'candidate' | 'retired';
/** Stands among the dependencies that hold a unit while it has a second instance. No unit can have this name. */
export const SECOND_INSTANCE = '/second instance';
/** Why a unit is being ended, or why its attempt failed. */
export type Cause = 'command' | 'restart' | 'reload' | 'hold' | 'unready' | 'unhealthy' | 'limit' | 'internal';
export type Outcome = 'none' | 'skipped' | 'completed' | 'failed';

/**
 * What the reason of an end speaks of: how the process ended, how a step before the process ended, that nothing could be started, what a check found, the
 * limit that was exceeded, a dependency that will not come, an end that nobody saw, an error of the supervisor.
 */
export type Blame = 'process' | 'step' | 'start' | 'check' | 'limit' | 'dependency' | 'unseen' | 'supervisor';

export type DeadlineKind = 'alive' | 'stable' | 'grace' | 'kill' | 'backoff' | 'task' | 'run' | 'ttl' | 'rollout' | 'probe';

export interface Deadline {
  readonly kind: DeadlineKind;
  readonly at: number;
}

/** What the ledger keeps of a unit: all that recovery needs, and nothing that it does not. */
export interface UnitRecord {
  /** The unit's name; of an instance that is not the current one the name, a slash and its place. */
  readonly unit: string;
  readonly hash: string;
  /** Whether it is a cron unit's; absent where that is not known: in records of earlier versions and of what was taken over. */
  readonly cron?: boolean;
  /** Of its process, or of the last one that it had. */
  readonly definition: { readonly process: string; readonly policy: string };
  readonly wanted: Wanted;
  readonly state: Leaf;
  readonly cause: Cause | null;
  readonly generation: number;
  readonly process: OwnedProcess | null;
  readonly outcome: Outcome;
  readonly exit: ProcessExit | null;
  readonly reason: string | null;
  readonly failures: readonly number[];
  readonly streak: number;
  readonly restarts: number;
  readonly deadline: Deadline | null;
  readonly since: number;
}

/**
 * What recovery found out about a record: `alive` the same process lives; `dead` it does not; `unborn` the intent to
 * start was never carried out; `rest` the record owns no process.
 */
export type RecoveryVerdict = 'alive' | 'dead' | 'unborn' | 'rest';

export interface AdoptOrder {
  readonly record: UnitRecord;
  readonly verdict: RecoveryVerdict;
}

/** What moved a unit, for the journal. `by` names the unit, signal or person's command behind it, where there is one. */
export interface Trigger {
  readonly kind: 'command' | 'exit' | 'probe' | 'dependency' | 'timer' | 'schedule' | 'reload' | 'boot' | 'adopt' | 'limit' | 'signal';
  readonly by: string | null;
}

export type TicketKind = 'start' | 'stop' | 'restart';

export interface Ticket {
  readonly id: number;
  readonly kind: TicketKind;
  readonly note?: string;
}

/** How one unit's part of a command ended. `error` null is success. */
export interface Settlement {
  readonly ticket: number;
  readonly unit: string;
  readonly result: 'started' | 'already-running' | 'completed' | 'skipped' | 'stopped' | 'failed';
  readonly error: string | null;
  /** What else there is to say of a success. */
  readonly note?: string;
}

/** The public facts of a unit at one moment, reported to the root and to listeners. */
export interface UnitFacts {
  readonly unit: string;
  readonly place: Place;
  readonly state: Leaf;
  readonly phase: Phase;
  readonly wanted: Wanted;
  /** `null`: has no check. */
  readonly ready: boolean | null;
  readonly outcome: Outcome;
  readonly cause: Cause | null;
  readonly generation: number;
  /** The last known end of the service itself. */
  readonly exit: ProcessExit | null;
  /** How this generation's leader ended; null: it has not, or nobody saw it. */
  readonly ended: ProcessExit | null;
  readonly reason: string | null;
  /** Of the reason of an end; null where the reason is none, or comes from another supervisor's record. */
  readonly blame: Blame | null;
  /** What this generation's leader had left running when it ended by itself, in words. */
  readonly left: readonly string[];
  readonly restarts: number;
  /** SIGKILL was ordered and the process is still there. */
  readonly stuck: boolean;
  readonly pid: number | null;
  /** Failures in a row. */
  readonly failures: number;
  readonly deadline: Deadline | null;
  readonly trigger: Trigger;
  /** The name of the event that moved it. */
  readonly event: string;
  readonly at: number;
}

/** `settlements`: the answers that the change brought about. */
export type ServiceFact =
  | { readonly type: 'unit.changed'; readonly at: number; readonly facts: UnitFacts; readonly settlements: readonly Settlement[] }
  /** Answers without a change. */
  | { readonly type: 'unit.settled'; readonly at: number; readonly unit: string; readonly settlements: readonly Settlement[] }
  | { readonly type: 'unit.removed'; readonly at: number; readonly unit: string; readonly place: Place; readonly settlements: readonly Settlement[] };

/** One run of a hook, with what its environment says. */
export interface HookRun {
  readonly unit: string;
  readonly spec: ServiceSpec;
  readonly hook: HookSpec;
  readonly pid: number | null;
  readonly exit: ProcessExit | null;
  /** Which attempt in a row this is, from 1. */
  readonly attempt: number;
  readonly cause: Cause | null;
}
