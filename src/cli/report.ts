import type { StatusSnapshot, UnitStatus } from '../wire/payloads.ts';
import { exitCodeOf, type Refusal } from '../errors.ts';
import { legible } from '../width.ts';
import { askStatus, type Failure } from './ask.ts';
import type { Call } from './call.ts';
import { options } from './options.ts';
import { phaseOf } from './print/unit.ts';
import type { ProgressOptions } from './screen/progress.ts';

/** One unit in the JSON that commands answer with. */
export interface UnitOutcome { readonly name: string; readonly phase: string; readonly pid?: number; readonly error?: string }

/** How a command that changes something ended, in the form that was asked for. Returns the exit code. */
export function report(call: Call, outcome: { readonly message: string; readonly units: readonly UnitOutcome[] }): number {
  if (call.flags.has(options.json)) call.terminal.print(JSON.stringify({ ok: true, ...outcome }, null, 2));
  else if (outcome.message !== '') call.terminal.print(legible(outcome.message));
  return 0;
}

/** With `--json` the refusal is on stdout as well, for the program that asked. */
export function refuse(call: Call, refusal: Refusal, units: readonly UnitOutcome[] = []): number {
  if (call.flags.has(options.json)) call.terminal.print(JSON.stringify({ ok: false, message: refusal.message, units }, null, 2));
  call.terminal.refuse(refusal);
  return exitCodeOf(refusal);
}

/** As `refuse`; with `--json` also the present state of the units, and why each of them failed. */
export async function refuseUnits(call: Call, { refusal, units = [], done = '' }: Failure, only: readonly string[] | null): Promise<number> {
  const status = call.flags.has(options.json) && refusal.code === 'refused' ? await askStatus(call) : null;
  if (done !== '' && !call.flags.has(options.json)) call.terminal.print(done);
  if (status?.ok !== true) return refuse(call, refusal);
  const errors = new Map(units.map(({ unit, error }) => [unit, error]));
  return refuse(call, refusal, outcomes(status.snapshot, only).map((unit) => {
    const error = errors.get(unit.name) ?? (only?.length === 1 && unit.name === only[0] ? refusal.message : undefined);
    return { ...unit, ...(error !== undefined && { error }) };
  }));
}

/** Ends a command that changed something with the supervisor's message and, for programs, how the units are now. */
export async function reportUnits(call: Call, message: string, only: readonly string[] | null): Promise<number> {
  const status = call.flags.has(options.json) ? await askStatus(call) : null;
  return report(call, { message, units: status?.ok ? outcomes(status.snapshot, only) : [] });
}

export function outcomes(snapshot: StatusSnapshot, only: readonly string[] | null): UnitOutcome[] {
  return snapshot.units.filter(({ name }) => only === null || only.includes(name)).map(outcomeOf);
}

export function outcomeOf(unit: UnitStatus): UnitOutcome {
  return { name: unit.name, phase: phaseOf(unit), ...(unit.process !== undefined && { pid: unit.process.pid }) };
}

export function showsProgress({ terminal, env, flags }: Call): boolean {
  return terminal.columns !== null && env['TERM'] !== 'dumb' && !flags.has(options.json);
}

/** While a command works, shows on a terminal what becomes of each unit, one line for each; elsewhere nothing. */
export async function withProgress<Outcome>(call: Call, asked: ProgressOptions, work: () => Promise<Outcome>): Promise<Outcome> {
  if (!showsProgress(call)) return work();
  const { openProgress } = await import('./screen/progress.ts');
  const progress = openProgress(call, asked);
  try {
    if (asked.comesUp !== true) await progress.begun;
    const outcome = await work();
    if (asked.settlesMs !== undefined) await progress.settle(asked.settlesMs);
    return outcome;
  } finally {
    await progress.close();
  }
}
