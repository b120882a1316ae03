import { REQUEST } from '../../journal/request-record.ts';
import { HOOK_FAILED } from '../../journal/scribe.ts';
import type { JournalRecord, UnitStatus } from '../../wire/payloads.ts';
import { alsoIn, shellWord, spanInProse } from '../../words.ts';
import { newestRun } from './newest-run.ts';
import { endOf, remarks, startCause, stopCause } from './why-causes.ts';
import { attempt, leftRunning, Past, runResult, time, tries } from './why-records.ts';

/** `text`: sentences; `causes`: the records behind them, oldest first. */
export interface Why { readonly unit: string; readonly phase: string; readonly text: readonly string[]; readonly causes: readonly JournalRecord[] }

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
export function why({ unit, units = [], records, nowMs, command = 'sysg ' }: WhyInput): Why {
  const used = new Set<JournalRecord>();
  const text = sentences({ unit, units, past: new Past(unit.name, records, used), nowMs, command, seen: new Set([unit.name]) });
  return { unit: unit.name, phase: unit.phase ?? 'unknown', text, causes: [...used].sort((one, other) => one.seq - other.seq) };
}

interface Story extends Required<Pick<WhyInput, 'unit' | 'units' | 'nowMs' | 'command'>> {
  readonly past: Past;
  /** Units whose story is there already: a chain of dependencies may meet itself. */
  readonly seen: Set<string>;
}

function sentences(story: Story): readonly string[] {
  const { unit: { name, hash, kind, process }, command } = story;
  // One that pid.xml names stands there by its name, as with systemg 0.33.0.
  const remedy = hash === name ? ` To end it: ${command}stop -s ${shellWord(name)}` : '';
  if (kind === 'orphaned' && process?.state === 'running') return [`${name} runs as pid ${process.pid} without supervision: another supervisor has left it, and no configuration has it.${remedy}`];
  return [...(ofPhases.get(story.unit.phase) ?? ofStopped)(story), ...hookFailure(story)];
}

/** Of a unit in any other phase it is said how it came to rest. */
const ofPhases: ReadonlyMap<UnitStatus['phase'], (story: Story) => readonly string[]> = new Map([
  ['backoff', ofBackoff], ['failed', ofFailed], ['running', ofRunning], ['starting', ofStarting], ['stopping', ofStopping], ['waiting', ofCron],
]);

function ofBackoff(story: Story): readonly string[] {
  const { unit: { name, restarts = 0, next_at: next }, past } = story;
  const end = past.lastInto('backoff');
  return [`${name} is in backoff${attempt(end, restarts, next === undefined ? [] : [`next try ${ahead(story, next)}`])} because ${endOf(past, end)}.`, ...remarks(past, end)];
}

function ofFailed(story: Story): readonly string[] {
  // It failed, and was stopped with its supervisor afterwards.
  if (story.unit.wanted === undefined && story.past.last(({ to }) => to !== undefined)?.to === 'stopped') return unsupervised(story);
  return [...hasFailed(story, story.past.lastInto('failed')), `Nothing more happens until someone starts it: ${startOf(story, story.unit.name)}`];
}

function ofStopping(story: Story): readonly string[] {
  const { unit: { name, kill_at: killAt }, past } = story;
  const wasKilled = past.last(({ to }) => to !== undefined)?.to === 'killing';
  const next = killAt === undefined ? '' : `; ${wasKilled ? 'SIGKILL was sent, and is sent again' : 'SIGKILL follows'} ${ahead(story, killAt)}`;
  const begun = past.last(({ from, to }) => from !== to && (to === 'stopping' || to === 'clearing'));
  const then = afterwards(story, begun);
  if (begun?.to === 'clearing') return [`${name} is ending: ${endOf(past, begun)}${next}${next === '' ? '' : ' to what it left running'}.`, ...then];
  return [`${name} is being stopped ${stopCause(past, begun)}${next}.`, ...then];
}

