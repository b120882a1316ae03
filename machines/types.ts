/**
 * The vocabulary of the machines: plain JSON data, shared by the charts and by everything that serves them.
 * Times named `at` are milliseconds of the monotonic clock; durations end in `Ms`; wall-clock instants end in `WallMs`.
 */

/** A POSIX signal by name, `SIGTERM`. */
export type SignalName = `SIG${string}`;

// ─── What a unit is ──────────────────────────────────────────────────────────────────────────────────────────────

/** How the program is started: an argument vector executed directly, or a text for `sh -c`. */
export type Launch =
  | { readonly kind: 'exec'; readonly argv: readonly string[] }
  | { readonly kind: 'shell'; readonly script: string };

export interface BackoffPolicy {
  readonly initialMs: number;
  readonly maxMs: number;
  /** Multiplier per consecutive failure; 1 is a constant backoff. */
  readonly factor: number;
  /** Share of the delay that chance may add or take, 0 … 1. */
  readonly jitter: number;
}

export interface RestartPolicy {
  readonly mode: 'always' | 'on-failure' | 'never';
  readonly oneshot: boolean;
  /** Restarts allowed after failures; `null` is unlimited. */
  readonly maxRestarts: number | null;
  /** With a window only the failures inside it count against `maxRestarts`. */
  readonly windowMs: number | null;
  readonly backoff: BackoffPolicy;
  /** Running (and ready) this long forgives earlier failures. */
  readonly stableAfterMs: number;
  readonly successExitCodes: readonly number[];
  readonly noRestartExitCodes: readonly number[];
}

export type DependencyCondition = 'started' | 'healthy' | 'completed';

export interface Dependency {
  readonly service: string;
  readonly condition: DependencyCondition;
  /** What a crash, an unhealthy finding or a restart of the dependency does to this unit while it runs. */
  readonly onRestart: 'ignore' | 'restart';
}

export type CheckProbe =
  | { readonly kind: 'command'; readonly command: string }
  | { readonly kind: 'url'; readonly url: string; readonly expectStatus: readonly number[] | null }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'log'; readonly pattern: string }
  | { readonly kind: 'notify'; readonly fd: number };

/** A check that waits for what the process itself says. */
export type Announced = Extract<CheckProbe, { kind: 'log' | 'notify' }>;

export function isAnnounced(probe: CheckProbe): probe is Announced {
  return probe.kind === 'log' || probe.kind === 'notify';
}

export interface HealthCheck {
  readonly probe: CheckProbe;
  readonly intervalMs: number;
  /** Overall limit of readiness, counted from the end of the start period. */
  readonly timeoutMs: number;
  /** How long one attempt may take; null: what is left of `timeout` for readiness, `timeout` for liveness. */
  readonly attemptTimeoutMs: number | null;
  /** Failures in a row that make a ready unit unhealthy; attempts of a deployment's check. */
  readonly retries: number;
  readonly startPeriodMs: number;
  readonly onUnhealthy: 'restart' | 'none';
}

export type HookStage = 'on_start' | 'on_stop' | 'on_restart';
export type HookOutcome = 'success' | 'error';

export interface HookSpec {
  readonly stage: HookStage;
  readonly outcome: HookOutcome;
  readonly command: string;
  readonly timeoutMs: number;
}

export interface BlueGreenSpec {
  readonly envVar: string;
  readonly slots: readonly [string, string];
  readonly switchCommand: string;
  readonly candidateCheck: HealthCheck | null;
  readonly switchVerify: HealthCheck | null;
  /** Absolute; `null` is the state directory's own file. */
  readonly statePath: string | null;
}

export interface DeploymentSpec {
  readonly strategy: 'immediate' | 'rolling';
  /** Gate of a rollout; falls back to the unit's own check. */
  readonly check: HealthCheck | null;
  readonly gracePeriodMs: number;
  readonly blueGreen: BlueGreenSpec | null;
  readonly onAddressInUse: 'replace' | 'fail';
}

export interface CronSpec {
  readonly expression: string;
  /** IANA name or `UTC`; `null` is the system's local zone. */
  readonly timezone: string | null;
  readonly overlap: 'skip' | 'queue' | 'replace';
  readonly timeoutMs: number | null;
  readonly catchUp: 'none' | 'last';
}

