import { REQUEST } from '../../journal/request-record.ts';
import type { JournalRecord } from '../../wire/payloads.ts';
import { spanInProse } from '../../words.ts';
import { askedIn, howItEnded, killedFromOutside, lastWords, leftRunning, time, type Past } from './why-records.ts';

/** A cause as the record of what it brought about has it. */
interface Cause {
  readonly past: Past;
  readonly by: string | undefined;
  /** The record that was the cause, which may be another unit's. */
  readonly seq: number | undefined;
  /** When what it brought about came. */
  readonly at: string;
}

type Sentences = Readonly<Record<string, (cause: Cause) => string>>;

/** By the kind of a cause, what led to a start: the end of "it was started …". */
const OF_STARTS: Sentences = {
  boot: ({ at }) => `with the supervisor at ${at}`,
  command: ({ past, by = 'start', seq, at }) => `by ${asked(past, by, seq)} at ${at}`,
  reload: ({ past, seq, at }) => `by a new configuration at ${at}${broughtBy(past, seq)}`,
  timer: ({ at }) => `by the restart policy at ${at}`,
  schedule: ({ at }) => `by its schedule at ${at}`,
  adopt: ({ at }) => `before this supervisor, which took it over at ${at}`,
  dependency: ({ past, by, seq, at }) => {
    const other = past.numbered(seq);
    if (by === undefined || other === undefined) return `at ${at}, for a unit that needs it`;
    if (other.event === REQUEST) return `at ${at} for ${by}, which needs it, by ${askedIn(past.use(other))}`;
    return other.unit === by ? `at ${at}, which followed ${by}'s ${upOrDown(past, other)}` : `at ${at}, for ${by}`;
  },
};

/** What led to a stop: the end of "it was stopped …". */
const OF_STOPS: Sentences = {
  command: ({ past, by = 'stop', seq, at }) => `by ${asked(past, by, seq)} at ${at}`,
  signal: ({ past, by = 'stop', seq, at }) => `by ${asked(past, by, seq)} at ${at}`,
  dependency: ({ past, by = 'a dependency', seq, at }) => {
    const other = past.numbered(seq);
    return `because ${by} went away at ${at}${other?.event === REQUEST ? `, by ${askedIn(past.use(other))}` : ''}`;
  },
  reload: ({ past, seq, at }) => `because of a new configuration at ${at}${broughtBy(past, seq)}`,
  probe: ({ at }) => `because its health check failed at ${at}`,
  schedule: ({ at }) => `for the run that was due at ${at}`,
  timer: ({ at }) => `because its run took longer than its timeout allows, at ${at}`,
  exit: ({ by, at }) => `because ${by === undefined ? 'its process' : `the process of ${by}`} ended at ${at}`,
};

/** What led to the start that this record is part of. */
export function startCause(past: Past, begun: JournalRecord | null): string {
  return begun === null ? 'before the journal begins' : said(OF_STARTS, past, past.use(begun), past.origin(begun)?.cause);
}

export function stopCause(past: Past, stop: JournalRecord | null): string {
  return stop === null ? 'for a reason the journal no longer holds' : said(OF_STOPS, past, past.use(stop), stop.cause);
}

function said(sentences: Sentences, past: Past, { at }: JournalRecord, cause: JournalRecord['cause']): string {
  const { kind = '', by, seq } = cause ?? {};
  const sentence = Object.hasOwn(sentences, kind) ? sentences[kind] : undefined;
  return sentence?.({ past, by, seq, at: time(at) }) ?? `at ${time(at)}`;
}

/** "it exited with code 1 at 12:01:07, 0.8 s after its start, which followed db's return" */
export function endOf(past: Past, end: JournalRecord | null): string {
  if (end === null) return 'of something the journal no longer holds';
  past.use(end);
  const begun = past.last(({ to, seq }) => to === (end.from === 'preparing' ? 'preparing' : 'spawning') && seq < end.seq);
  if (end.from === 'spawning' && begun !== null) return `its start ${startCause(past, begun)} was refused: ${String(end.detail?.['reason'])}`;
  // What follows a colon are words of others: a time behind them would be read as theirs.
  const [how = '', ...theirs] = howItEnded(end, sentBefore(past, end)).split(/(?=: )/);
  const after = begun === null ? '' : `, ${spanInProse(Date.parse(end.at) - Date.parse(begun.at))} after its start ${startCause(past, begun)}`;
  return `${how} at ${time(end.at)}${after}${theirs.join('')}`;
}

/** What else there is to say of an end. */
export function remarks(past: Past, end: JournalRecord | null): readonly string[] {
  return [...leftRunning(end), ...killedFromOutside(end, end === null ? null : sentBefore(past, end)), ...lastWords(end)];
}

/** The request for a signal that led to this end; null: none did. */
function sentBefore(past: Past, end: JournalRecord): JournalRecord | null {
  const { kind, by, seq } = past.origin(end)?.cause ?? {};
  return kind === 'command' && by === 'signal' ? past.use(past.numbered(seq) ?? null) : null;
}

/** "the command 'restart -s api' (uid 0, pid 4711)", as far as the journal knows. */
function asked(past: Past, by: string, seq: number | undefined): string {
  const request = past.numbered(seq);
  return request?.event !== REQUEST ? `the command '${by}'` : askedIn(past.use(request));
}

/** Of a new configuration: who had it read. */
function broughtBy(past: Past, seq: number | undefined): string {
  const request = past.numbered(seq);
  return request?.event === REQUEST ? `, which ${askedIn(past.use(request))} brought` : '';
}

/** Of another unit: "return (killed by SIGKILL at 12:00:58)". */
function upOrDown(past: Past, record: JournalRecord): string {
  past.use(record);
  if (record.to === 'stopped') return `end at ${time(record.at)}`;
  const before = past.all.findLast(({ unit, seq, to = '', cause }) => unit === record.unit && seq < record.seq && (FALLS.has(to) || cause?.kind === 'boot'));
  // With a supervisor everything starts anew, whatever an earlier one has seen.
  const fall = before === undefined || before.cause?.kind === 'boot' ? null : past.use(before);
  if (fall === null) return `start at ${time(record.at)}`;
  const { signal, exit_code: code } = fall.detail ?? {};
  const what = typeof signal === 'string' ? `killed by ${signal}` : typeof code === 'number' ? `exit code ${code}`
    : fall.cause?.kind === 'command' ? `command '${fall.cause.by ?? ''}'` : 'it was away';
  return `return (${what} at ${time(fall.at)})`;
}

const FALLS = new Set(['backoff', 'failed', 'clearing', 'stopping']);
