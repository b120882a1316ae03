import { Mismatch } from '../state/decode.ts';
import { all, maybe, maybeNumber, maybePid, maybeText, numberIn, one, textIn } from './fields.ts';
import { branch, leaf, optional, type XmlElement } from './xml.ts';

export type RecordedRunStatus = 'Success' | 'OverlapError' | { readonly Failed: string };

export interface RecordedSample {
  /** RFC 3339. */
  readonly timestamp: string;
  readonly cpu_percent: number;
  readonly rss_bytes: number;
  readonly io_read_bytes: number;
  readonly io_write_bytes: number;
  readonly net_rx_bytes: number;
  readonly net_tx_bytes: number;
}

/** Times in seconds of the epoch. A run that goes on has no `completedAt` and no `status`. */
export interface RecordedRun {
  readonly startedAt: number;
  readonly completedAt: number | null;
  readonly status: RecordedRunStatus | null;
  readonly exitCode: number | null;
  readonly pid: number | null;
  readonly user: string | null;
  readonly command: string | null;
  readonly samples: readonly RecordedSample[];
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

/** Throws `Mismatch`. */
export function decodeCronFile(root: XmlElement): CronFile {
  if (root.name !== 'CronStateFile') throw new Mismatch('root', '<CronStateFile>', `<${root.name}>`);
  return new Map(all(root, 'jobs').map((entry, index) => {
    const where = `jobs[${index}]`;
    const state = one(entry, 'state', where);
    return [textIn(entry, 'hash', where), {
      lastExecution: maybeNumber(state, 'last_execution', where, 0) || null,
      runs: all(state, 'execution_history').map((run, number) => recordedRun(run, `${where}.execution_history[${number}]`)),
      timezoneLabel: maybeText(state, 'timezone_label', where) ?? '',
      timezone: maybeText(state, 'timezone', where),
    }];
  }));
}

/**
 * In forms that systemg 0.33.0 reads, tried on the program, which itself cannot write all of them: a failure as an element in `status`, and no
 * `status` or `exit_code` where there is none (empty ones make it give up the whole file). `completed_at` has to be there.
 */
export function encodeCronFile(file: CronFile): XmlElement {
  return branch('CronStateFile', [...file].map(([hash, job]) => branch('jobs', [
    leaf('hash', hash),
    branch('state', [
      leaf('last_execution', job.lastExecution ?? 0),
      ...job.runs.map((run) => branch('execution_history', runFields(run))),
      leaf('timezone_label', job.timezoneLabel),
      leaf('timezone', job.timezone ?? ''),
    ]),
  ])));
}

function runFields(run: RecordedRun): readonly XmlElement[] {
  return [
    leaf('started_at', run.startedAt), leaf('completed_at', run.completedAt ?? 0), ...statusField(run.status), ...optional('exit_code', run.exitCode),
    ...optional('pid', run.pid), ...optional('user', run.user), ...optional('command', run.command),
    ...run.samples.map((sample) => branch('metrics', sampleKeys.map((key) => leaf(key, sample[key])))),
  ];
}

function statusField(status: RecordedRunStatus | null): readonly XmlElement[] {
  if (status === null) return [];
  return [typeof status === 'string' ? leaf('status', status) : branch('status', [leaf('Failed', status.Failed)])];
}

const counters = ['rss_bytes', 'io_read_bytes', 'io_write_bytes', 'net_rx_bytes', 'net_tx_bytes'] as const;
const sampleKeys = ['timestamp', 'cpu_percent', ...counters] as const;

function recordedRun(run: XmlElement, where: string): RecordedRun {
  return {
    startedAt: numberIn(run, 'started_at', where, 0), completedAt: maybeNumber(run, 'completed_at', where, 0) || null, status: runStatus(run, where),
    exitCode: maybeNumber(run, 'exit_code', where, -(2 ** 31)), pid: maybePid(run, 'pid', where), user: maybeText(run, 'user', where),
    command: maybeText(run, 'command', where), samples: all(run, 'metrics').map((sample, index) => recordedSample(sample, `${where}.metrics[${index}]`)),
  };
}

function runStatus(run: XmlElement, where: string): RecordedRunStatus | null {
  const status = maybe(run, 'status', where);
  const failed = status === null ? null : maybe(status, 'Failed', `${where}.status`);
  if (failed !== null) return { Failed: failed.text };
  const word = maybeText(run, 'status', where);
  if (word === null || word === 'Success' || word === 'OverlapError') return word;
  if (word === 'Failed') return { Failed: 'failed' };
  throw new Mismatch(`${where}.status`, 'one of Success, OverlapError, Failed', word);
}

function recordedSample(sample: XmlElement, where: string): RecordedSample {
  const timestamp = textIn(sample, 'timestamp', where);
  if (Number.isNaN(Date.parse(timestamp))) throw new Mismatch(`${where}.timestamp`, 'an RFC 3339 time', timestamp);
  const text = textIn(sample, 'cpu_percent', where);
  const cpu = /^[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?$/i.test(text) ? Number(text) : Number.NaN;
  if (!Number.isFinite(cpu)) throw new Mismatch(`${where}.cpu_percent`, 'a number', text);
  const [rss, read, written, received, sent] = counters.map((key) => numberIn(sample, key, where, 0));
  return {
    timestamp, cpu_percent: cpu, rss_bytes: rss ?? 0, io_read_bytes: read ?? 0, io_write_bytes: written ?? 0, net_rx_bytes: received ?? 0,
    net_tx_bytes: sent ?? 0,
  };
}
