import type { HealthCheck } from './check.ts';

/** What a unit is: everything that is resolved from the file of the user. */

/** A POSIX signal by name, `SIGTERM`. */
export type SignalName = `SIG${string}`;

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