export interface SpawnSpec {
  readonly children: number;
  /** A child is allowed while its depth is below this. */
  readonly depth: number;
  readonly descendants: number;
  readonly totalMemoryBytes: number | null;
  readonly terminationPolicy: 'cascade' | 'orphan' | 'reparent';
}

/** A resource limit; `null` is unlimited, absence leaves what is inherited. */
export type LimitValue = number | null;

export interface PrivilegeSpec {
  readonly user: string | null;
  readonly group: string | null;
  readonly supplementaryGroups: readonly string[] | null;
  readonly capabilities: readonly string[];
  readonly limits: {
    readonly nofile?: LimitValue;
    readonly nproc?: LimitValue;
    readonly memlock?: LimitValue;
    readonly nice?: number;
    readonly cpuAffinity?: readonly number[];
    readonly cgroup?: {
      readonly root: string;
      readonly memoryMax?: string;
      readonly cpuMax?: string;
      readonly cpuWeight?: number;
    };
  };
  readonly isolation: {
    readonly network: boolean;
    readonly mount: boolean;
    readonly pid: boolean;
    readonly user: boolean;
  };
  /** Absent: no sandbox was asked for. */
  readonly sandbox?: {
    readonly noNewPrivileges: boolean;
    readonly readOnlyRoot: boolean;
    readonly privateTmp: boolean;
    /** Absolute directories that stay writable where `readOnlyRoot` closes all others. */
    readonly writable: readonly string[];
  };
}

export interface LogSpec {
  readonly via: 'pipe' | 'file';
  readonly rotate: { readonly sizeBytes: number; readonly keep: number; readonly compress: boolean };
  /** A command that gets the stream on its stdin instead of the log file. */
  readonly logger: string | null;
}

/** Everything the supervisor knows about a unit, resolved and frozen. Made by `src/config`, changed by nobody. */
export interface ServiceSpec {
  readonly name: string;
  /** systemg 0.33.0's identity: 16 hex digits, shown on the wire. */
  readonly hash: string;
  /** `process`: a change restarts the unit. `policy`: a change is taken over live. */
  readonly definition: { readonly process: string; readonly policy: string };
  /** As shown to people: the configured command, or the quoted argument vector. */
  readonly command: string;
  readonly launch: Launch;
  readonly projectDir: string;
  readonly workingDir: string;
  /** Variables laid over the inherited environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly stopSignal: SignalName;
  readonly stopTimeoutMs: number;
  /** Who gets the stop signal: the whole process group, or the main process alone and SIGKILL for all that is left after `stop_timeout`. */
  readonly killMode: 'group' | 'mixed';
  /** Run instead of the stop signal, within `stop_timeout`. */
  readonly stopCommand: string | null;
  readonly restart: RestartPolicy;
  /** When it fails for good, or ends as a one-shot, the supervisor stops everything. */
  readonly essential: boolean;
  readonly dependsOn: readonly Dependency[];
  readonly check: HealthCheck | null;
  readonly skip: boolean | string;
  readonly preStart: string | null;
  readonly hooks: readonly HookSpec[];
  readonly deployment: DeploymentSpec;
  readonly cron: CronSpec | null;
  /** `null` is a static unit: nothing may spawn children through it. */
  readonly spawn: SpawnSpec | null;
  readonly privileges: PrivilegeSpec;
  readonly logs: LogSpec;
}

// ─── Processes ───────────────────────────────────────────────────────────────────────────────────────────────────

export interface ProcessExit {
  readonly code: number | null;
  readonly signal: SignalName | null;
}

/** What proves that a process is the one we knew: the pid alone proves nothing. */
export interface ProcessIdentity {
  readonly pid: number;
  /** The kernel's start time, opaque: clock ticks since boot on Linux. */
  readonly startTime: string;
  readonly bootId: string;
}

/** What one process of a unit is for. `main` is the service itself, `child` was spawned by one through the socket. */
export type ProcessRole = 'main' | 'skip' | 'pre_start' | 'child';

/** The process a unit owns, from the order to start it until it was seen dead. */
export interface OwnedProcess {
  readonly generation: number;
  readonly role: Exclude<ProcessRole, 'child'>;
  readonly token: string;
  /** `null` until the start was reported. */
  readonly identity: ProcessIdentity | null;
  /** Not our child: its end is noticed, its exit status is not. */
  readonly adopted: boolean;
}

