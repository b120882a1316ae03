import type { CronRun } from '../cron/summary.ts';
import type { CronRunStatus, MetricSample } from '../wire/payloads.ts';
import { atMostOne, entries, fieldOf, group, int32, many, maybe, mismatch, pid, scalar, seconds, text, whole, type Codec, type Skip } from './codec.ts';
import { branch, leaf, type XmlElement } from './xml.ts';

/** One file of systemg 0.33.0. `decode` throws a sentence that says where the file is not as it should be, unless that can be left out. */
export interface FileCodec<Content> {
  encode(content: Content): XmlElement;
  decode(root: XmlElement, skip: Skip): Content;
}

/** A process that a service had the supervisor start. `startedAt` and `ttl` in seconds, the former of the epoch. */
export interface SpawnRecord {
  readonly pid: number;
  readonly name: string;
  readonly command: string;
  readonly startedAt: number;
  readonly ttl: number | null;
  /** 1 is a direct child of the service. */
  readonly depth: number;
  readonly parentPid: number;
  readonly serviceHash: string | null;
}

/** `pid.xml`: processes and groups by the name of their service. It holds no start times: a pid in it proves nothing. */
export interface PidFile {
  readonly services: ReadonlyMap<string, number>;
  readonly groups: ReadonlyMap<string, number>;
  readonly spawned: readonly SpawnRecord[];
}

const pids = entries('name', 'pid', pid);
const groups = entries('name', 'pgid', int32);
const metadata = group<SpawnRecord>({
  pid: ['pid', pid], name: ['name', text], command: ['command', text], startedAt: ['started_at', seconds], ttl: ['ttl_secs', maybe(seconds)],
  depth: ['depth', whole(0)], parentPid: ['parent_pid', pid], serviceHash: ['service_hash', maybe(text)],
});

export const pidFile: FileCodec<PidFile> = {
  encode: ({ services, groups: pgids, spawned }) => branch('PidFile', [
    ...pids.write('services', services),
    ...groups.write('service_groups', pgids),
    // The maps of parents, children and depths say nothing that the records do not, and are not read.
    ...spawned.map((child) => branch('parent_map', [leaf('child', child.pid), leaf('parent', child.parentPid)])),
    ...[...new Set(spawned.map(({ parentPid }) => parentPid))].map((parent) => branch('children_map', [
      leaf('parent', parent), ...spawned.filter(({ parentPid }) => parentPid === parent).map((child) => leaf('children', child.pid)),
    ])),
    ...spawned.map((child) => branch('spawn_depth', [leaf('pid', child.pid), leaf('depth', child.depth)])),
    ...spawned.map((child) => branch('spawn_metadata', [leaf('pid', child.pid), ...metadata.write('metadata', child)])),
  ]),
  decode: (root, skip) => ({
    services: rootField(root, 'PidFile', ['services', pids], skip), groups: rootField(root, 'PidFile', ['service_groups', groups], skip),
    spawned: rootField(root, 'PidFile', ['spawn_metadata', many(group<{ record: SpawnRecord }>({ record: ['metadata', metadata] }))], skip).map(({ record }) => record),
  }),
};

export const statuses = ['running', 'skipped', 'exited_successfully', 'exited_with_error', 'stopped'] as const;

export interface RecordedState {
  readonly status: (typeof statuses)[number];
  readonly pid: number | null;
  readonly exitCode: number | null;
  /** Its number. */
  readonly signal: number | null;
}

/** `state.xml`: the last state by the hash of the service. */
export type StateFile = ReadonlyMap<string, RecordedState>;

export const stateFile: FileCodec<StateFile> = mapFile('ServiceStateFile', 'services', entries('name', 'state', group<RecordedState>({
  status: ['status', scalar((written, at) => {
    const status = statuses.find((known) => known === written);
    if (status === undefined) throw mismatch(at, `one of ${statuses.join(', ')}`, written);
    return status;
  })],
  pid: ['pid', maybe(pid)], exitCode: ['exit_code', maybe(int32)], signal: ['signal', maybe(int32)],
})));

