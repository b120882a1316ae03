import type { JournalRecord, UnitStatus } from '../../wire/payloads.ts';
import { clockTime, localTime, spanInProse } from '../../words.ts';

/** `text`: sentences; `causes`: the records behind them, oldest first. */
export interface Why {
  readonly unit: string;
  readonly phase: string;
  readonly text: readonly string[];
  readonly causes: readonly JournalRecord[];
}

export interface WhyInput {
  readonly unit: UnitStatus;
  /** Of every unit, oldest first. */
  readonly records: readonly JournalRecord[];
  readonly nowMs: number;
}

/** The causal chain that brought the unit where it is, what it waits for, and what happens next and when. */
export function why({ unit, records, nowMs }: WhyInput): Why {
  const own = records.filter((record) => record.unit === unit.name);
  const story = new Story(unit, own, records, nowMs);
  const text = story.tell();
  return { unit: unit.name, phase: unit.phase ?? 'unknown', text, causes: story.causes() };
}

class Story {
  readonly #unit: UnitStatus;
  readonly #own: readonly JournalRecord[];
  readonly #bySeq: ReadonlyMap<number, JournalRecord>;
  readonly #nowMs: number;
  readonly #used = new Set<JournalRecord>();

  constructor(unit: UnitStatus, own: readonly JournalRecord[], all: readonly JournalRecord[], nowMs: number) {
    this.#unit = unit;
    this.#own = own;
    this.#bySeq = new Map(all.map((record) => [record.seq, record]));
    this.#nowMs = nowMs;
  }

  causes(): readonly JournalRecord[] {
    return [...this.#used].sort((one, other) => one.seq - other.seq);
  }

  tell(): readonly string[] {
    const { name, phase } = this.#unit;
    switch (phase) {
      case 'backoff': {
        const end = this.#lastInto('backoff');
        const next = this.#unit.next_at === undefined ? '' : `, next try ${this.#ahead(this.#unit.next_at)}`;
        return [`${name} is in backoff (${attempt(end, this.#unit.restarts ?? 0)}${next}) because ${this.#endOf(end)}.`, ...this.#words(end)];
      }
      case 'failed': {
        const end = this.#lastInto('failed');
        return [
          `${name} has failed (${tries(end)}) because ${this.#endOf(end)}.`, ...this.#words(end),
          `Nothing more happens until someone starts it: sysg start --daemonize -s ${name}`,
        ];
      }
      case 'running': return this.#running();
      case 'starting': return this.#starting();
      case 'stopping': return [`${name} is being stopped ${this.#because(this.#lastOf((record) => record.to === 'stopping' || record.to === 'clearing'))}.`];
      case 'waiting': return this.#cron();
      default: return this.#stopped();
    }
  }

  #running(): readonly string[] {
    const { name, process, since, ready } = this.#unit;
    const begun = this.#lastInto('spawning') ?? this.#lastInto('running');
    const pid = process === undefined ? '' : ` as pid ${process.pid}`;
    const moved = this.#lastOf(({ event, seq }) => event === 'move' && seq > (begun?.seq ?? 0));
    if (moved !== null) this.#used.add(moved);
    const cause = moved === null ? `it was started ${this.#startCause(begun)}` : `it took the place of an earlier process at ${time(moved.at)}`;
    const text = [`${name} is running${pid} since ${time(since)} (${spanInProse(this.#nowMs - Date.parse(since ?? ''))}); ${cause}.`];
    const end = this.#lastOf((record) => record.to === 'backoff' && record.seq < (begun?.seq ?? 0));
    if ((this.#unit.restarts ?? 0) > 0 && end !== null) text.push(`Before that ${this.#endOf(end)}.`, ...this.#words(end));
    if (ready === false) text.push('Its health check fails at present.');
    return [...text, ...this.#replacement()];
  }

  /** What replaces it at present, or why the last attempt to did not. */
  #replacement(): readonly string[] {
    const { rollout } = this.#unit;
    if (rollout !== undefined) {
      const pid = rollout.pid === undefined ? '' : ` (pid ${rollout.pid})`;
      return [rollout.instance === 'candidate'
        ? `It is being replaced: a candidate${pid} is at the step '${rollout.step}', and takes its place when it has passed.`
        : `It has replaced an earlier instance${pid}, which is at the step '${rollout.step}' and ends next.`];
    }
    const last = this.#lastOf(({ event, detail }) => event === 'rollout' && detail?.['result'] !== undefined);
    if (last?.detail?.['result'] !== 'kept') return [];
    this.#used.add(last);
    return [`An attempt to replace it ended at ${time(last.at)} and changed nothing: ${String(last.detail['reason'])}.`];
  }

  #starting(): readonly string[] {
    const { name, waits_for: waits = [], since } = this.#unit;
    if (waits.length === 0) {
      return [`${name} is starting since ${time(since)}, ${this.#startCause(this.#lastOf((record) => record.to === 'waiting' || record.to === 'spawning'))}.`];
    }
    const unmet = waits.map(({ unit, lost }) => (lost === undefined
      ? `${unit}, which is not ready yet; it goes on as soon as ${unit} is`
      : `${unit} (${lost}); it goes on when ${unit} comes up again: sysg start --daemonize -s ${unit}`));
    return [`${name} waits since ${time(since)} for ${unmet.join('; and for ')}.`];
  }

  #stopped(): readonly string[] {
    const { name, lifecycle } = this.#unit;
    const last = this.#lastInto('stopped');
    if (lifecycle === 'skipped') return [`${name} was skipped at ${time(last?.at)}: its skip condition holds.`];
    if (lifecycle === 'exited_successfully') return [`${name} has completed: ${this.#endOf(last ?? this.#own.at(-1) ?? null)}.`];
    if (last === null) return [`${name} has not been started since this supervisor began.`];
    return [`${name} is stopped ${this.#because(this.#lastOf((record) => record.cause?.kind === 'command' && record.cause.by === 'stop') ?? last)}.`];
  }

  #cron(): readonly string[] {
    const { name, next_at: next, wanted, cron } = this.#unit;
    const run = cron?.last_run;
    const told = run === undefined ? 'It has not run yet.' : `Its last run began at ${time(run.started_at)} and ${runResult(run.status)}.`;
    if (wanted === 'down') return [`${name} is suspended: someone stopped it. sysg start --daemonize -s ${name} resumes its schedule.`, told];
    return [next === undefined ? `${name} has no further run ahead.` : `${name} waits for its next run at ${time(next)} (${this.#ahead(next)}).`, told];
  }

