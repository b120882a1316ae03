import { boolean, count, isRecord, list, nullable, number, oneOf, record, string, type Shape, type Shaped } from './shape.ts';

/**
 * What travels inside answers: of each payload the shape that an answer is checked against, and the type of it. Keys and
 * their order are systemg 0.33.0's, ours follow them; optional keys are absent when there is no value, `null` is written
 * where the shape says so.
 */
export interface StatusSnapshot extends Shaped<typeof statusSnapshot> {}
export interface UnitStatus extends Shaped<typeof unitStatus> {}
export interface RolloutStatus extends Shaped<typeof rolloutStatus> {}
export interface WaitsFor extends Shaped<typeof waitsFor> {}
export interface ProcessRuntime extends Shaped<typeof processRuntime> {}
export interface UptimeInfo extends Shaped<typeof uptimeInfo> {}
export interface ExitMetadata extends Shaped<typeof exitMetadata> {}
export interface UnitMetricsSummary extends Shaped<typeof metricsSummary> {}
export interface CronUnitStatus extends Shaped<typeof cronUnit> {}
export interface CronExecutionSummary extends Shaped<typeof cronRun> {}
export interface MetricSample extends Shaped<typeof metricSample> {}
export interface EpochTime extends Shaped<typeof epochTime> {}
export interface SpawnedChild extends Shaped<typeof spawnedChild> {}
export interface SpawnedExit extends Shaped<typeof spawnedExit> {}
export interface SpawnedProcessNode { readonly child: SpawnedChild; readonly children?: readonly SpawnedProcessNode[] }
export interface InspectPayload extends Required<Shaped<typeof inspectPayload>> {}
export interface JournalRecord extends Shaped<typeof journalRecord> {}
export type JournalCause = NonNullable<JournalRecord['cause']>;
export interface ReloadPlan extends Shaped<typeof reloadPlan> {}
export interface PlanEntry extends Shaped<typeof planEntry> {}
export interface UnitSettlement extends Shaped<typeof unitSettlement> {}

export type OverallHealth = Shaped<typeof overallHealth>;
export type UnitHealth = UnitStatus['health'];
export type UnitKind = UnitStatus['kind'];
export type UnitPhase = Shaped<typeof phase>;
export type Lifecycle = Shaped<typeof lifecycle>;
export type CronRunStatus = 'Success' | 'OverlapError' | { readonly Failed: string };
/** RFC 3339 in UTC. */
export type Time = string;

const time: Shape<Time> = string;
const epochTime = record({ secs_since_epoch: count, nanos_since_epoch: count });
const overallHealth = oneOf('healthy', 'degraded', 'failing');
const lifecycle = oneOf('running', 'skipped', 'exited_successfully', 'exited_with_error', 'stopped');
const phase = oneOf('stopped', 'starting', 'running', 'stopping', 'backoff', 'failed', 'waiting');

/** CPU is the average since the sample before; I/O counts since the unit's processes began. Network traffic is 0: no kernel counts it per process. */
const metricSample = record({
  timestamp: time, cpu_percent: number, rss_bytes: count,
  io_read_bytes: count, io_write_bytes: count, net_rx_bytes: count, net_tx_bytes: count,
});

const cronRunStatus: Shape<CronRunStatus> = (value, at) =>
  (isRecord(value) ? record({ Failed: string }) : oneOf('Success', 'OverlapError'))(value, at);

const cronRun = record({ started_at: time }, {
  completed_at: time, status: cronRunStatus, exit_code: number, pid: count, user: string, command: string,
  metrics: list(metricSample),
});

const cronUnit = record({ timezone_label: string }, {
  timezone: string,
  last_run: cronRun,
  /** Newest first, at most 10. */
  recent_runs: list(cronRun),
  /** Ours, unknown to 0.33.0: runs that were left out because the one before them went on, since the unit is known. */
  missed: count,
});

const spawnedExit = record({}, { exit_code: number, signal: number, finished_at: epochTime });

const spawnedChild = record(
  {
    name: string, pid: count, parent_pid: count, command: string, started_at: epochTime,
    /** 1 is a direct child of the service. */
    depth: count,
  },
  {
    ttl: record({ secs: count, nanos: count }), cpu_percent: number, rss_bytes: count, last_exit: spawnedExit, user: string,
    /** `peripheral`: found by looking, not spawned through the socket. Absent is `spawned`. */
    kind: oneOf('spawned', 'peripheral'),
  },
);

const spawnedNode: Shape<SpawnedProcessNode> = (value, at) => record({ child: spawnedChild }, { children: list(spawnedNode) })(value, at);