/** Times in seconds of the epoch. A run that goes on has no `completedAt` and no `status`. */
export interface RecordedRun extends Pick<CronRun, 'status' | 'exitCode' | 'pid' | 'user' | 'command'> {
  readonly startedAt: number;
  readonly completedAt: number | null;
  readonly samples: readonly MetricSample[];
}

export interface RecordedJob {
  /** Seconds of the epoch; null: never. */
  readonly lastExecution: number | null;
  /** Oldest first. */
  readonly runs: readonly RecordedRun[];
  readonly timezoneLabel: string;
  /** Null is local time. */
  readonly timezone: string | null;
}

/** `cron_state.xml`: the history of runs by the hash of the cron unit. */
export type CronFile = ReadonlyMap<string, RecordedJob>;

const runStatus: Codec<CronRunStatus | null> = {
  write: (name, status) => (status === null ? [] : typeof status === 'string' ? [leaf(name, status)] : [branch(name, [leaf('Failed', status.Failed)])]),
  read: (found, at, skip) => {
    const failed = atMostOne(found, at)?.children.find(({ name }) => name === 'Failed');
    if (failed !== undefined) return { Failed: failed.text };
    const word = maybe(text).read(found, at, skip);
    if (word === null || word === 'Success' || word === 'OverlapError') return word;
    if (word === 'Failed') return { Failed: 'failed' };
    throw mismatch(at, 'one of Success, OverlapError, Failed', word);
  },
};

const sample = group<MetricSample>({
  timestamp: ['timestamp', scalar((written, at) => {
    if (Number.isNaN(Date.parse(written))) throw mismatch(at, 'an RFC 3339 time', written);
    return written;
  })],
  cpu_percent: ['cpu_percent', scalar((written, at) => {
    const value = /^[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?$/i.test(written) ? Number(written) : Number.NaN;
    if (!Number.isFinite(value)) throw mismatch(at, 'a number', written);
    return value;
  })],
  rss_bytes: ['rss_bytes', whole(0)], io_read_bytes: ['io_read_bytes', whole(0)], io_write_bytes: ['io_write_bytes', whole(0)],
  net_rx_bytes: ['net_rx_bytes', whole(0)], net_tx_bytes: ['net_tx_bytes', whole(0)],
});

/**
 * In forms that systemg 0.33.0 reads, tried on the program, which itself cannot write all of them: a failure as an element in `status`, and no
 * `status` or `exit_code` where there is none (empty ones make it give up the whole file). `completed_at` has to be there.
 */
const run = group<RecordedRun>({
  startedAt: ['started_at', seconds], completedAt: ['completed_at', maybe(seconds, 0)], status: ['status', runStatus],
  exitCode: ['exit_code', maybe(int32)], pid: ['pid', maybe(pid)], user: ['user', maybe(text)], command: ['command', maybe(text)],
  samples: ['metrics', many(sample)],
});

export const cronFile: FileCodec<CronFile> = mapFile('CronStateFile', 'jobs', entries('hash', 'state', group<RecordedJob>({
  lastExecution: ['last_execution', maybe(seconds, 0)], runs: ['execution_history', many(run)],
  timezoneLabel: ['timezone_label', { ...text, read: (...from) => maybe(text).read(...from) ?? '' }], timezone: ['timezone', maybe(text, '')],
})));

function mapFile<Value>(root: string, name: string, codec: Codec<ReadonlyMap<string, Value>>): FileCodec<ReadonlyMap<string, Value>> {
  return { encode: (content) => branch(root, codec.write(name, content)), decode: (element, skip) => rootField(element, root, [name, codec], skip) };
}

function rootField<Value>(element: XmlElement, root: string, field: readonly [name: string, codec: Codec<Value>], skip: Skip): Value {
  if (element.name !== root) throw mismatch('root', `<${root}>`, `<${element.name}>`);
  return fieldOf(element, '', field, skip);
}
