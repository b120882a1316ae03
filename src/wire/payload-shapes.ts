import {
  anything, boolean, count, isRecord, list, nullable, number, oneOf, record, recursive, string, type Shape,
} from './payload-shape.ts';

const epochTime = record({ secs_since_epoch: count, nanos_since_epoch: count });

const metricSample = record({
  timestamp: string, cpu_percent: number, rss_bytes: count,
  io_read_bytes: count, io_write_bytes: count, net_rx_bytes: count, net_tx_bytes: count,
});

/** 0.33.0 also reads a bare `Failed`. */
const cronRunStatus: Shape = (value, at) =>
  (isRecord(value) ? record({ Failed: string })(value, at) : oneOf('Success', 'OverlapError', 'Failed')(value, at));

const cronRun = record({ started_at: string }, {
  completed_at: string, status: cronRunStatus, exit_code: number, pid: count, user: string, command: string,
  metrics: list(metricSample),
});

const spawnedChild = record(
  { name: string, pid: count, parent_pid: count, command: string, started_at: epochTime, depth: count },
  {
    ttl: record({ secs: count, nanos: count }), cpu_percent: number, rss_bytes: count, user: string,
    last_exit: record({}, { exit_code: number, signal: number, finished_at: epochTime }), kind: oneOf('spawned', 'peripheral'),
  },
);

const spawnedNode: Shape = recursive(() => record({ child: spawnedChild }, { children: list(spawnedNode) }));

const phase = oneOf('stopped', 'starting', 'running', 'stopping', 'backoff', 'failed', 'waiting');

const unitStatus = record(
  { name: string, hash: string, kind: oneOf('service', 'cron', 'orphaned'), health: oneOf('healthy', 'degraded', 'failing', 'inactive') },
  {
    lifecycle: oneOf('running', 'skipped', 'exited_successfully', 'exited_with_error', 'stopped'),
    process: record({ pid: count, state: oneOf('running', 'zombie', 'missing') }, { user: string }),
    uptime: record({ seconds: count, human: string }, { started_at: string }),
    last_exit: record({}, { exit_code: number, signal: number }),
    cron: record({ timezone_label: string }, { timezone: string, last_run: cronRun, recent_runs: list(cronRun) }),
    metrics: record({
      latest_cpu_percent: number, average_cpu_percent: number, max_cpu_percent: number, latest_rss_bytes: count, samples: count,
    }, { average_rss_bytes: count, max_rss_bytes: count }),
    command: string, runtime_command: string, spawned_children: list(spawnedNode),
    phase, wanted: oneOf('up', 'down'),
    ready: boolean, generation: count, restarts: count, since: string, next_at: string, last_event: count,
    waits_for: list(record({ unit: string }, { lost: string })),
    rollout: record(
      { step: string, instance: oneOf('candidate', 'retired'), phase, generation: count },
      { pid: count, slots: list(count) },
    ),
  },
);

export const statusSnapshot = record({
  schema_version: string, captured_at: string, overall_health: oneOf('healthy', 'degraded', 'failing'), units: list(unitStatus),
});

/** `samples` may be missing and is then empty. */
export const inspectPayload = record({ unit: nullable(unitStatus) }, { samples: list(metricSample) });

export const journalRecord = record({ seq: count, at: string, unit: nullable(string), event: string }, {
  generation: count, from: string, to: string, cause: record({ kind: string }, { seq: count, by: string }), detail: anything,
});

const planEntries = list(record({ unit: string, why: string }));

export const reloadPlan = record({
  unchanged: planEntries, start: planEntries, stop: planEntries, restart: planEntries, update: planEntries,
});
