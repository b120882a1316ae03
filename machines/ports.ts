import { fromCallback, type AnyActorRef } from 'xstate';
import type { HealthCheck } from './check.ts';
import type { ChildRecord } from './child-facts.ts';
import type { JobRun, JobRunEnd } from './job-facts.ts';
import type { ProcessIdentity, ProcessOrder, ProcessRole } from './process-facts.ts';
import type { RolloutTask, SlotChange, SwitchRecord } from './rollout-facts.ts';
import type { CronSpec, ServiceSpec } from './spec.ts';
import type { DeadlineKind, HookRun, Settlement, UnitRecord } from './unit-facts.ts';

/**
 * What the machines need from the outside. Each port is a placeholder that refuses to work: the composition root
 * provides the real one, tests and the simulation a scripted one.
 */

/** One process of a unit, started or adopted. */
export interface ProcessInput {
  readonly spec: ServiceSpec;
  readonly generation: number;
  readonly role: ProcessRole;
  /** Proves ownership: in the environment of the process and of all it starts. */
  readonly token: string;
  /** A living process to take over instead of starting one. */
  readonly adopt: ProcessIdentity | null;
  /** The token of the process this one is a part of: carried before its own. */
  readonly within?: string;
}

export interface ProbeInput {
  readonly spec: ServiceSpec;
  readonly generation: number;
  readonly check: HealthCheck;
  readonly pid: number;
}

/** Reports `ProcessReport`, takes `ProcessOrder`. Ending the actor ends the watching, never the process. */
export const processPort = fromCallback<ProcessOrder, ProcessInput>(() => notProvided('process'));

/** Knows processes that belong to no unit. Obeys `ProcessOrder`, reports `process.gone` (any generation). Ending the actor ends the watching alone. */
export const custodyPort = fromCallback<ProcessOrder>(() => notProvided('custody'));

/** Reports `ProbeReport`: first readiness, then liveness until it is ended. */
export const probePort = fromCallback<{ type: 'never' }, ProbeInput>(() => notProvided('probe'));

export interface AttemptInput {
  readonly spec: ServiceSpec;
  readonly check: HealthCheck;
  /** Milliseconds after which it has failed. */
  readonly limitMs: number;
}

/** One attempt of a check, or the wait for what the process says of itself. Reports one `AttemptReport`. Ending the actor calls it off. */
export const attemptPort = fromCallback<{ type: 'never' }, AttemptInput>(() => notProvided('attempt'));

export interface RolloutTaskInput {
  readonly task: RolloutTask;
  /** Of the candidate, its slot in it. */
  readonly spec: ServiceSpec;
  readonly slots: SlotChange | null;
}

/** Reports one `RolloutReport`. Ending the actor calls the task off. */
export const rolloutTaskPort = fromCallback<{ type: 'never' }, RolloutTaskInput>(() => notProvided('rollout task'));

/** What recovery has to know of open switches. Throws nothing. */
export interface SwitchLedgerPort {
  recordSwitch(record: SwitchRecord): void;
  forgetSwitch(unit: string): void;
}

/** A deadline to arm: the clock sends `deadline.<kind>` with the generation to `target`, not before `at`. */
export interface ArmParams {
  readonly target: AnyActorRef;
  readonly kind: DeadlineKind;
  readonly generation: number;
  readonly at: number;
}

/** An actor has one deadline at a time: arming replaces, disarming forgets. */
export interface ClockPort {
  arm(params: ArmParams): void;
  disarm(target: AnyActorRef): void;
}

/** What recovery has to know of spawned children. Throws nothing. */
export interface ChildLedgerPort {
  recordChild(record: ChildRecord): void;
  forgetChild(child: string): void;
}

export interface LedgerPort {
  /** `durable`: the operator's intent, to be on disk before anything follows. Throws nothing. */
  record(record: UnitRecord, durable: boolean): void;
  forget(unit: string): void;
}

/** A queue per unit, one run at a time. `target` is sent `hooks.idle` each time its queue has run empty. */
export interface HookPort {
  queue(runs: readonly HookRun[], target: AnyActorRef): void;
}

/** Sends `ScheduleReport`s to the target while it watches; the first watch of a unit may catch up an instant that was missed. */
export interface SchedulePort {
  /** `runGoesOn`: a run that another supervisor began, to which instants may have come that `overlap` kept for later. */
  watch(target: AnyActorRef, unit: string, cron: CronSpec, runGoesOn?: boolean): void;
  unwatch(target: AnyActorRef): void;
}

/** The history of cron runs. A run that was begun is ended once; an overlap is a record of its own. */
export interface RunHistoryPort {
  began(unit: string, run: JobRun): void;
  /** Its process is known. */
  running(unit: string, run: JobRun, pid: number): void;
  ended(unit: string, run: JobRun, end: JobRunEnd): void;
  overlapped(unit: string, instantWallMs: number): void;
}

export interface TicketPort {
  settle(settlement: Settlement): void;
}

/** Asks the outside for what the ledger and the kernel know of a unit; answered by `recovered`. */
export interface LookupPort {
  lookup(unit: string, root: AnyActorRef): void;
}

export function notProvided(port: string): never {
  throw new Error(`the ${port} port is not provided`);
}
