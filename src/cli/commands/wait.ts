import { setTimeout as pause } from 'node:timers/promises';
import type { UnitStatus } from '../../wire/payloads.ts';
import { refusals, type Result } from '../../errors.ts';
import { parseDuration } from '../../words.ts';
import { askStatus } from '../ask.ts';
import type { Call } from '../call.ts';
import { goals, options, type Goal } from '../options.ts';
import { phaseOf, unitNamed } from '../print/unit.ts';
import { outcomeOf, refuse, report, type UnitOutcome, withProgress } from '../report.ts';
import { isRunning } from '../supervision.ts';

/** Waits until units reach a state: exit code 0, or 124 when the time is over. */
export async function wait(call: Call): Promise<number> {
  const goal = goals.find((candidate) => candidate === call.flags.text(options.goal));
  if (goal === undefined) return call.terminal.refuse(refusals.usage(`wait needs a state: sysg wait ${call.operands.join(' ')} --for ${goals.join('|')}\ntry: sysg wait --help`));
  return withProgress(call, { expects: ({ name, hash }) => call.operands.includes(name) || call.operands.includes(hash), comesUp: true }, () => waitFor(call, goal));
}

async function waitFor(call: Call, goal: Goal): Promise<number> {
  const limit = call.flags.text(options.timeout);
  const parsed = limit === null ? null : parseDuration(limit);
  const endsMs = parsed?.ok ? performance.now() + parsed.value : Infinity;
  for (let waitMs = SHORTEST_WAIT_MS; ; waitMs = Math.min(waitMs * 1.5, LONGEST_WAIT_MS)) {
    const seen = await look(call, goal);
    if (!seen.ok) return refuse(call, seen.refusal);
    const missing = seen.units.filter(({ error }) => error !== undefined);
    if (missing.length === 0) return report(call, { message: '', units: seen.units });
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

/** A unit that has not reached the state has an `error`: what it is instead. */
async function look(call: Call, goal: Goal): Promise<Result<{ readonly units: readonly UnitOutcome[] }>> {
  const names = [...new Set(call.operands)];
  const status = await askStatus(call);
  if (!status.ok) {
    if (status.refusal.code !== 'no-supervisor') return status;
    // A supervisor that is being replaced holds the lock, or will in a moment; without one nothing runs.
    const running = isRunning(call);
    if (typeof running !== 'boolean') return { ok: false, refusal: running };
    if (running) return { ok: true, units: names.map((name) => ({ name, phase: 'unknown', error: 'is not known: the supervisor does not answer yet' })) };
    return goal === 'stopped' ? { ok: true, units: names.map((name) => ({ name, phase: 'stopped' })) } : status;
  }
  const units: UnitOutcome[] = [];
  for (const name of names) {
    const unit = unitNamed(status.snapshot.units, name);
    if (unit === undefined) return { ok: false, refusal: refusals.unknownUnit(name) };
    units.push({ ...outcomeOf(unit), ...(!isThere(unit, goal) && { error: instead(unit) }) });
  }
  return { ok: true, units };
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
    case 'completed': return atRest && (unit.kind === 'cron' ? unit.cron?.last_run?.status === 'Success' : lifecycle === 'exited_successfully');
  }
}

function instead(unit: UnitStatus): string {
  const phase = phaseOf(unit);
  const exit = unit.last_exit?.exit_code ?? unit.last_exit?.signal;
  const how = exit === undefined ? '' : ` (last ${unit.last_exit?.exit_code === undefined ? 'signal' : 'exit code'} ${exit})`;
  return `is ${phase}${phase === 'running' && unit.ready === false ? ', not ready' : ''}${how}`;
}
