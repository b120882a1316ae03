/**
 * What travels inside answers. Keys and their order are systemg 0.33.0's, ours follow them; optional keys are absent
 * when there is no value, `null` is written where the type says so. `Time` is RFC 3339 in UTC.
 */
export type Time = string;

export type OverallHealth = 'healthy' | 'degraded' | 'failing';
export type UnitHealth = OverallHealth | 'inactive';
export type UnitKind = 'service' | 'cron' | 'orphaned';
export type Lifecycle = 'running' | 'skipped' | 'exited_successfully' | 'exited_with_error' | 'stopped';
export type UnitPhase = 'stopped' | 'starting' | 'running' | 'stopping' | 'backoff' | 'failed' | 'waiting';

export interface StatusSnapshot {
  readonly schema_version: string;
  readonly captured_at: Time;
  readonly overall_health: OverallHealth;
  readonly units: readonly UnitStatus[];
}

export interface UnitStatus {
  readonly name: string;
  /** 16 lower-case hex digits, or the name of an orphan that is known by name only. */
  readonly hash: string;
  readonly kind: UnitKind;
  readonly lifecycle?: Lifecycle;
  readonly health: UnitHealth;
  readonly process?: ProcessRuntime;
  readonly uptime?: UptimeInfo;
  readonly last_exit?: ExitMetadata;
  readonly cron?: CronUnitStatus;
  readonly metrics?: UnitMetricsSummary;
  /** As configured. */
  readonly command?: string;
  /** As the kernel shows it. */
  readonly runtime_command?: string;
  readonly spawned_children?: readonly SpawnedProcessNode[];
  // Below: ours, unknown to 0.33.0.
  readonly phase?: UnitPhase;
  readonly wanted?: 'up' | 'down';
  /** Absent without a check. */
  readonly ready?: boolean;
  readonly generation?: number;
  /** Since the last manual start. */
  readonly restarts?: number;
  /** When the phase began. */
  readonly since?: Time;
  /** Next retry or next cron run. */
  readonly next_at?: Time;
  /** Journal sequence number. */
  readonly last_event?: number;
  /** Dependencies it waits for; `lost` says why one will not come by itself. Absent when there are none. */
  readonly waits_for?: readonly WaitsFor[];
  /** While the unit is being replaced beside itself. */
  readonly rollout?: RolloutStatus;
}

/** The instance beside the unit: the `candidate` that is to replace it, or the `retired` one on its way out. */
export interface RolloutStatus {
  readonly step: string;
  readonly instance: 'candidate' | 'retired';
  readonly phase: UnitPhase;
  readonly generation: number;
  readonly pid?: number;
  /** Indices of the slots it leads from and to; absent without slots. */
  readonly slots?: readonly [number, number];
}

export interface WaitsFor {
  readonly unit: string;
  readonly lost?: string;
}

export interface ProcessRuntime {
  readonly pid: number;
  readonly state: 'running' | 'zombie' | 'missing';
  readonly user?: string;
}

export interface UptimeInfo {
  readonly seconds: number;
  readonly human: string;
  readonly started_at?: Time;
}

export interface ExitMetadata {
  readonly exit_code?: number;
  readonly signal?: number;
}

/** Over all processes of the unit and every sample that is kept. CPU in percent of one core. */
export interface UnitMetricsSummary {
  readonly latest_cpu_percent: number;
  readonly average_cpu_percent: number;
  readonly max_cpu_percent: number;
  readonly latest_rss_bytes: number;
  readonly samples: number;
  // Below: ours, unknown to 0.33.0.
  readonly average_rss_bytes?: number;
  readonly max_rss_bytes?: number;
}

export interface CronUnitStatus {
  readonly timezone_label: string;
  readonly timezone?: string;
  readonly last_run?: CronExecutionSummary;
  /** Newest first, at most 10. */
  readonly recent_runs?: readonly CronExecutionSummary[];
}

export type CronRunStatus = 'Success' | 'OverlapError' | { readonly Failed: string };

export interface CronExecutionSummary {
  readonly started_at: Time;
  readonly completed_at?: Time;
  readonly status?: CronRunStatus;
  readonly exit_code?: number;
  readonly pid?: number;
  readonly user?: string;
  readonly command?: string;
  readonly metrics?: readonly MetricSample[];
}

/** CPU is the average since the sample before; I/O counts since the unit's processes began. Network traffic is 0: no kernel counts it per process. */
export interface MetricSample {
  readonly timestamp: Time;
  readonly cpu_percent: number;
  readonly rss_bytes: number;
  readonly io_read_bytes: number;
  readonly io_write_bytes: number;
  readonly net_rx_bytes: number;
  readonly net_tx_bytes: number;
}

export interface SpawnedProcessNode {
  readonly child: SpawnedChild;
  readonly children?: readonly SpawnedProcessNode[];
}

export interface EpochTime {
  readonly secs_since_epoch: number;
  readonly nanos_since_epoch: number;
}

export interface SpawnedChild {
  readonly name: string;
  readonly pid: number;
  readonly parent_pid: number;
  readonly command: string;
  readonly started_at: EpochTime;
  readonly ttl?: { readonly secs: number; readonly nanos: number };
  /** 1 is a direct child of the service. */
  readonly depth: number;
  readonly cpu_percent?: number;
  readonly rss_bytes?: number;
  readonly last_exit?: SpawnedExit;
  readonly user?: string;
  /** `peripheral`: found by looking, not spawned through the socket. Absent is `spawned`. */
  readonly kind?: 'spawned' | 'peripheral';
}

export interface SpawnedExit {
  readonly exit_code?: number;
  readonly signal?: number;
  readonly finished_at?: EpochTime;
}

export interface InspectPayload {
  readonly unit: UnitStatus | null;
  /** Oldest first. */
  readonly samples: readonly MetricSample[];
}

export interface JournalCause {
  readonly kind: string;
  readonly seq?: number;
  readonly by?: string;
}

/** One record of the journal; `unit` null is the supervisor itself. */
export interface JournalRecord {
  readonly seq: number;
  readonly at: Time;
  readonly unit: string | null;
  readonly generation?: number;
  readonly event: string;
  readonly from?: string;
  readonly to?: string;
  readonly cause?: JournalCause;
  readonly detail?: Readonly<Record<string, unknown>>;
}

export interface PlanEntry {
  readonly unit: string;
  readonly why: string;
}

/** What a reload would do; `update` is taken over without a restart. */
export interface ReloadPlan {
  readonly unchanged: readonly PlanEntry[];
  readonly start: readonly PlanEntry[];
  readonly stop: readonly PlanEntry[];
  readonly restart: readonly PlanEntry[];
  readonly update: readonly PlanEntry[];
}