/** Reports of a process actor. `exited` speaks of the leader, `gone` of every process known to belong to it. */
export type ProcessReport =
  | { readonly type: 'process.spawned'; readonly generation: number; readonly at: number; readonly identity: ProcessIdentity }
  | { readonly type: 'process.refused'; readonly generation: number; readonly at: number; readonly reason: string }
  /** `exit` null: nobody saw how it ended, since it was not our child. */
  | { readonly type: 'process.exited'; readonly generation: number; readonly at: number; readonly exit: ProcessExit | null }
  /** `left`: what the leader had left running when it ended by itself, in words; absent when that was nothing. */
  | { readonly type: 'process.gone'; readonly generation: number; readonly at: number; readonly left?: readonly string[] };

/** Orders to a process actor. */
export type ProcessOrder =
  /** A stop was asked for: signal the group, search for those outside of it, report `gone` when nothing is found any more. */
  | { readonly type: 'stop'; readonly signal: SignalName }
  /** The leader ended by itself: the same for what it left. */
  | { readonly type: 'clear'; readonly signal: SignalName }
  /** SIGKILL to the group and to every holder of the token, as often as it is ordered. */
  | { readonly type: 'kill' }
  /** One signal to the leader, on behalf of a person. */
  | { readonly type: 'signal'; readonly signal: SignalName };

export type ProbeReport =
  | { readonly type: 'probe.ok'; readonly generation: number; readonly at: number }
  /** A ready unit failed `retries` attempts in a row. */
  | { readonly type: 'probe.bad'; readonly generation: number; readonly at: number; readonly reason: string }
  /** Readiness was not reached in time. `finding` follows the words "the check". */
  | { readonly type: 'probe.timeout'; readonly generation: number; readonly at: number; readonly reason: string; readonly attempts: number; readonly finding: string };

/** One attempt of a check; `reason` follows the words "the check". */
export type AttemptReport =
  | { readonly type: 'attempt.ok'; readonly at: number }
  | { readonly type: 'attempt.failed'; readonly at: number; readonly reason: string };

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

// ─── A unit's facts ──────────────────────────────────────────────────────────────────────────────────────────────

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

// ─── Rollouts ────────────────────────────────────────────────────────────────────────────────────────────────────

export type SlotIndex = 0 | 1;
/** From which slot to which a blue-green rollout leads. */
export interface SlotChange {
  readonly from: SlotIndex;
  readonly to: SlotIndex;
}

export type RolloutStep =
  | 'starting' | 'inquiring' | 'checking' | 'switching' | 'verifying' | 'recording' | 'grace' | 'retiring' | 'switching-back' | 'ending' | 'done';

/** What a rollout asks of the outside, one at a time. */
export type RolloutTask =
  /** Whether the last words of the candidate say that its address is in use. */
  | 'words'
  /** The deployment's check, up to `retries` attempts. */
  | 'gate'
  /** The switch command, then its check, then the file with the active slot. */
  | 'switch' | 'verify' | 'record'
  /** The switch command the other way round, and the file as it was. */
  | 'switch-back';

export type RolloutReport =
  /** `addressInUse`: of `words`. */
  | { readonly type: 'task.done'; readonly task: RolloutTask; readonly at: number; readonly addressInUse?: boolean }
  | { readonly type: 'task.failed'; readonly task: RolloutTask; readonly at: number; readonly reason: string };

/** `replace`: the candidate could not run beside the old one, which is to be replaced by a plain restart. */
export type RolloutResult = 'replaced' | 'kept' | 'replace';

export interface RolloutFacts {
  readonly unit: string;
  readonly step: RolloutStep;
  readonly slots: SlotChange | null;
  /** Null until it is done. */
  readonly result: RolloutResult | null;
  readonly reason: string | null;
  readonly at: number;
}

export type RolloutFact = { readonly type: 'rollout.changed'; readonly at: number; readonly facts: RolloutFacts; readonly switchOpen: boolean };

/** A rollout whose switch command may have run: what a later supervisor has to put back. */
export interface SwitchRecord {
  readonly unit: string;
  /** Of the candidate: once it is the unit's, the switch is no longer open. */
  readonly generation: number;
  readonly slots: SlotChange;
}

// ─── Spawned children ────────────────────────────────────────────────────────────────────────────────────────────