  /** "it exited with code 1 at 12:01:07, 0.8 s after its start, which followed db's return". */
  #endOf(end: JournalRecord | null): string {
    if (end === null) return 'of something the journal no longer holds';
    this.#used.add(end);
    const begun = this.#lastOf((record) => record.to === (end.from === 'preparing' ? 'preparing' : 'spawning') && record.seq < end.seq);
    if (end.from === 'spawning' && begun !== null) return `its start ${this.#startCause(begun)} was refused: ${String(end.detail?.['reason'])}`;
    const how = `${howItEnded(end)} at ${time(end.at)}`;
    if (begun === null) return how;
    const after = spanInProse(Date.parse(end.at) - Date.parse(begun.at));
    return `${how}, ${after} after its start ${this.#startCause(begun)}`;
  }

  /** What led to the start that this record is part of. */
  #startCause(begun: JournalRecord | null): string {
    if (begun === null) return 'before the journal begins';
    this.#used.add(begun);
    const { kind, by, seq } = this.#order(begun)?.cause ?? { kind: 'unknown' };
    const at = time(begun.at);
    switch (kind) {
      case 'boot': return `with the supervisor at ${at}`;
      case 'command': return `by the command '${by ?? 'start'}' at ${at}`;
      case 'reload': return `by a new configuration at ${at}`;
      case 'timer': return `by the restart policy at ${at}`;
      case 'schedule': return `by its schedule at ${at}`;
      case 'adopt': return `before this supervisor, which took it over at ${at}`;
      case 'dependency': {
        const other = seq === undefined ? undefined : this.#bySeq.get(seq);
        if (by === undefined || other === undefined) return `at ${at}, for a unit that needs it`;
        return other.unit === by ? `at ${at}, which followed ${by}'s ${this.#upOrDown(other)}` : `at ${at}, for ${by}`;
      }
      default: return `at ${at}`;
    }
  }

  /** A start that followed at once from the end of the process before is due to whatever ended that. */
  #order(begun: JournalRecord): JournalRecord | undefined {
    let record: JournalRecord | undefined = begun;
    while (record?.cause?.kind === 'exit' && record.cause.seq !== undefined && record.cause.seq < record.seq) record = this.#bySeq.get(record.cause.seq);
    if (record !== undefined && record.unit === this.#unit.name) this.#used.add(record);
    return record;
  }

  /** "return at 12:00:59 (killed by SIGKILL at 12:00:58)". */
  #upOrDown(record: JournalRecord): string {
    this.#used.add(record);
    const fall = [...this.#bySeq.values()].filter((other) => other.unit === record.unit && other.seq < record.seq && ['backoff', 'failed', 'clearing', 'stopping'].includes(other.to ?? '')).at(-1);
    if (fall === undefined) return `start at ${time(record.at)}`;
    this.#used.add(fall);
    const { detail = {} } = fall;
    const what = typeof detail['signal'] === 'string' ? killed(detail['signal']).replace(/^it was /, '')
      : typeof detail['exit_code'] === 'number' ? `exit code ${detail['exit_code']}` : fall.cause?.kind === 'command' ? `command '${fall.cause.by ?? ''}'` : 'it was away';
    return `return (${what} at ${time(fall.at)})`;
  }

  #because(record: JournalRecord | null): string {
    if (record === null) return 'for a reason the journal no longer holds';
    this.#used.add(record);
    const { kind, by } = record.cause ?? { kind: 'unknown' };
    switch (kind) {
      case 'command': return `since the command '${by ?? 'stop'}' at ${time(record.at)}`;
      case 'dependency': return `because ${by ?? 'a dependency'} went away at ${time(record.at)}`;
      case 'reload': return `because of a new configuration at ${time(record.at)}`;
      case 'probe': return `because its health check failed at ${time(record.at)}`;
      case 'exit': return `since its process ended at ${time(record.at)}`;
      default: return `since ${time(record.at)}`;
    }
  }

  #words(end: JournalRecord | null): readonly string[] {
    const words = end?.detail?.['last_stderr'];
    return Array.isArray(words) && words.length > 0 ? [`Its last words: ${words.map((word) => `"${String(word)}"`).join(' ')}`] : [];
  }

  #ahead(at: string): string {
    const ms = Date.parse(at) - this.#nowMs;
    return ms > 0 ? `in ${spanInProse(ms)}` : 'now';
  }

  #lastInto(state: string): JournalRecord | null {
    return this.#lastOf((record) => record.to === state);
  }

  #lastOf(fits: (record: JournalRecord) => boolean): JournalRecord | null {
    return this.#own.findLast(fits) ?? null;
  }
}