const processRuntime = record({ pid: count, state: oneOf('running', 'zombie', 'missing') }, {
  user: string,
  /** Ours, unknown to 0.33.0: true while a signal (SIGSTOP, SIGTSTP) keeps the process from running. */
  halted: boolean,
});
const uptimeInfo = record({ seconds: count, human: string }, { started_at: time });
const exitMetadata = record({}, { exit_code: number, signal: number });
const waitsFor = record({ unit: string }, { lost: string, condition: oneOf('started', 'healthy', 'completed') });

/** Over all processes of the unit and every sample that is kept. CPU in percent of one core. The last two keys are unknown to 0.33.0. */
const metricsSummary = record({
  latest_cpu_percent: number, average_cpu_percent: number, max_cpu_percent: number, latest_rss_bytes: count, samples: count,
}, { average_rss_bytes: count, max_rss_bytes: count });

/** The instance beside the unit: the `candidate` that is to replace it, or the `retired` one that is being stopped. */
const rolloutStatus = record({ step: string, instance: oneOf('candidate', 'retired'), phase, generation: count }, {
  pid: count,
  /** Indices of the slots it leads from and to; absent without slots. */
  slots: list(count) as Shape<readonly [number, number]>,
});

const unitStatus = record(
  {
    name: string,
    /** 16 lower-case hex digits, or the name of an orphan that is known by name only. */
    hash: string,
    kind: oneOf('service', 'cron', 'orphaned'),
    health: oneOf('healthy', 'degraded', 'failing', 'inactive'),
  },
  {
    lifecycle,
    process: processRuntime,
    uptime: uptimeInfo,
    last_exit: exitMetadata,
    cron: cronUnit,
    metrics: metricsSummary,
    /** As configured. */
    command: string,
    /** As the kernel shows it. */
    runtime_command: string,
    spawned_children: list(spawnedNode),
    // Below: ours, unknown to 0.33.0.
    phase,
    wanted: oneOf('up', 'down'),
    /** Absent without a check. */
    ready: boolean,
    generation: count,
    /** Since the last manual start. */
    restarts: count,
    /** When the phase began. */
    since: time,
    /** Why the unit does not run, or is not ready; of one that has completed, what its process left running. Absent when there is nothing to say. */
    reason: string,
    /** Next retry or next cron run. */
    next_at: time,
    /** While it is being stopped: when SIGKILL goes to what has not ended by then. */
    kill_at: time,
    /** Journal sequence number of the unit's newest change. */
    last_event: count,
    /** Dependencies it waits for; `lost` says why one will not come by itself. Absent when there are none. */
    waits_for: list(waitsFor),
    /** An accepted command that the unit gets when others have made way. */
    ordered: oneOf('start', 'stop', 'restart', 'rollout'),
    /** Present of a unit that is in no configuration: somebody started a command by itself. */
    ad_hoc: boolean,
    /** While the unit is being replaced beside itself. */
    rollout: rolloutStatus,
  },
);

export const statusSnapshot = record({
  schema_version: string, captured_at: time, overall_health: overallHealth, units: list<UnitStatus>(unitStatus),
}, {
  /** Present while not every unit of the first start has come up or failed, and from the order to end everything on. */
  supervisor: oneOf('starting', 'ending'),
  /** Present while a file of the supervisor's is behind, since the disk does not take it: a sentence for each. */
  unwritten: list(string),
});

/** `samples` may be missing in an answer and is then empty. */
export const inspectPayload = record({ unit: nullable<UnitStatus>(unitStatus) }, {
  /** Oldest first. */
  samples: list<MetricSample>(metricSample),
});

/** One record of the journal; `unit` null is the supervisor itself. */
export const journalRecord = record({ seq: count, at: time, unit: nullable(string), event: string }, {
  generation: count, from: string, to: string,
  cause: record({ kind: string }, { seq: count, by: string }),
  detail: (() => null) as Shape<Readonly<Record<string, unknown>>>,
});

const planEntry = record({ unit: string, why: string });

/** What a reload would do; `update` is taken over without a restart. */
export const reloadPlan = record({
  unchanged: list<PlanEntry>(planEntry), start: list<PlanEntry>(planEntry), stop: list<PlanEntry>(planEntry),
  restart: list<PlanEntry>(planEntry), update: list<PlanEntry>(planEntry),
});

/** How a command ended for one unit; `error` is why it failed, `note` what else there is to say of a success. */
export const unitSettlement = record({ unit: string, result: string }, { error: string, note: string });