/** What a process inside a dynamic service's tree asks for. Who may ask is settled before. */
export interface SpawnOrder {
  /** The service in whose tree the parent is, and which of its processes: the child lives no longer than that one. */
  readonly unit: string;
  readonly generation: number;
  /** Of that process; the child carries it beside its own. */
  readonly token: string;
  /** The parent, when it was spawned through the socket itself. */
  readonly parent: string | null;
  readonly parentPid: number;
  readonly name: string;
  readonly argv: readonly string[];
  /** How long it may live; null without a limit. */
  readonly ttlMs: number | null;
  /** `RUST_LOG` of the child; null leaves it out. */
  readonly logLevel: string | null;
}

export type ChildState = 'spawning' | 'living' | 'clearing' | 'stopping' | 'killing' | 'gone';
/** Why a child is being ended: its time is over, its parent or its service ended, or the memory of all children is used up. */
export type ChildCause = 'ttl' | 'cascade' | 'service' | 'limit';

/** What the ledger keeps of a child. */
export interface ChildRecord {
  readonly id: string;
  readonly order: SpawnOrder;
  /** 1 is a direct child of the service. */
  readonly depth: number;
  /** Proves ownership, beside the service's token. */
  readonly token: string;
  readonly startedAt: number;
  /** `null` until the start was reported. */
  readonly identity: ProcessIdentity | null;
}

export interface ChildFacts {
  readonly child: string;
  readonly unit: string;
  readonly state: ChildState;
  readonly cause: ChildCause | null;
  readonly identity: ProcessIdentity | null;
  readonly exit: ProcessExit | null;
  /** It survives SIGKILL. */
  readonly stuck: boolean;
  readonly at: number;
}

export interface ChildAdoption {
  readonly record: ChildRecord;
  readonly alive: boolean;
}

// ─── Events ──────────────────────────────────────────────────────────────────────────────────────────────────────

/** What moved a unit, for the journal. `by` names the unit, signal or person's command behind it, where there is one. */
export interface Trigger {
  readonly kind: 'command' | 'exit' | 'probe' | 'dependency' | 'timer' | 'schedule' | 'reload' | 'boot' | 'adopt' | 'limit' | 'signal';
  readonly by: string | null;
}

/** Who asked. `ticket` is answered once, through the `settle` port. */
export interface Command {
  readonly at: number;
  readonly ticket: number | null;
}

export type DeadlineEvent = {
  [K in DeadlineKind]: { readonly type: `deadline.${K}`; readonly generation: number; readonly at: number };
}[DeadlineKind];

/** SIGKILL now to what is being ended: the time to follow the stop signal is over. */
export interface Hurry {
  readonly type: 'hurry';
  readonly at: number;
}

export type ServiceCommand =
  /** `origin`: not a person, but the first start, a reload that brought the unit, or a unit that needs it. `note`: goes into the answer when it succeeds. */
  | (Command & { readonly type: 'start'; readonly origin?: Trigger; readonly note?: string })
  /** Of a job's run alone: `goesOn`, the schedule is wanted as before, and so the record says; `followed`, those that wait for this run wait for the next one. */
  | (Command & { readonly type: 'stop'; readonly origin?: Trigger; readonly goesOn?: true; readonly followed?: true })
  /** `origin`: not a person, but a schedule. */
  | (Command & { readonly type: 'restart'; readonly spec: ServiceSpec | null; readonly origin?: Trigger; readonly note?: string })
  /** A dependency is not available. `stops`: end what runs until it is; `lost`: why it will not come by itself. */
  | { readonly type: 'hold'; readonly at: number; readonly dependency: string; readonly stops: boolean; readonly lost: string | null }
  | { readonly type: 'release'; readonly at: number; readonly dependency: string }
  /** `null`: the unit is no longer configured. */
  | { readonly type: 'reload'; readonly at: number; readonly spec: ServiceSpec | null }
  | { readonly type: 'signal'; readonly at: number; readonly signal: SignalName }
  | Hurry
  /** Another place among the unit's instances; `spec`: what it is from now on, null: as it was. */
  | { readonly type: 'move'; readonly at: number; readonly from: Place; readonly to: Place; readonly spec: ServiceSpec | null }
  /** The unit's queue of hooks is empty again. */
  | { readonly type: 'hooks.idle'; readonly at: number }
  | { readonly type: 'limit.exceeded'; readonly at: number; readonly generation: number; readonly reason: string }
  | { readonly type: 'adopt'; readonly at: number; readonly record: UnitRecord; readonly verdict: RecoveryVerdict };

