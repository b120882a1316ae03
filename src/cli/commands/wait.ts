import { setTimeout as pause } from 'node:timers/promises';
import type { UnitStatus } from '../../wire/payloads.ts';
import { refusals, type Result } from '../../errors.ts';
import { parseDuration } from '../../words.ts';
import { askRecords, askStatus } from '../ask.ts';
import type { Call } from '../call.ts';
import { commandStart, warnAboutOtherConfig } from '../config-choice.ts';
import { askedWords, namedUnits, notPresent } from '../names.ts';
import { goals, options, type Goal } from '../options.ts';
import { phaseOf, unitNamed } from '../print/unit.ts';
import { newestRun } from '../print/newest-run.ts';
import { outcomeOf, refuse, report, type UnitOutcome, withProgress } from '../report.ts';
import { isRunning } from '../presence.ts';

/** Waits until units reach a state: exit code 0; 124 when the time is over; 1 as soon as a unit is at rest in another state, where nothing but a new order would bring it there. */
export async function wait(call: Call): Promise<number> {
  const goal = goals.find((candidate) => candidate === call.flags.text(options.goal));
  if (goal === undefined) return call.terminal.refuse(refusals.usage(`wait needs a state: sysg wait ${askedWords(call).join(' ')} --for ${goals.join('|')}\ntry: sysg wait --help`));
  warnAboutOtherConfig(call);
  const named = await namedUnits(call);
  if (!named.ok) return refuse(call, named.refusal);
  const names = named.names ?? [];
  return withProgress(call, { expects: ({ name, hash }) => names.includes(name) || names.includes(hash), comesUp: true }, () => waitFor(call, names, goal));
}

async function waitFor(call: Call, names: readonly string[], goal: Goal): Promise<number> {
  const limit = call.flags.text(options.timeout);
  const parsed = limit === null ? null : parseDuration(limit);
  const endsMs = parsed?.ok ? performance.now() + parsed.value : Infinity;
  for (let waitMs = SHORTEST_WAIT_MS; ; waitMs = Math.min(waitMs * 1.5, LONGEST_WAIT_MS)) {
    const seen = await look(call, names, goal);
    if (!seen.ok) return refuse(call, seen.refusal);
    const missing = seen.units.filter(({ error }) => error !== undefined);
    if (missing.length === 0) return report(call, { message: '', units: seen.units });
    if (seen.resting.length > 0) {
      // A cron unit whose run has failed goes on: another run is not the one that was waited for.
      const isOver = seen.resting.every(isAtRest) ? ', and nothing is under way that would change that' : '';
      return refuse(call, refusals.refused(`not ${goal}${isOver}: ${await reasons(call, seen.resting)}`), seen.units);
    }
    const leftMs = endsMs - performance.now();
    if (leftMs <= 0) {
      const text = missing.map(({ name, error }) => `${name} ${error}`).join('; ');
      refuse(call, refusals.timeout(`not ${goal} after ${limit}: ${text}`), seen.units);
      return TIMED_OUT;
    }
    await pause(Math.min(waitMs, leftMs));
  }
}

/** The exit code of timeout(1). */
const TIMED_OUT = 124;
const SHORTEST_WAIT_MS = 30;
const LONGEST_WAIT_MS = 500;

interface Seen {
  /** A unit that has not reached the state has an `error`: what it is instead. */
  readonly units: readonly UnitOutcome[];
  /** Those of them that will not reach the state by themselves. */
  readonly resting: readonly UnitStatus[];
}

async function look(call: Call, names: readonly string[], goal: Goal): Promise<Result<Seen>> {
  const status = await askStatus(call);
  if (!status.ok) {
    if (status.refusal.code !== 'no-supervisor') return status;
    // A supervisor that is being replaced holds the lock, or will in a moment; without one nothing runs.
    const running = isRunning(call);
    if (typeof running !== 'boolean') return { ok: false, refusal: running };
    if (running) return { ok: true, units: names.map((name) => ({ name, phase: 'unknown', error: 'is not known: the supervisor does not answer yet' })), resting: [] };
    return goal === 'stopped' ? { ok: true, units: names.map((name) => ({ name, phase: 'stopped' })), resting: [] } : status;
  }
  const units: UnitOutcome[] = [];
  const resting: UnitStatus[] = [];
  for (const name of names) {
    const unit = unitNamed(status.snapshot.units, name);
    if (unit === undefined) return { ok: false, refusal: await notPresent(call, name, status.snapshot.units.map((other) => other.name)) };
    const isMissing = !isThere(unit, goal);
    units.push({ ...outcomeOf(unit), ...(isMissing && { error: instead(unit) }) });
    if (isMissing && (isAtRest(unit) || (goal === 'completed' && hasFailedRun(unit)))) resting.push(unit);
  }
  return { ok: true, units, resting };
}

export function isThere(unit: Pick<UnitStatus, 'phase' | 'process' | 'ready' | 'lifecycle' | 'kind' | 'cron'>, goal: Goal): boolean {
  const { ready, lifecycle } = unit;
  const phase = phaseOf(unit);
  const atRest = phase === 'stopped' || phase === 'waiting';
  switch (goal) {
    case 'running': return phase === 'running';
    case 'ready': return phase === 'running' && ready !== false;
    case 'stopped': return atRest;
    case 'failed': return phase === 'failed';
    case 'completed': return atRest && (unit.kind === 'cron' ? newestRun(unit.cron)?.status === 'Success' : lifecycle === 'exited_successfully');
  }
}

/** Whether the unit stays as it is until somebody orders something. Of a supervisor of systemg 0.33.0, whose units have no phase, that is not known. */
export function isAtRest({ phase, ordered, wanted, next_at: next, waits_for: waits = [] }: Pick<UnitStatus, 'phase' | 'ordered' | 'wanted' | 'next_at' | 'waits_for'>): boolean {
  if (ordered !== undefined) return false;
  switch (phase) {
    case 'stopped':
    case 'failed': return true;
    case 'starting': return waits.some(({ lost }) => lost !== undefined);
    // A cron unit whose schedule is suspended, or has no further instant.
    case 'waiting': return wanted === 'down' || next === undefined;
    default: return false;
  }
}

/** Of a cron unit the newest run counts; the next one is a matter of the schedule. */
export function hasFailedRun({ phase, cron }: Pick<UnitStatus, 'phase' | 'cron'>): boolean {
  return phase === 'waiting' && typeof newestRun(cron)?.status === 'object';
}

/** Of each unit why it is as it is, in the words of `sysg why`. */
async function reasons(call: Call, units: readonly UnitStatus[]): Promise<string> {
  const { why } = await import('../print/why.ts');
  const read = await askRecords(call, null);
  const records = read.ok ? read.records : [];
  return units.map((unit) => {
    const { text } = why({ unit, records, nowMs: Date.now(), command: commandStart(call) });
    // A cron unit begins with its next run.
    return (unit.kind === 'cron' ? text.slice(0, 2).toReversed().join(' ') : text[0]) ?? `${unit.name} ${instead(unit)}`;
  }).join(' ');
}

function instead(unit: UnitStatus): string {
  const phase = phaseOf(unit);
  const exit = unit.last_exit?.exit_code ?? unit.last_exit?.signal;
  const how = exit === undefined ? '' : ` (last ${unit.last_exit?.exit_code === undefined ? 'signal' : 'exit code'} ${exit})`;
  return `is ${phase}${phase === 'running' && unit.ready === false ? ', not ready' : ''}${how}`;
}
