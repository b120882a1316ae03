import { leftBehind } from '../../../machines/ends.ts';
import type { Blame } from '../../../machines/types.ts';
import { signalBehind } from '../../signals.ts';
import type { JournalRecord } from '../../wire/payloads.ts';
import { clockTime, localTime } from '../../words.ts';

/** Words for single records of the journal. */

/** Of an end, after "because": the reason where it says more than the exit does. `sent`: the request for a signal that led to the end. */
export function howItEnded({ detail = {} }: JournalRecord, sent: JournalRecord | null): string {
  const { reason, signal, exit_code: code } = detail;
  const blame = detail['blame'] as Blame | undefined;
  if (typeof reason === 'string' && blame !== 'process') {
    switch (blame) {
      case 'check': return `it was ${reason}`;
      case 'step': return `its ${reason}`;
      case 'unseen': return UNSEEN;
      case 'limit': case 'start': case 'dependency': case 'supervisor': return reason;
      // An older supervisor's record.
      case undefined: if (signal === undefined && code === undefined) return reason;
    }
  }
  const limit = detail['memory_max'];
  if (typeof limit === 'string') return `the kernel killed ${typeof signal === 'string' ? 'it' : 'a process of it'} at its memory limit of ${limit} (limits.cgroup.memory_max)`;
  const after = sent === null ? '' : ` after ${askedIn(sent)}`;
  if (typeof signal === 'string') return `it was killed by ${signal}${sent?.detail?.['signal'] === signal ? `, which ${askedIn(sent)} sent,` : after}`;
  return typeof code === 'number' ? `it exited with code ${code}${meaning(code)}${after}` : UNSEEN;
}

const UNSEEN = 'it ended while nobody watched (its exit status is unknown)';

/** What the process had left running, a sentence. */
export function leftRunning(end: JournalRecord | null): readonly string[] {
  const { left, exit_code: code } = end?.detail ?? {};
  return Array.isArray(left) && left.length > 0 ? [`It ${leftBehind(left.map(String), { code: typeof code === 'number' ? code : null, signal: null })}.`] : [];
}

/** SIGKILL that sysg did not send, to the process or to what a shell ran, and where to look for who did. */
export function killedFromOutside(end: JournalRecord | null, sent: JournalRecord | null): readonly string[] {
  const { signal, exit_code: code, blame, memory_max: limit } = end?.detail ?? {};
  if (blame !== 'process' || limit !== undefined || sent !== null) return [];
  if (signal === 'SIGKILL') return ['sysg did not send that SIGKILL: another program did, or the kernel when memory ran out, which dmesg shows then.'];
  return typeof code === 'number' && signalBehind(code) === 'SIGKILL' ? ['The kernel sends SIGKILL when memory runs out, which dmesg shows then.'] : [];
}

/** "the command 'restart -s api' (uid 0, pid 4711)", of the record of a request; `command`: what a start made a unit of. */
export function askedIn({ unit, cause, detail = {} }: JournalRecord): string {
  const { uid, pid, signal, command } = detail;
  if (cause?.kind === 'signal') return `${cause.by ?? 'a signal'} to the supervisor`;
  const named = unit === null ? [] : typeof command === 'string' ? ['--name', unit, '--', command] : ['-s', unit];
  const words = [cause?.by ?? '', ...named, ...(typeof signal === 'string' ? [signal] : [])];
  const who = [...(typeof uid === 'number' ? [`uid ${uid}`] : []), ...(typeof pid === 'number' ? [`pid ${pid}`] : [])];
  return `the command '${words.join(' ')}'${who.length === 0 ? '' : ` (${who.join(', ')})`}`;
}

export function lastWords(end: JournalRecord | null): readonly string[] {
  const words = end?.detail?.['last_stderr'];
  return Array.isArray(words) && words.length > 0 ? [`Its last words: ${words.map((word) => `"${String(word)}"`).join(' ')}`] : [];
}

