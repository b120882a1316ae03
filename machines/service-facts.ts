import type { AnyActorRef } from 'xstate';
import { countFailures, delay, draw, isClean, judge, type Verdict } from './policy.ts';
import { SECOND_INSTANCE } from './types.ts';
import type {
  Cause, Deadline, DeadlineKind, HookOutcome, HookRun, HookStage, Leaf, Outcome, OwnedProcess, Phase, Place, ProcessExit, ProcessRole, ServiceEvent, ServiceSpec, Ticket, Trigger, UnitFacts,
  UnitRecord, Wanted,
} from './types.ts';

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
  /** Is told every `ServiceFact`. */
  readonly parent: AnyActorRef | null;
}

export interface ServiceContext {
  readonly parent: AnyActorRef | null;
  readonly tokenBase: string;
  readonly place: Place;
  readonly spec: ServiceSpec;
  /** Taken at the next settling. */
  readonly nextSpec: ServiceSpec | null;
  readonly removed: boolean;
  readonly wanted: Wanted;
  /** Unavailable dependencies; a text says why one will not come by itself. */
  readonly held: Readonly<Record<string, string | null>>;
  readonly generation: number;
  readonly process: OwnedProcess | null;
  /** The step of the preparation that runs or failed; null while the service itself is meant. */
  readonly step: Exclude<ProcessRole, 'main' | 'child'> | null;
  readonly cause: Cause | null;
  /** Why an attempt could not begin, or was ended, in words. */
  readonly refusal: string | null;
  /** The program could not be started at all. */
  readonly refused: boolean;
  /** How the leader at hand ended; null: not yet, or nobody saw it. */
  readonly ended: ProcessExit | null;
  /** The last known end of the service itself. */
  readonly exit: ProcessExit | null;
  readonly reason: string | null;
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
  readonly leaf: Leaf;
  /** When the present phase began. */
  readonly since: number;
  readonly seed: number;
}

/** The deadlines that the service machine itself waits for. */
export type ServiceDeadline = Exclude<DeadlineKind, 'ttl' | 'rollout' | 'probe'>;

const ALIVE_MS = 50;
const TASK_LIMIT_MS = { skip: 30_000, pre_start: 600_000 } as const;
const KILL_AGAIN_MS = { first: 2_000, most: 30_000 } as const;
const REFUSED_BACKOFF_MS = 1_000;

const PHASES: Readonly<Record<Leaf, Phase>> = {
  stopped: 'stopped', failed: 'failed', waiting: 'starting', preparing: 'starting', spawning: 'starting', starting: 'starting',
  running: 'running', stopping: 'stopping', killing: 'stopping', clearing: 'stopping', parting: 'stopping', settling: 'stopping', backoff: 'backoff',
  removed: 'stopped',
};

export function phaseOf(leaf: Leaf): Phase {
  return PHASES[leaf];
}

/** The moment an event speaks of; null for XState's own. */
export function momentOf(event: object): number | null {
  return 'at' in event && typeof event.at === 'number' ? event.at : null;
}

export function actorId(context: ServiceContext): string {
  const { process } = context;
  if (process === null) return 'process.none';
  return process.role === 'main' ? `process.${process.generation}` : `task.${process.generation}.${process.role}`;
}

export function firstStep(spec: ServiceSpec): 'skip' | 'pre_start' | null {
  if (typeof spec.skip === 'string') return 'skip';
  return spec.preStart === null ? null : 'pre_start';
}

export function lostReason(context: ServiceContext): string | null {
  return Object.values(context.held).find((reason) => reason !== null) ?? null;
}

export function factsOf(context: ServiceContext, event: ServiceEvent, at: number): UnitFacts {
  const { spec, leaf, wanted, ready, outcome, cause, generation, exit, ended, reason, restarts, streak, deadline, process } = context;
  return {
    unit: spec.name, place: context.place, state: leaf, phase: phaseOf(leaf), wanted, ready, outcome, cause, generation, exit, ended, reason, restarts,
    stuck: leaf === 'killing' && context.killsOrdered > 1, pid: process?.identity?.pid ?? null, failures: streak, deadline, trigger: triggerOf(event), event: event.type, at,
  };
}