export type ServiceEvent = ServiceCommand | ProcessReport | ProbeReport | DeadlineEvent;

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

/** Reports of the schedule to a cron unit. Instants are of the wall clock. */
export type ScheduleReport =
  | { readonly type: 'scheduled'; readonly at: number; readonly nextWallMs: number | null }
  | { readonly type: 'due'; readonly at: number; readonly instantWallMs: number };

/** One run of a cron unit as its machine knows it; the history adds the wall clock. */
export interface JobRun {
  readonly id: string;
  /** The instant it is the run of; null: asked for by a person. */
  readonly instantWallMs: number | null;
}

export type JobRunEnd =
  | { readonly kind: 'success'; readonly exit: ProcessExit | null }
  /** `reason` in 0.33.0's words. */
  | { readonly kind: 'failed'; readonly exit: ProcessExit | null; readonly reason: string };

/** `settlements`: the answers that the change brought about. */
export type ServiceFact =
  | { readonly type: 'unit.changed'; readonly at: number; readonly facts: UnitFacts; readonly settlements: readonly Settlement[] }
  /** Answers without a change. */
  | { readonly type: 'unit.settled'; readonly at: number; readonly unit: string; readonly settlements: readonly Settlement[] }
  | { readonly type: 'unit.removed'; readonly at: number; readonly unit: string; readonly place: Place; readonly settlements: readonly Settlement[] };

export type ChildFact = { readonly type: 'child.changed'; readonly at: number; readonly facts: ChildFacts; readonly settlements: readonly Settlement[] };

export interface AdoptOrder {
  readonly record: UnitRecord;
  readonly verdict: RecoveryVerdict;
}

/** `units: null` is every unit it can mean. */
export type SupervisorCommand =
  /** The first event: what recovery found, and which units to start. */
  | { readonly type: 'boot'; readonly at: number; readonly adopt: readonly AdoptOrder[]; readonly start: readonly string[]; readonly children?: readonly ChildAdoption[]; readonly switches?: readonly SwitchRecord[] }
  | (Command & { readonly type: 'start'; readonly units: readonly string[]; readonly origin?: Trigger })
  | (Command & { readonly type: 'stop'; readonly units: readonly string[] })
  | (Command & { readonly type: 'restart'; readonly units: readonly string[]; readonly specs: readonly ServiceSpec[] | null; readonly slots?: Readonly<Record<string, SlotIndex>> })
  /** Takes over a whole configuration: new units appear, missing ones go, changed ones change. New ones start. */
  | { readonly type: 'reload'; readonly at: number; readonly specs: readonly ServiceSpec[]; readonly slots?: Readonly<Record<string, SlotIndex>>; readonly ticket?: number | null }
  | { readonly type: 'shutdown'; readonly at: number; readonly ticket: number | null; readonly exitCode: number; readonly origin?: Trigger }
  /** While everything ends: what still ends gets SIGKILL at once, and so does what is to be ended later. */
  | Hurry
  | { readonly type: 'signal'; readonly at: number; readonly unit: string; readonly signal: SignalName }
  /** `usedBytes`: what all children of the service use now. The ticket is answered for the service. */
  | (Command & { readonly type: 'spawn'; readonly order: SpawnOrder; readonly usedBytes: number })
  /** Ends a child that uses more than its service's children may. */
  | { readonly type: 'child.limit'; readonly at: number; readonly child: string }
  /** The answer to `lookup` after a unit's actor threw. */
  | { readonly type: 'recovered'; readonly at: number; readonly unit: string; readonly adopt: AdoptOrder | null };

export type SupervisorEvent = SupervisorCommand | ServiceFact | ChildFact | RolloutFact;

/** What listeners of the root get. */
export type SupervisorFact =
  | Exclude<ServiceFact, { readonly type: 'unit.settled' }>
  | ChildFact
  | RolloutFact
  | { readonly type: 'unit.crashed'; readonly at: number; readonly unit: string; readonly error: string }
  | { readonly type: 'supervisor.ending'; readonly at: number; readonly because: string; readonly exitCode: number }
  /** Everything has ended. The root goes on to exist: to stop each of its actors would cost the square of their number. */
  | { readonly type: 'supervisor.ended'; readonly at: number; readonly exitCode: number };