/** What was ordered since the end began, which that does not wait for. */
function afterwards({ unit: { name, wanted }, past }: Story, begun: JournalRecord | null): readonly string[] {
  const order = past.last(({ from, to, seq }) => from === to && to !== undefined && ENDING.has(to) && seq > (begun?.seq ?? 0));
  if (order === null) return [];
  return [wanted === 'down' ? `After that ${name} stays down: it was stopped ${stopCause(past, order)}.` : `After that ${name} starts again: it was started ${startCause(past, order)}.`];
}

const ENDING = new Set(['stopping', 'killing', 'clearing']);

function ofRunning(story: Story): readonly string[] {
  const { unit, past, nowMs } = story;
  const { name, process, uptime, since: phaseSince = uptime?.started_at, ready, restarts = 0 } = unit;
  const begun = past.lastInto('spawning') ?? past.lastInto('running');
  const pid = process === undefined ? '' : ` as pid ${process.pid}`;
  const moved = past.use(past.last(({ event, seq }) => event === 'move' && seq > (begun?.seq ?? 0)));
  const cause = moved === null ? `it was started ${startCause(past, begun)}` : `it took the place of an earlier process at ${time(moved.at)}`;
  // The phase begins anew under each supervisor; the process goes on.
  const adopted = moved === null && begun?.event !== 'adopt' ? past.use(past.last(({ event, seq }) => event === 'adopt' && seq > (begun?.seq ?? 0))) : null;
  const came = adopted === null ? undefined : past.first(({ to, seq }) => to === 'running' && seq > (begun?.seq ?? 0));
  const since = came?.at ?? phaseSince;
  const text = [`${name} has been running${pid} since ${time(since)} (${spanInProse(nowMs - Date.parse(since ?? ''))}); ${cause}${adopted === null ? '' : `, and another supervisor took it over at ${time(adopted.at)}`}.`];
  if (restarts > 0) text.push(...before(story, begun));
  if (ready === false) text.push('Its health check fails at present.');
  if (process?.halted === true) text.push(`A signal (SIGSTOP or SIGTSTP) has halted it: it does nothing until it is told to go on: ${story.command}signal ${shellWord(name)} CONT`);
  return [...text, ...replacement(story, begun)];
}

/** How the process ended before the one that was begun with this record, where the restart policy began it. */
function before({ past }: Story, begun: JournalRecord | null): readonly string[] {
  const end = past.last(({ to, seq }) => to === 'backoff' && seq < (begun?.seq ?? 0));
  return end === null ? [] : [`Before that ${endOf(past, end)}.`, ...remarks(past, end)];
}

/** What replaces the unit at present, or why the last attempt to replace it did not. */
function replacement({ unit, past }: Story, begun: JournalRecord | null): readonly string[] {
  const { rollout } = unit;
  if (rollout !== undefined) {
    if (rollout.step === 'switching-back') return ['Its traffic is being switched back to the slot that it is in.'];
    const pid = rollout.pid === undefined ? '' : ` (pid ${rollout.pid})`;
    return [rollout.instance === 'candidate'
      ? `It is being replaced: a candidate${pid} is at the step '${rollout.step}', and takes its place when it has passed.`
      : `It has replaced an earlier instance${pid}, which is at the step '${rollout.step}' and ends next.`];
  }
  const last = past.last(({ event, detail }) => event === 'rollout' && detail?.['result'] !== undefined);
  if (last?.detail?.['result'] !== 'kept') return [];
  const { reason } = last.detail;
  // A later start ended what went on.
  if (reason !== undefined && last.seq < (begun?.seq ?? 0)) return [];
  past.use(last);
  // A switch that was left open when its supervisor died, or when the unit was stopped.
  if (reason === undefined) return [`Its traffic was switched back at ${time(last.at)}, which an earlier replacement had left to do.`];
  return [`An attempt to replace it failed at ${time(last.at)}, and it goes on as before: ${String(reason)}.`];
}