/** What moved the unit, read from the event that did. */
export function triggerOf(event: ServiceEvent): Trigger {
  switch (event.type) {
    case 'start': return event.origin ?? { kind: 'command', by: 'start' };
    case 'stop': return event.origin ?? { kind: 'command', by: 'stop' };
    case 'restart': return { kind: 'command', by: 'restart' };
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

/** The hooks that the end of an attempt calls for. Preparations, skips and what never had a process call for none. */
export function endHooks(context: ServiceContext): readonly HookRun[] {
  const { cause, step, hasRun, automatic, place } = context;
  // Of two instances only the end of the unit itself is the end of the service.
  if (place === 'retired' || (place === 'candidate' && hasRun)) return [];
  const born = context.process?.identity != null;
  const ordered = cause === 'command' || cause === 'restart' || cause === 'reload' || cause === 'hold';
  if (step !== null || (!born && (ordered || !context.refused))) return [];
  const failed = !ordered && hasFailed(context);
  if (hasRun || ordered) return hookRuns(context, 'on_stop', failed ? 'error' : 'success');
  return [
    ...hookRuns(context, 'on_start', failed ? 'error' : 'success'),
    ...(automatic ? hookRuns(context, 'on_restart', failed ? 'error' : 'success') : []),
  ];
}

export function startHooks(context: ServiceContext): readonly HookRun[] {
  return [...hookRuns(context, 'on_start', 'success'), ...(context.automatic ? hookRuns(context, 'on_restart', 'success') : [])];
}

function hookRuns(context: ServiceContext, stage: HookStage, outcome: HookOutcome): readonly HookRun[] {
  const { spec, process, ended, streak, cause } = context;
  return spec.hooks.filter((hook) => hook.stage === stage && hook.outcome === outcome).map((hook) => ({
    unit: spec.name, spec, hook, pid: process?.identity?.pid ?? null, exit: ended, attempt: streak + 1, cause,
  }));
}

/** Under which name the ledger keeps an instance of a unit. */
export function recordKey(unit: string, place: Place): string {
  return place === 'current' ? unit : `${unit}/${place}`;
}

/** A second instance of the unit is there: it comes to rest only with that one. */
export function hasSecondInstance(context: ServiceContext): boolean {
  return context.place === 'current' && Object.hasOwn(context.held, SECOND_INSTANCE);
}

/** The current instance wants what the operator wants; a retired one is down when it ends, and is held from coming back. */
export function moved(context: ServiceContext, to: Place, spec: ServiceSpec | null): Partial<ServiceContext> {
  return { place: to, spec: spec ?? context.spec, wanted: to === 'retired' ? 'down' : 'up', held: { ...context.held, [SECOND_INSTANCE]: null } };
}

export function recordOf(context: ServiceContext): UnitRecord {
  const { spec, wanted, leaf, cause, generation, process, outcome, exit, reason, failures, streak, restarts, deadline, since } = context;
  return {
    unit: recordKey(spec.name, context.place), hash: spec.hash, definition: spec.definition, wanted, state: leaf, cause, generation, process, outcome, exit, reason,
    failures, streak, restarts, deadline, since,
  };
}

/** How long what was ordered to be killed may go on before it is ordered again. */
export function killAgainMs(killsOrdered: number): number {
  return Math.min(KILL_AGAIN_MS.most, KILL_AGAIN_MS.first * 2 ** Math.max(0, killsOrdered - 1));
}

/** How long a deadline waits, and the seed after chance was drawn for it. */
export function waitFor(kind: ServiceDeadline, context: ServiceContext): { readonly afterMs: number; readonly seed: number } {
  const { spec, seed } = context;
  switch (kind) {
    case 'alive': return { afterMs: ALIVE_MS, seed };
    case 'stable': return { afterMs: spec.restart.stableAfterMs, seed };
    case 'run': return { afterMs: spec.cron?.timeoutMs ?? 0, seed };
    case 'grace': return { afterMs: spec.stopTimeoutMs, seed };
    case 'task': return { afterMs: TASK_LIMIT_MS[context.step ?? 'pre_start'], seed };
    case 'kill':
      return { afterMs: killAgainMs(context.killsOrdered), seed };
    case 'backoff': {
      const drawn = draw(seed);
      const afterMs = delay(context.streak, spec.restart.backoff, drawn.chance);
      return { afterMs: context.refused ? Math.max(REFUSED_BACKOFF_MS, afterMs) : afterMs, seed: drawn.seed };
    }
  }
}

const FAILING: readonly (Cause | null)[] = ['unready', 'unhealthy', 'limit', 'internal'];

/** Whether the attempt that just ended counts as a failure. */
export function hasFailed(context: ServiceContext): boolean {
  return FAILING.includes(context.cause) || context.refusal !== null || context.step !== null || !isClean(context.ended, context.spec.restart);
}

/** What follows an end that nobody ordered; asked while settling. */
export function verdictOf(context: ServiceContext, at: number): Verdict {
  const { spec, cause, ended, refusal } = context;
  if (cause === 'internal') return 'give-up';
  const unseen = ended === null && refusal === null && !FAILING.includes(cause);
  if (unseen && spec.restart.oneshot) return 'give-up';
  const end = { exit: context.step === null ? ended : null, failed: hasFailed(context), forced: cause === 'unhealthy' };
  return judge(end, countFailures(context.streak, context.failures, spec.restart, at), spec.restart);
}

/** How a process ended, in words. */
export function inSeconds(ms: number): string {
  return `${Math.round(ms / 10) / 100} s`;
}

export function describeExit({ code, signal }: ProcessExit, subject = 'process'): string {
  if (signal !== null) return `${subject} terminated by signal ${signal}`;
  const meaning = code === 127 ? ' (command not found)' : code === 126 ? ' (command cannot be executed)' : '';
  return `${subject} exited with status ${code}${meaning}`;
}

/** The end of the attempt at hand, in words that follow "because". */
export function describeEnd(context: ServiceContext): string {
  const { refusal, cause, ended, step, spec } = context;
  if (refusal !== null) return refusal;
  if (cause === 'internal') return 'the supervisor failed while it looked after the unit';
  if (ended === null) return spec.restart.oneshot ? 'interrupted' : 'ended while nobody watched; its exit status is unknown';
  return describeExit(ended, step ?? 'process');
}

/** Why a start is answered with an error now. */
export function failedUnwatched(context: ServiceContext): string {
  if (context.removed) return 'removed from the configuration';
  if (context.leaf === 'killing') return `pid ${context.process?.identity?.pid ?? '?'} survives SIGKILL (state D)`;
  if (context.leaf === 'waiting') return lostReason(context) ?? 'a dependency is not available';
  return context.reason ?? describeEnd(context);
}

// ─── Recovery ────────────────────────────────────────────────────────────────────────────────────────────────────

/** Where an adopted unit goes on. */
export type Survival = 'probed' | 'running' | 'unwanted' | 'dead' | 'pending' | 'backoff' | 'failed' | 'stopped';
type Adoption = Extract<ServiceEvent, { type: 'adopt' }>;

export function isSurvival(context: ServiceContext, event: Adoption, as: Survival): boolean {
  return survivalOf(context, event) === as;
}

export function resumeFrom(context: ServiceContext, event: Adoption): Partial<ServiceContext> {
  const { record, verdict } = event;
  const survival = survivalOf(context, event);
  const owned = record.process;
  return {
    wanted: record.wanted, generation: record.generation, outcome: record.outcome, reason: record.reason, failures: record.failures,
    streak: record.streak, restarts: record.restarts, resumed: record.deadline, ended: null,
    // A phase that goes on did not begin with us.
    leaf: record.state, since: record.since,
    exit: owned === null ? record.exit : null,
    process: verdict === 'alive' && owned !== null ? { ...owned, adopted: true } : null,
    step: owned !== null && owned.role !== 'main' ? owned.role : null,
    cause: survival === 'unwanted' ? (record.cause ?? (record.wanted === 'down' ? 'command' : 'reload')) : survival === 'dead' ? record.cause : null,
  };
}

function survivalOf(context: ServiceContext, event: Adoption): Survival {
  const { record, verdict } = event;
  const up = record.wanted === 'up';
  const same = record.definition.process === context.spec.definition.process;
  if (verdict === 'alive') {
    const serves = record.process?.role === 'main' && ['spawning', 'starting', 'running'].includes(record.state);
    if (!up || !same || !serves) return 'unwanted';
    return context.spec.check === null ? 'running' : 'probed';
  }
  if (verdict === 'dead') return 'dead';
  if (!up) return 'stopped';
  if (verdict === 'unborn') return 'pending';
  if (record.state === 'stopped') return 'stopped';
  if (record.state === 'failed') return same ? 'failed' : 'pending';
  return record.state === 'backoff' && same ? 'backoff' : 'pending';
}