/** " (attempt 2 of 5, next try in 4 s)"; a clean end counts as no attempt. */
export function attempt(end: JournalRecord | null, restarts: number, more: readonly string[] = []): string {
  const { attempt: attempts = restarts, max_restarts: most } = end?.detail ?? {};
  const said = [...(attempts === 0 ? [] : [`attempt ${String(attempts)}${typeof most === 'number' ? ` of ${most}` : ''}`]), ...more];
  return said.length === 0 ? '' : ` (${said.join(', ')})`;
}

/** How often the restart policy had tried before it gave up. */
export function tries(end: JournalRecord | null): string {
  const { attempt: failures, max_restarts: most } = end?.detail ?? {};
  const limit = typeof most === 'number' ? ` of ${most}` : '';
  if (typeof failures !== 'number' || failures === 0) return 'at its first attempt';
  return failures === 1 && limit === '' ? 'after one restart' : `after ${failures}${limit} restarts in a row`;
}

export function runResult(status: unknown): string {
  if (status === undefined) return 'goes on';
  if (status === 'Success') return 'succeeded';
  return typeof status === 'object' && status !== null && 'Failed' in status ? `failed: ${String(status.Failed)}` : 'failed';
}

/** Local time of day; with the date when it is not today's. */
export function time(at: string | undefined): string {
  if (at === undefined) return 'an unknown time';
  return new Date(at).toDateString() === new Date().toDateString() ? clockTime(at) : localTime(at);
}

/** What a shell means by its exit code. */
function meaning(code: number): string {
  if (code === 127) return ' (command not found)';
  if (code === 126) return ' (command cannot be executed)';
  const signal = signalBehind(code);
  return signal === null ? '' : ` (that of a shell whose command was ended by ${signal})`;
}

/** What the journal holds of one unit, and which of it the sentences about the unit rest on. */
export class Past {
  readonly #own: readonly JournalRecord[];

  /** `all`: of every unit, oldest first. `used`: where what is used is gathered. */
  constructor(readonly unit: string, readonly all: readonly JournalRecord[], readonly used: Set<JournalRecord>) {
    this.#own = withoutRepetitions(all.filter((record) => record.unit === unit));
  }

  use<Found extends JournalRecord | null>(record: Found): Found {
    if (record !== null) this.used.add(record);
    return record;
  }

  first(fits: (record: JournalRecord) => boolean): JournalRecord | null {
    return this.#own.find(fits) ?? null;
  }

  last(fits: (record: JournalRecord) => boolean = () => true): JournalRecord | null {
    return this.#own.findLast(fits) ?? null;
  }

  /** A supervisor that takes a unit over into the state in which the unit was adds nothing to what was recorded of that. */
  lastInto(state: string): JournalRecord | null {
    return this.last(({ to, event, detail }) => to === state && (event !== 'adopt' || detail?.['blame'] !== undefined)) ?? this.last(({ to }) => to === state);
  }

  /** Where the unit began to start, the last time. */
  lastStart(): JournalRecord | null {
    return this.last(({ to }) => STARTS.has(to ?? ''));
  }

  numbered(seq: number | undefined): JournalRecord | undefined {
    return this.all.findLast((record) => record.seq === seq);
  }

  /** A start that followed at once from the end of the process before is due to what ended that process. */
  origin(begun: JournalRecord): JournalRecord | undefined {
    let record: JournalRecord | undefined = begun;
    while (record?.cause?.kind === 'exit' && record.cause.seq !== undefined && record.cause.seq < record.seq) record = this.numbered(record.cause.seq);
    if (record?.unit === this.unit) this.use(record);
    return record;
  }
}

/** Without those by which another supervisor has found a unit at rest, or being ended, that was so already: nothing became of it then. */
function withoutRepetitions(records: readonly JournalRecord[]): readonly JournalRecord[] {
  let last: string | undefined;
  return records.filter(({ event, to }) => {
    const isRepeated = event === 'adopt' && to === last && AT_REST_OR_ENDING.has(to ?? '');
    last = to ?? last;
    return !isRepeated;
  });
}

const AT_REST_OR_ENDING = new Set(['stopped', 'stopping', 'killing', 'clearing']);
/** The states that a start leads through. */
const STARTS = new Set(['waiting', 'preparing', 'spawning']);