/** The newest hook that failed since the unit began to start. */
function hookFailure({ past }: Story): readonly string[] {
  const begun = past.lastStart()?.seq ?? 0;
  const failure = past.use(past.last(({ event, seq }) => event === HOOK_FAILED && seq > begun));
  return failure === null ? [] : [`Its hook ${String(failure.detail?.['hook'])} failed at ${time(failure.at)}: the command ${String(failure.detail?.['reason'])}.`];
}

function ofStarting(story: Story): readonly string[] {
  const { unit, past } = story;
  const { name, waits_for: waits = [], since, ready, restarts = 0 } = unit;
  const begun = past.lastStart();
  if (waits.length === 0) {
    const prepared = begun?.to === 'preparing' ? ['What is to run before its command (skip, pre_start) has not ended yet.'] : [];
    const unready = ready === false ? ['Its health check has not passed yet.'] : [];
    const earlier = restarts > 0 ? before(story, begun) : [];
    return [`${name} has been starting since ${time(since)}; it was started ${startCause(past, begun)}.`, ...prepared, ...unready, ...earlier];
  }
  const unmet = waits.map(({ unit, lost, condition }) => (lost === undefined
    ? `${unit}${AWAITED[condition ?? 'started']}, and goes on as soon as that is so`
    : `${unit} (${lost}); it goes on when ${unit} comes up again: ${startOf(story, unit)}`));
  return [`${name} has been waiting since ${time(since)} for ${unmet.join('; and for ')}.`, ...waits.flatMap(({ unit }) => storyOf(story, unit))];
}

/** What another unit, which this one waits for, has to say of itself. */
function storyOf({ units, past, nowMs, command, seen }: Story, name: string): readonly string[] {
  const unit = units.find((other) => other.name === name);
  return unit === undefined || seen.has(name) ? [] : sentences({ unit, units, past: new Past(name, past.all, past.used), nowMs, command, seen: seen.add(name) });
}

function ofStopped(story: Story): readonly string[] {
  const { unit, past } = story;
  const { name, lifecycle, reason } = unit;
  const last = past.lastInto('stopped');
  // A stop of what had ended already is not its end.
  const ended = past.last(({ from, to, cause }) => to === 'stopped' && !(from === 'stopped' && (STOPS.has(cause?.by ?? '') || cause?.by === name))) ?? last;
  if (lifecycle === 'skipped') return [`${name} was skipped at ${time(ended?.at)}: its skip condition holds.`];
  if (lifecycle === 'exited_successfully') {
    const end = ended ?? past.last();
    return [`${name} has completed: ${endOf(past, end)}.`, ...leftRunning(end), ...essential(story, last)];
  }
  // A supervisor that took over may have left the unit alone, for a reason that it gave.
  if (reason !== undefined && (last === null || last.event === 'adopt' || unit.wanted === undefined)) return [`${name} is not started: ${reason}.`];
  if (unit.wanted === undefined) return unsupervised(story);
  if (last === null) return [`${name} has not been started since this supervisor began.`];
  return wasStopped(story, last);
}

/** The stop since the last start that was asked for counts, not what it did to the process. */
function wasStopped(story: Story, newest: JournalRecord): readonly string[] {
  const { unit, past } = story;
  const asEssential = essential(story, newest);
  if (asEssential.length > 0) return [...hasFailed(story, past.lastInto('failed')), ...asEssential];
  const begun = past.lastStart()?.seq ?? 0;
  const ordered = past.last(({ cause, seq }) => seq > begun && cause?.kind === 'command' && cause.by === 'stop');
  return [`${unit.name} was stopped ${stopCause(past, ordered ?? newest)}.`, ...failureBefore(story, newest)];
}

function hasFailed({ unit, past }: Story, end: JournalRecord | null): readonly string[] {
  return [`${unit.name} has failed (${tries(end)}) because ${endOf(past, end)}.`, ...remarks(past, end)];
}

/** Of the stop that an essential unit brought about by its own end. */
function essential({ unit, past }: Story, stop: JournalRecord | null): readonly string[] {
  if (stop?.cause?.kind !== 'exit' || stop.cause.by !== unit.name) return [];
  return [`It is essential: everything was stopped with it at ${time(past.use(stop).at)}.`];
}

