import { REQUEST } from '../../journal/request-record.ts';
import { HOOK_FAILED } from '../../journal/scribe.ts';
import type { JournalRecord, UnitStatus } from '../../wire/payloads.ts';
import { shellWord, spanInProse } from '../../words.ts';
import { askedIn, attempt, howItEnded, killedFromOutside, lastWords, leftRunning, runResult, time, tries } from './why-records.ts';

/** `text`: sentences; `causes`: the records behind them, oldest first. */
export interface Why {
  readonly unit: string;
  readonly phase: string;
  readonly text: readonly string[];
  readonly causes: readonly JournalRecord[];
}

export interface WhyInput {
  readonly unit: UnitStatus;
  /** Those that the unit may wait for among them. */
  readonly units?: readonly UnitStatus[];
  /** Of every unit, oldest first. */
  readonly records: readonly JournalRecord[];
  readonly nowMs: number;
  /** How a command begins that reaches the supervisor of the unit: `sysg -p shop `. */
  readonly command?: string;
}

/** The causal chain that brought the unit where it is, what it waits for, and what happens next and when. */
export function why(input: WhyInput): Why {
  const story = new Story(input);
  const text = story.sentences();
  return { unit: input.unit.name, phase: input.unit.phase ?? 'unknown', text, causes: [...story.used].sort((one, other) => one.seq - other.seq) };
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

class Story {
  /** The records that the sentences rest on. */
  readonly used = new Set<JournalRecord>();
  readonly #unit: UnitStatus;
  readonly #own: readonly JournalRecord[];
  readonly #all: readonly JournalRecord[];
  readonly #nowMs: number;
  readonly #command: string;

  readonly #units: readonly UnitStatus[];
  /** Units whose story is there already: a chain of dependencies may meet itself. */
  readonly #seen: Set<string>;

  constructor({ unit, units = [], records, nowMs, command = 'sysg ' }: WhyInput, seen = new Set<string>()) {
    this.#unit = unit;
    this.#units = units;
    this.#seen = seen.add(unit.name);
    this.#own = withoutRepetitions(records.filter((record) => record.unit === unit.name));
    this.#all = records;
    this.#nowMs = nowMs;
    this.#command = command;
  }

  sentences(): readonly string[] {
    return [...this.#state(), ...this.#hookFailure()];
  }

  #state(): readonly string[] {
    const { name, phase, restarts = 0, next_at: next } = this.#unit;
    const end = this.#lastInto(phase ?? '');
    switch (phase) {
      case 'backoff': {
        const nextTry = next === undefined ? '' : `, next try ${this.#ahead(next)}`;
        return [`${name} is in backoff (${attempt(end, restarts)}${nextTry}) because ${this.#endOf(end)}.`, ...this.#remarks(end)];
      }
      case 'failed': return this.#wasStoppedAtRest() ? this.#unsupervised() : [...this.#hasFailed(end), `Nothing more happens until someone starts it: ${this.#startOf(name)}`];
      case 'running': return this.#running();
      case 'starting': return this.#starting();
      case 'stopping': return [`${name} is being stopped ${this.#because(this.#last(({ to }) => to === 'stopping' || to === 'clearing'))}.`];
      case 'waiting': return this.#cron();
      default: return this.#stopped();
    }
  }

  #running(): readonly string[] {
    const { name, process, uptime, since: phaseSince = uptime?.started_at, ready, restarts = 0 } = this.#unit;
    const begun = this.#lastInto('spawning') ?? this.#lastInto('running');
    const pid = process === undefined ? '' : ` as pid ${process.pid}`;
    const moved = this.#use(this.#last(({ event, seq }) => event === 'move' && seq > (begun?.seq ?? 0)));
    const cause = moved === null ? `it was started ${this.#startCause(begun)}` : `it took the place of an earlier process at ${time(moved.at)}`;
    // The phase begins anew under each supervisor; the process goes on.
    const adopted = moved === null && begun?.event !== 'adopt' ? this.#use(this.#last(({ event, seq }) => event === 'adopt' && seq > (begun?.seq ?? 0))) : null;
    const came = adopted === null ? undefined : this.#own.find(({ to, seq }) => to === 'running' && seq > (begun?.seq ?? 0));
    const since = came?.at ?? phaseSince;
    const text = [`${name} has been running${pid} since ${time(since)} (${spanInProse(this.#nowMs - Date.parse(since ?? ''))}); ${cause}${adopted === null ? '' : `, and another supervisor took it over at ${time(adopted.at)}`}.`];
    if (restarts > 0) text.push(...this.#before(begun));
    if (ready === false) text.push('Its health check fails at present.');
    return [...text, ...this.#replacement()];
  }

  /** How the process ended before the one that was begun with this record, where the restart policy began it. */
  #before(begun: JournalRecord | null): readonly string[] {
    const end = this.#last(({ to, seq }) => to === 'backoff' && seq < (begun?.seq ?? 0));
    return end === null ? [] : [`Before that ${this.#endOf(end)}.`, ...this.#remarks(end)];
  }

  /** What replaces the unit at present, or why the last attempt to replace it did not. */
  #replacement(): readonly string[] {
    const { rollout } = this.#unit;
    if (rollout !== undefined) {
      if (rollout.step === 'switching-back') return ['Its traffic is being switched back to the slot that it is in.'];
      const pid = rollout.pid === undefined ? '' : ` (pid ${rollout.pid})`;
      return [rollout.instance === 'candidate'
        ? `It is being replaced: a candidate${pid} is at the step '${rollout.step}', and takes its place when it has passed.`
        : `It has replaced an earlier instance${pid}, which is at the step '${rollout.step}' and ends next.`];
    }
    const last = this.#last(({ event, detail }) => event === 'rollout' && detail?.['result'] !== undefined);
    if (last?.detail?.['result'] !== 'kept') return [];
    this.#use(last);
    // A switch that was left open when its supervisor died, or when the unit was stopped.
    if (last.detail['reason'] === undefined) return [`Its traffic was switched back at ${time(last.at)}, which an earlier replacement had left to do.`];
    return [`An attempt to replace it ended at ${time(last.at)} and changed nothing: ${String(last.detail['reason'])}.`];
  }

  /** The newest hook that failed since the unit began to start. */
  #hookFailure(): readonly string[] {
    const begun = this.#last(({ to }) => STARTS.has(to ?? ''))?.seq ?? 0;
    const failure = this.#use(this.#last(({ event, seq }) => event === HOOK_FAILED && seq > begun));
    return failure === null ? [] : [`Its hook ${String(failure.detail?.['hook'])} failed at ${time(failure.at)}: the command ${String(failure.detail?.['reason'])}.`];
  }

  #starting(): readonly string[] {
    const { name, waits_for: waits = [], since, ready, restarts = 0 } = this.#unit;
    const begun = this.#last(({ to }) => STARTS.has(to ?? ''));
    if (waits.length === 0) {
      const before = begun?.to === 'preparing' ? ['What is to run before its command (skip, pre_start) has not ended yet.'] : [];
      const unready = ready === false ? ['Its health check has not passed yet.'] : [];
      const earlier = restarts > 0 ? this.#before(begun) : [];
      return [`${name} has been starting since ${time(since)}; it was started ${this.#startCause(begun)}.`, ...before, ...unready, ...earlier];
    }
    const unmet = waits.map(({ unit, lost, condition }) => (lost === undefined
      ? `${unit}${AWAITED[condition ?? 'started']}, and goes on as soon as that is so`
      : `${unit} (${lost}); it goes on when ${unit} comes up again: ${this.#startOf(unit)}`));
    return [`${name} has been waiting since ${time(since)} for ${unmet.join('; and for ')}.`, ...waits.flatMap(({ unit }) => this.#storyOf(unit))];
  }

  /** What another unit, which this one waits for, has to say of itself. */
  #storyOf(name: string): readonly string[] {
    const unit = this.#units.find((other) => other.name === name);
    if (unit === undefined || this.#seen.has(name)) return [];
    const story = new Story({ unit, units: this.#units, records: this.#all, nowMs: this.#nowMs, command: this.#command }, this.#seen);
    const sentences = story.sentences();
    for (const record of story.used) this.used.add(record);
    return sentences;
  }

  #stopped(): readonly string[] {
    const { name, lifecycle, reason } = this.#unit;
    const last = this.#lastInto('stopped');
    // A stop of what had ended already is not its end.
    const ended = this.#last(({ from, to, cause }) => to === 'stopped' && !(from === 'stopped' && (STOPS.has(cause?.by ?? '') || cause?.by === name))) ?? last;
    if (lifecycle === 'skipped') return [`${name} was skipped at ${time(ended?.at)}: its skip condition holds.`];
    if (lifecycle === 'exited_successfully') {
      const end = ended ?? this.#own.at(-1) ?? null;
      return [`${name} has completed: ${this.#endOf(end)}.`, ...leftRunning(end), ...this.#essential(last)];
    }
    // A supervisor that took over may have left the unit alone, for a reason that it gave.
    if (reason !== undefined && (last === null || last.event === 'adopt' || this.#unit.wanted === undefined)) return [`${name} is not started: ${reason}.`];
    if (this.#unit.wanted === undefined) return this.#unsupervised();
    if (last === null) return [`${name} has not been started since this supervisor began.`];
    return this.#wasStopped(last);
  }

  /** The stop since the last start that was asked for counts, not what it did to the process. */
  #wasStopped(newest: JournalRecord): readonly string[] {
    const essential = this.#essential(newest);
    if (essential.length > 0) return [...this.#hasFailed(this.#lastInto('failed')), ...essential];
    const begun = this.#last(({ to }) => STARTS.has(to ?? ''))?.seq ?? 0;
    const ordered = this.#last(({ cause, seq }) => seq > begun && cause?.kind === 'command' && cause.by === 'stop');
    return [`${this.#unit.name} was stopped ${this.#because(ordered ?? newest)}.`, ...this.#failureBefore(newest)];
  }

  #hasFailed(end: JournalRecord | null): readonly string[] {
    return [`${this.#unit.name} has failed (${tries(end)}) because ${this.#endOf(end)}.`, ...this.#remarks(end)];
  }

  /** Of the stop that an essential unit brought about by its own end. */
  #essential(stop: JournalRecord | null): readonly string[] {
    if (stop?.cause?.kind !== 'exit' || stop.cause.by !== this.#unit.name) return [];
    return [`It is essential: everything was stopped with it at ${time(this.#use(stop).at)}.`];
  }

  /** How a unit ended that had failed before it was stopped. */
  #failureBefore(stop: JournalRecord): readonly string[] {
    const { from } = stop;
    if (from !== 'failed' && from !== 'backoff') return [];
    const end = this.#last(({ to, seq, detail }) => to === from && seq < stop.seq && detail?.['blame'] !== undefined);
    return end === null ? [] : [`Before that it had failed (${tries(end)}): ${this.#endOf(end)}.`, ...this.#remarks(end)];
  }

  /** A unit that failed, and was stopped with its supervisor afterwards. */
  #wasStoppedAtRest(): boolean {
    return this.#unit.wanted === undefined && this.#last(({ to }) => to !== undefined)?.to === 'stopped';
  }

  /** Of a unit without a process while no supervisor runs: what the journal says last. */
  #unsupervised(): readonly string[] {
    const { name } = this.#unit;
    const newest = this.#use(this.#last(({ to }) => to !== undefined));
    if (newest === null) return [`${name} does not run, and the journal has no record of it.`];
    if (newest.to === 'backoff') return [`${name} was in backoff (${attempt(newest, 0)}) when its supervisor ended, because ${this.#endOf(newest)}.`, ...this.#remarks(newest)];
    if (newest.to === 'stopped') return this.#wasStopped(newest);
    return [`${name} was ${newest.to === 'running' ? 'running' : `at the step '${newest.to ?? ''}'`} (since ${time(newest.at)}) when its supervisor ended, and has no process any more.`];
  }

  #cron(): readonly string[] {
    const { name, next_at: next, wanted, cron } = this.#unit;
    const run = cron?.last_run;
    const past = run === undefined ? 'It has not run yet.' : `Its last run began at ${time(run.started_at)} and ${runResult(run.status)}.`;
    if (wanted === 'down') return [`${name} is suspended: someone stopped it. ${this.#startOf(name)} runs it now and resumes its schedule.`, past];
    return [next === undefined ? `${name} has no further run ahead.` : `${name} waits for its next run at ${time(next)} (${this.#ahead(next)}).`, past];
  }

  /** "it exited with code 1 at 12:01:07, 0.8 s after its start, which followed db's return". */
  #endOf(end: JournalRecord | null): string {
    if (end === null) return 'of something the journal no longer holds';
    this.#use(end);
    const begun = this.#last(({ to, seq }) => to === (end.from === 'preparing' ? 'preparing' : 'spawning') && seq < end.seq);
    if (end.from === 'spawning' && begun !== null) return `its start ${this.#startCause(begun)} was refused: ${String(end.detail?.['reason'])}`;
    // What follows a colon are words of others: a time behind them would be read as theirs.
    const [how = '', ...theirs] = howItEnded(end, this.#sentBefore(end)).split(/(?=: )/);
    const after = begun === null ? '' : `, ${spanInProse(Date.parse(end.at) - Date.parse(begun.at))} after its start ${this.#startCause(begun)}`;
    return `${how} at ${time(end.at)}${after}${theirs.join('')}`;
  }

  /** What else there is to say of an end. */
  #remarks(end: JournalRecord | null): readonly string[] {
    return [...leftRunning(end), ...killedFromOutside(end, end === null ? null : this.#sentBefore(end)), ...lastWords(end)];
  }

  /** The request for a signal that led to this end; null: none did. */
  #sentBefore(end: JournalRecord): JournalRecord | null {
    const { kind, by, seq } = this.#origin(end)?.cause ?? {};
    return kind === 'command' && by === 'signal' ? this.#use(this.#numbered(seq) ?? null) : null;
  }

  /** "the command 'restart -s api' (uid 0, pid 4711)", as far as the journal knows. */
  #asked(by: string, seq: number | undefined): string {
    const request = this.#numbered(seq);
    return request?.event !== REQUEST ? `the command '${by}'` : askedIn(this.#use(request));
  }

  /** What led to the start that this record is part of. */
  #startCause(begun: JournalRecord | null): string {
    if (begun === null) return 'before the journal begins';
    this.#use(begun);
    const { kind, by, seq } = this.#origin(begun)?.cause ?? { kind: 'unknown' };
    const at = time(begun.at);
    switch (kind) {
      case 'boot': return `with the supervisor at ${at}`;
      case 'command': return `by ${this.#asked(by ?? 'start', seq)} at ${at}`;
      case 'reload': return `by a new configuration at ${at}`;
      case 'timer': return `by the restart policy at ${at}`;
      case 'schedule': return `by its schedule at ${at}`;
      case 'adopt': return `before this supervisor, which took it over at ${at}`;
      case 'dependency': {
        const other = this.#numbered(seq);
        if (by === undefined || other === undefined) return `at ${at}, for a unit that needs it`;
        if (other.event === REQUEST) return `at ${at} for ${by}, which needs it, by ${askedIn(this.#use(other))}`;
        return other.unit === by ? `at ${at}, which followed ${by}'s ${this.#upOrDown(other)}` : `at ${at}, for ${by}`;
      }
      default: return `at ${at}`;
    }
  }

  /** A start that followed at once from the end of the process before is due to what ended that process. */
  #origin(begun: JournalRecord): JournalRecord | undefined {
    let record: JournalRecord | undefined = begun;
    while (record?.cause?.kind === 'exit' && record.cause.seq !== undefined && record.cause.seq < record.seq) record = this.#numbered(record.cause.seq);
    if (record?.unit === this.#unit.name) this.#use(record);
    return record;
  }

  /** "return at 12:00:59 (killed by SIGKILL at 12:00:58)". */
  #upOrDown(record: JournalRecord): string {
    this.#use(record);
    if (record.to === 'stopped') return `end at ${time(record.at)}`;
    const before = this.#all.findLast(({ unit, seq, to = '', cause }) => unit === record.unit && seq < record.seq && (FALLS.has(to) || cause?.kind === 'boot'));
    // With a supervisor everything starts anew, whatever an earlier one has seen.
    const fall = before === undefined || before.cause?.kind === 'boot' ? null : this.#use(before);
    if (fall === null) return `start at ${time(record.at)}`;
    const { signal, exit_code: code } = fall.detail ?? {};
    const what = typeof signal === 'string' ? `killed by ${signal}` : typeof code === 'number' ? `exit code ${code}`
      : fall.cause?.kind === 'command' ? `command '${fall.cause.by ?? ''}'` : 'it was away';
    return `return (${what} at ${time(fall.at)})`;
  }

  #because(record: JournalRecord | null): string {
    if (record === null) return 'for a reason the journal no longer holds';
    this.#use(record);
    const { kind, by, seq } = record.cause ?? { kind: 'unknown' };
    const at = time(record.at);
    switch (kind) {
      case 'command': case 'signal': return `by ${this.#asked(by ?? 'stop', seq)} at ${at}`;
      case 'dependency': {
        const other = this.#numbered(seq);
        return `because ${by ?? 'a dependency'} went away at ${at}${other?.event === REQUEST ? `, by ${askedIn(this.#use(other))}` : ''}`;
      }
      case 'reload': return `because of a new configuration at ${at}`;
      case 'probe': return `because its health check failed at ${at}`;
      case 'exit': return `because ${by === undefined ? 'its process' : `the process of ${by}`} ended at ${at}`;
      default: return `at ${at}`;
    }
  }

  #startOf(name: string): string {
    return `${this.#command}start --daemonize -s ${shellWord(name)}`;
  }

  #ahead(at: string): string {
    const ms = Date.parse(at) - this.#nowMs;
    return ms > 0 ? `in ${spanInProse(ms)}` : 'now';
  }

  #use<Found extends JournalRecord | null>(record: Found): Found {
    if (record !== null) this.used.add(record);
    return record;
  }

  #numbered(seq: number | undefined): JournalRecord | undefined {
    return this.#all.findLast((record) => record.seq === seq);
  }

  /** A supervisor that takes a unit over into the state in which the unit was adds nothing to what was recorded of that. */
  #lastInto(state: string): JournalRecord | null {
    return this.#last(({ to, event, detail }) => to === state && (event !== 'adopt' || detail?.['blame'] !== undefined)) ?? this.#last(({ to }) => to === state);
  }

  #last(fits: (record: JournalRecord) => boolean): JournalRecord | null {
    return this.#own.findLast(fits) ?? null;
  }
}

const AWAITED = { started: ' to be started', healthy: ' to be healthy', completed: ' to have completed' } as const;
/** The states that a start leads through. */
const STARTS = new Set(['waiting', 'preparing', 'spawning']);
/** The commands that end a unit. */
const STOPS = new Set(['stop', 'shutdown']);
const FALLS = new Set(['backoff', 'failed', 'clearing', 'stopping']);