function attempt(end: JournalRecord | null, restarts: number): string {
  const attempts = end?.detail?.['attempt'];
  const most = end?.detail?.['max_restarts'];
  const count = typeof attempts === 'number' ? attempts : restarts;
  return typeof most === 'number' ? `attempt ${count} of ${most}` : `attempt ${count}`;
}

/** How often the restart policy had tried before it gave up. */
function tries(end: JournalRecord | null): string {
  const failures = end?.detail?.['attempt'];
  const most = end?.detail?.['max_restarts'];
  const limit = typeof most === 'number' ? ` of ${most}` : '';
  return typeof failures === 'number' && failures > 0 ? `after ${failures}${limit} restarts in a row` : 'at its first attempt';
}

/** The reason where it says more than the exit: a process that the supervisor ended, a command before it. */
function howItEnded({ detail = {} }: JournalRecord): string {
  const { reason, signal, exit_code: code } = detail;
  if (typeof reason === 'string' && !/^process (exited|terminated)/.test(reason)) return asClause(reason);
  if (typeof signal === 'string') return killed(signal);
  return typeof code === 'number' ? `it exited with code ${code}${meaning(code)}` : 'it ended unseen, its exit status is unknown';
}

function asClause(reason: string): string {
  if (/^(not ready|unhealthy|interrupted)/.test(reason)) return `it was ${reason}`;
  if (reason.startsWith('ended')) return `it ${reason}`;
  return /^(pre_start|skip) /.test(reason) ? `its ${reason}` : reason;
}

function killed(signal: string): string {
  return `it was killed by ${signal}`;
}

function meaning(code: number): string {
  return code === 127 ? ' (command not found)' : code === 126 ? ' (command cannot be executed)' : '';
}

function runResult(status: unknown): string {
  if (status === undefined) return 'goes on';
  if (status === 'Success') return 'succeeded';
  if (status === 'OverlapError') return 'was left out, since the run before it still went on';
  return typeof status === 'object' && status !== null && 'Failed' in status ? `failed: ${String(status.Failed)}` : 'failed';
}

/** Local time of day; with the date when it is not today's. */
function time(at: string | undefined): string {
  if (at === undefined) return 'an unknown time';
  return new Date(at).toDateString() === new Date().toDateString() ? clockTime(at) : localTime(at);
}

