import type { AnyActorRef, StateValue } from 'xstate';
import { killAgainMs } from './ending.ts';
import { describeExit, leftBehind } from './ends.ts';
import { countFailures, delay, draw, isClean, judge, type Verdict } from './policy.ts';
import { LEAVES } from './types.ts';
import type {
  Blame, Cause, Deadline, DeadlineKind, HookOutcome, HookRun, HookStage, Leaf, Outcome, OwnedProcess, Place, ProcessExit, ServiceEvent, ServiceSpec, Settlement, Ticket, Trigger,
  Wanted,
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

const ALIVE_MS = 50;
const TASK_LIMIT_MS = { skip: 30_000, pre_start: 600_000 } as const;
const REFUSED_BACKOFF_MS = 1_000;
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

/** The step of the preparation that the process at hand is; null while the service itself is meant. */
function stepOf({ process }: ServiceContext): 'skip' | 'pre_start' | null {
  return process === null || process.role === 'main' ? null : process.role;
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

// ─── Hooks ───────────────────────────────────────────────────────────────────────────────────────────────────────────

/** The hooks that the end of an attempt calls for. Preparations, skips and what never had a process call for none. */
export function endHooks(context: ServiceContext): readonly HookRun[] {
  const { cause, hasRun, automatic, place } = context;
  // Of two instances only the end of the unit itself is the end of the service.
  if (place === 'retired' || (place === 'candidate' && hasRun)) return [];
  const born = context.process?.identity != null;
  const ordered = isOrdered(cause);
  if (stepOf(context) !== null || (!born && (ordered || !context.refused))) return [];
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

// ─── Instances ───────────────────────────────────────────────────────────────────────────────────────────────────────

/** The name under which the ledger keeps an instance of a unit. */
export function recordKey(unit: string, place: Place): string {
  return place === 'current' ? unit : `${unit}/${place}`;
}

/** Without a backoff, what ends again and again before it counts as started would keep the machine busy with nothing else: milliseconds, 10 to 1000. */
function afterQuickEnds({ streak, restarts }: ServiceContext): number {
  return Math.min(1000, 10 * 2 ** Math.min(7, streak > 0 ? streak - 1 : restarts));
}

/** How long a deadline waits, and the seed after chance was drawn for it. */
export function waitFor(kind: ServiceDeadline, context: ServiceContext): { readonly afterMs: number; readonly seed: number } {
  const { spec, seed } = context;
  switch (kind) {
    case 'alive': return { afterMs: ALIVE_MS, seed };
    case 'stable': return { afterMs: spec.restart.stableAfterMs, seed };
    case 'grace': return { afterMs: spec.stopTimeoutMs, seed };
    case 'task': return { afterMs: TASK_LIMIT_MS[stepOf(context) ?? 'pre_start'], seed };
    case 'kill': return { afterMs: killAgainMs(context.killsOrdered), seed };
    case 'backoff': {
      const drawn = draw(seed);
      const afterMs = delay(context.streak, spec.restart.backoff, drawn.chance);
      if (context.refused) return { afterMs: Math.max(REFUSED_BACKOFF_MS, afterMs), seed: drawn.seed };
      return { afterMs: afterMs === 0 && !context.hasRun ? afterQuickEnds(context) : afterMs, seed: drawn.seed };
    }
  }
}

// ─── Ends ────────────────────────────────────────────────────────────────────────────────────────────────────────────

const FAILING: readonly (Cause | null)[] = ['unready', 'unhealthy', 'limit', 'internal'];

/** Whether a command, a new definition or a dependency ends the unit. */
export function isOrdered(cause: Cause | null): boolean {
  return cause === 'command' || cause === 'restart' || cause === 'reload' || cause === 'hold';
}

/** Whether the attempt that just ended counts as a failure. */
export function hasFailed(context: ServiceContext): boolean {
  return FAILING.includes(context.cause) || context.refusal !== null || stepOf(context) !== null || !isClean(context.ended, context.spec.restart);
}

/** What follows an end that nobody ordered. */
export function verdictOf(context: ServiceContext, at: number): Verdict {
  const { spec, cause, ended, refusal } = context;
  if (cause === 'internal') return 'give-up';
  const unseen = ended === null && refusal === null && !FAILING.includes(cause);
  if (unseen && spec.restart.oneshot) return 'give-up';
  const end = { exit: ended, failed: hasFailed(context), forced: cause === 'unhealthy' };
  return judge(end, countFailures(context.streak, context.failures, spec.restart, at), spec.restart);
}

/** The end of the attempt at hand, in words that follow "because". */
export function describeEnd(context: ServiceContext): string {
  const { refusal, cause, ended, left, spec } = context;
  if (refusal !== null) return refusal;
  if (cause === 'internal') return 'the supervisor failed while it looked after the unit';
  if (ended === null) return spec.restart.oneshot ? 'interrupted' : 'ended while nobody watched; its exit status is unknown';
  const how = describeExit(ended, stepOf(context) ?? 'process');
  return left.length === 0 ? how : `${how} and ${leftBehind(left, ended)}`;
}

/** What the words of `describeEnd` speak of. */
export function blameOf(context: ServiceContext): Blame {
  const { refusal, refused, cause, ended } = context;
  if (refused) return 'start';
  if (cause === 'limit') return 'limit';
  if (cause === 'unready' || cause === 'unhealthy') return 'check';
  if (refusal !== null) return 'step';
  if (cause === 'internal') return 'supervisor';
  if (ended === null) return 'unseen';
  return stepOf(context) === null ? 'process' : 'step';
}

// ─── Recovery ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Where an adopted unit goes on. `ending` and `ended`: followed by rest, another start, a hold or a judgement. */
export type Survival =
  | 'probed' | 'running' | 'pending' | 'backoff' | 'failed' | 'stopped'
  | `ending, then ${Afterwards}` | `ended, then ${Afterwards}`;
export type Afterwards = 'rest' | 'again' | 'hold' | 'judge';
type Adoption = Extract<ServiceEvent, { type: 'adopt' }>;

export function resumeFrom(context: ServiceContext, event: Adoption): Partial<ServiceContext> {
  const { record, verdict } = event;
  const survival = survivalOf(context, event);
  const owned = record.process;
  return {
    wanted: record.wanted, generation: record.generation, outcome: record.outcome, reason: record.reason, failures: record.failures,
    streak: record.streak, restarts: record.restarts, resumed: record.deadline, leaderEnded: false, ended: null, left: [], since: record.since,
    exit: owned === null ? record.exit : null,
    // One that is dead is kept for the judgement alone.
    process: owned === null || verdict === 'unborn' ? null : verdict === 'alive' ? { ...owned, adopted: true } : { ...owned, identity: null },
    cause: survival.startsWith('ending') ? (record.cause ?? (record.wanted === 'down' ? 'command' : 'reload')) : survival.startsWith('ended') ? record.cause : null,
  };
}

export function survivalOf(context: ServiceContext, { record, verdict }: Adoption): Survival {
  const up = record.wanted === 'up';
  const same = record.definition.process === context.spec.definition.process;
  if (verdict === 'alive') {
    const serves = record.process?.role === 'main' && ['spawning', 'starting', 'running'].includes(record.state);
    if (!up || !same || !serves) return `ending, then ${afterwardsOf(record.wanted, record.cause ?? 'reload')}`;
    return context.spec.check === null ? 'running' : 'probed';
  }
  if (verdict === 'dead') return `ended, then ${afterwardsOf(record.wanted, record.cause)}`;
  if (!up) return 'stopped';
  if (verdict === 'unborn') return 'pending';
  if (record.state === 'stopped') return 'stopped';
  if (record.state === 'failed') return same ? 'failed' : 'pending';
  return record.state === 'backoff' && same ? 'backoff' : 'pending';
}

function afterwardsOf(wanted: Wanted, cause: Cause | null): Afterwards {
  if (wanted === 'down') return 'rest';
  if (cause === 'restart' || cause === 'reload' || cause === 'command') return 'again';
  return cause === 'hold' ? 'hold' : 'judge';
}
