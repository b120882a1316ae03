import { readAdHoc, removeUnit, without, writeAdHoc } from '../config/ad-hoc-list.ts';
import { stagedPath, stageUnit, unitName } from '../config/staged-unit.ts';
import { refusals, textOf, type Refusal, type Result } from '../errors.ts';
import { resolveProgram } from '../process/program.ts';
import { prepareRuntime } from '../state/runtime.ts';
import { ask, messageOf } from './ask.ts';
import type { Call } from './call.ts';
import { configInUse } from './config-choice.ts';
import { options } from './options.ts';
import { refuseUnits, reportUnits, withProgress } from './report.ts';

interface Unit { readonly name: string; readonly command: readonly string[]; readonly cwd: string }

export function unitOf(call: Call, command: readonly string[]): Unit {
  return { name: unitName({ command, name: call.flags.text(options.name) }), command, cwd: call.cwd };
}

/** Has the running supervisor start a command as a unit beside the others. */
export async function addUnit(call: Call, { name, command, cwd }: Unit): Promise<number> {
  const request = { kind: 'add', name, command, directory: cwd, settlements: call.flags.has(options.json) } as const;
  const answer = await withProgress(call, { expects: (unit) => unit.name === name }, () => ask(call, request));
  return answer.ok ? reportUnits(call, messageOf(answer.response), [name]) : refuseUnits(call, answer, [name]);
}

/** Writes the configuration that a supervisor is begun with for the sake of a command. */
export function stage({ env, paths: { stateDir }, paths, terminal }: Call, unit: Unit): Result<{ readonly path: string }> {
  const listed = readAdHoc(stateDir, terminal.warn);
  const before = listed.get(unit.name);
  if (before !== undefined && before !== stagedPath(stateDir, unit)) {
    return { ok: false, refusal: refusals.runtime(`there is a unit '${unit.name}' of another command, see ${before}; choose another name with --name, or first: sysg stop --forget ${unit.name}`) };
  }
  const program = resolveProgram(unit.command[0] ?? '', env['PATH'], unit.cwd);
  if (!program.ok) return { ok: false, refusal: refusals.runtime(program.reason) };
  const unusable = prepareRuntime(paths, terminal.warn);
  if (unusable !== null) return { ok: false, refusal: refusals.runtime(unusable) };
  try {
    return { ok: true, path: stageUnit(stateDir, unit, [...listed.values()]) };
  } catch (error) {
    return { ok: false, refusal: refusals.runtime(`the unit could not be written: ${textOf(error)}`) };
  }
}

/** While no supervisor runs and the units have been stopped. Why they cannot be forgotten, or null. */
export function forgetAtRest(call: Call, names: readonly string[]): Refusal | null {
  const { paths: { stateDir }, terminal } = call;
  const listed = readAdHoc(stateDir, terminal.warn, true);
  try {
    writeAdHoc(stateDir, without(listed, names));
    for (const name of names) {
      const path = listed.get(name);
      if (path !== undefined) removeUnit(path, configInUse(call));
    }
    return null;
  } catch (error) {
    return refusals.runtime(`${names.join(', ')} could not be forgotten: ${textOf(error)}`);
  }
}

/** Those that are services of a configuration, which alone can be without them. */
export function unforgettable({ paths: { stateDir }, terminal }: Call, names: readonly string[]): Refusal | null {
  const listed = readAdHoc(stateDir, terminal.warn);
  const configured = names.filter((name) => !listed.has(name));
  if (configured.length === 0) return null;
  return refusals.refused(configured.map((name) => `'${name}' is no unit that was started from the command line: what a configuration names is removed there, then reload`).join('\n'));
}