/** How a unit ended that had failed before it was stopped. */
function failureBefore({ past }: Story, stop: JournalRecord): readonly string[] {
  const { from } = stop;
  if (from !== 'failed' && from !== 'backoff') return [];
  const end = past.last(({ to, seq, detail }) => to === from && seq < stop.seq && detail?.['blame'] !== undefined);
  if (end === null) return [];
  return [`Before that it ${from === 'failed' ? `had failed (${tries(end)})` : `was in backoff${attempt(end, 0)}`}: ${endOf(past, end)}.`, ...remarks(past, end)];
}

/** Of a unit without a process while no supervisor runs: what the journal says last. */
function unsupervised(story: Story): readonly string[] {
  const { unit, past } = story;
  const { name } = unit;
  const newest = past.use(past.last(({ to }) => to !== undefined));
  if (newest === null) return [`${name} does not run, and the journal has no record of it.`];
  if (newest.to === 'backoff') return [`${name} was in backoff${attempt(newest, 0)} when its supervisor ended, because ${endOf(past, newest)}.`, ...remarks(past, newest)];
  if (newest.to === 'stopped') return wasStopped(story, newest);
  if (newest.to === 'waiting' && unit.kind === 'cron') return [`${name} has no run under way, and its schedule rests as long as no supervisor runs.`, ...lastRunOf(story)];
  return [`${name} was ${newest.to === 'running' ? 'running' : `at the step '${newest.to ?? ''}'`} (since ${time(newest.at)}) when its supervisor ended, and has no process any more.`];
}

function ofCron(story: Story): readonly string[] {
  const { unit: { name, next_at: next, wanted, cron }, past } = story;
  const lastRun = lastRunOf(story);
  if (wanted === 'down') {
    const stop = past.last(({ event, cause }) => event !== REQUEST && cause?.kind === 'command' && cause.by === 'stop');
    return [`${name} is suspended: it was stopped ${stopCause(past, stop)}. ${startOf(story, name)} runs it now and resumes its schedule.`, ...lastRun];
  }
  if (next === undefined) return [`${name} has no further run ahead.`, ...lastRun];
  return [`${name} waits for its next run at ${time(next)}${alsoIn(cron?.timezone, next)} (${ahead(story, next)}).`, ...lastRun];
}

/** How the last run ended, and what was left out since. */
function lastRunOf(story: Story): readonly string[] {
  const { cron } = story.unit;
  const run = newestRun(cron);
  const lastDue = cron?.last_run;
  const lastRun = run === undefined
    ? (lastDue === undefined ? ['It has not run yet.'] : [])
    : [`Its last run began at ${time(run.started_at)} and ${runResult(run.status)}.`, ...endOfRun(story, run.started_at)];
  const before = run === undefined ? 'a run that is no longer recorded' : 'that';
  if (lastDue?.status === 'OverlapError') lastRun.push(`Since ${before} still went on at ${time(lastDue.started_at)}, the run that was due then was left out.`);
  return lastRun;
}

/** What else there is to say of the end of the run that began then, where that has failed. */
function endOfRun({ past }: Story, begun: string): readonly string[] {
  const end = past.last(({ to, detail }) => to === 'waiting' && detail?.['blame'] !== undefined);
  // The begin of a run is known to the second.
  return end === null || Date.parse(end.at) < Math.floor(Date.parse(begun) / 1000) * 1000 ? [] : remarks(past, past.use(end));
}

function startOf({ command }: Story, name: string): string {
  return `${command}start --daemonize -s ${shellWord(name)}`;
}

function ahead({ nowMs }: Story, at: string): string {
  const ms = Date.parse(at) - nowMs;
  return ms > 0 ? `in ${spanInProse(ms)}` : 'now';
}

const AWAITED = { started: ' to be started', healthy: ' to be healthy', completed: ' to have completed' } as const;
/** The commands that end a unit. */
const STOPS = new Set(['stop', 'shutdown']);
