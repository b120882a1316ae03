import { existsSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { isStaged, readAdHoc } from '../config/ad-hoc-list.ts';
import { configPaths, firstConfigPath, joinConfigPaths, shownConfigPath } from '../config-path.ts';
import { configNames, discoverConfig, shortestConfig } from '../config/discover.ts';
import { projectOf } from '../config/project.ts';
import { importableNames } from '../engines.ts';
import { hasCode, refusals, type Refusal, type Result } from '../errors.ts';
import { realPath } from '../files.ts';
import { wrongProject } from '../runtime-paths.ts';
import { shellWord } from '../words.ts';
import type { Call } from './call.ts';
import { globals, options } from './options.ts';
import { isControlError, readConfigHint, readSupervisorPid } from '../control/brief-client.ts';

export type ChosenConfig = Result<{ readonly path: string }>;

/** The file for a supervisor to start with: the one named, else the first of the usual names, else that of a unit from the command line. */
export function chooseConfig(call: Call): ChosenConfig {
  const names = named(call) ?? [null];
  const found = names.map((explicit) => discoverConfig({ cwd: call.cwd, configDir: call.paths.configDir, explicit }));
  const problem = found.find((one) => 'problem' in one);
  if (problem === undefined) return { ok: true, path: joinConfigPaths(found.map((one) => ('path' in one ? one.path : ''))) };
  const unit = named(call) === null ? unitAlone(call) : null;
  return unit === null ? { ok: false, refusal: refusals.config(`${problem.problem}${named(call) === null ? nextStep(call) : ''}`) } : { ok: true, path: unit };
}

/** Where there is no file: what can be done with what lies in the working directory and above, else how one begins. */
function nextStep({ cwd }: Call): string {
  const importable = importableNames.find((name) => existsSync(join(cwd, name)));
  if (importable !== undefined) return `; to make one of the ${importable} that is there: sysg import ${importable}`;
  const above = fileAbove(cwd);
  if (above !== null) return `; there is one in a directory above, to be named with: -c ${shellWord(relative(cwd, above))}`;
  return `; to begin, write this into ${configNames[0]}: ${shortestConfig}; one program needs no file: sysg start -- COMMAND`;
}

function fileAbove(directory: string): string | null {
  const parent = dirname(directory);
  if (parent === directory) return null;
  const found = configNames.map((name) => join(parent, name)).find((path) => existsSync(path));
  return found ?? fileAbove(parent);
}

/** Of a unit from the command line, where no supervisor that was killed has left services of a configuration. */
function unitAlone(call: Call): string | null {
  const hint = configInUse(call);
  if (hint !== null) return isNoConfig(call, hint) ? hint : null;
  const [first = null] = readAdHoc(call.paths.stateDir, call.terminal.warn).values();
  return first;
}

/**
 * Why it is not known whose state is meant, where the configuration says: for a command that could not be taken back. The named file is not there, or its
 * project is no name.
 */
export function unclearProject(call: Call): Refusal | null {
  const { flags, env, cwd, paths: { configDir } } = call;
  if (flags.has(globals.project) || env['SYSG_PROJECT']) return null;
  const config = chooseConfig(call);
  if (!config.ok) return named(call) === null ? null : config.refusal;
  const wrong = configPaths(config.path).flatMap((path) => {
    const name = projectOf({ cwd, configDir, explicit: path });
    const problem = !existsSync(path) ? 'there is no such file' : name === null ? null : wrongProject(name);
    return problem === null ? [] : [`${path}: ${name === null ? '' : 'project: '}${problem}`];
  });
  return wrong.length === 0 ? null : refusals.config(wrong.join('\n'));
}

/** The file for a command without a supervisor: as for a start, else the one of a supervisor that was killed, which left a hint. */
export function chooseConfigAtRest(call: Call): ChosenConfig {
  const chosen = chooseConfig(call);
  const hint = chosen.ok || named(call) !== null ? null : configInUse(call);
  return hint === null ? chosen : { ok: true, path: hint };
}

/** That none runs, and the command that would start one. */
export function noSupervisor(call: Call): Refusal {
  const config = chooseConfigAtRest(call);
  const missing = config.ok ? configPaths(config.path).find((path) => !existsSync(path)) : undefined;
  if (missing !== undefined) return refusals.noSupervisor(call.paths.stateDir, `, and there is no file ${missing}`);
  return refusals.noSupervisor(call.paths.stateDir, `; start one with: ${config.ok ? startWith(call, config.path) : `sysg ${call.system ? '--sys ' : ''}start --daemonize -c FILE`}`);
}

/** The command that starts a supervisor with this file, which is named where a start would not find it. */
export function startWith(call: Call, path: string): string {
  const found = discoverConfig({ cwd: call.cwd, configDir: call.paths.configDir, explicit: null });
  const isFound = 'path' in found ? isSame(found.path, path) : path === unitAlone(call);
  const { system, cwd, paths: { configDir, project } } = call;
  const written = projectOf({ cwd, configDir, explicit: configPaths(path).at(-1) ?? null });
  // A name that is refused chooses no project, and the start says what is wrong with the name.
  const own = written !== null && wrongProject(written) === null ? written : null;
  const flag = project === own ? '' : `-p ${shellWord(project ?? '')} `;
  return `sysg ${system ? '--sys ' : ''}${flag}start --daemonize${isFound ? '' : configFlags(path)}`;
}

/** ` -c FILE` for each file. */
export function configFlags(path: string): string {
  return configPaths(path).map((file) => ` -c ${shellWord(file)}`).join('');
}

/** The file for a command that sends it to the supervisor: absolute, or null for the one in use, where that and its directory have not gone. */
export function namedConfig(call: Call): Result<{ readonly path: string | null }> {
  // The supervisor takes what is relative from the directory of its own file.
  if (call.host !== null) return { ok: true, path: named(call) === null ? null : joinConfigPaths(named(call) ?? []) };
  if (named(call) === null) {
    const used = configInUse(call);
    const first = used === null ? null : firstConfigPath(used);
    if (first === null || existsSync(first) || 'path' in discoverConfig({ cwd: dirname(first), configDir: call.paths.configDir, explicit: null })) return { ok: true, path: null };
    const found = chooseConfig(call);
    if (found.ok) call.terminal.warn(`${first} is gone; ${shownConfigPath(found.path)} is read instead`);
    return { ok: true, path: found.ok ? found.path : null };
  }
  const chosen = chooseConfig(call);
  return chosen.ok ? { ok: true, path: within(call, chosen.path) } : chosen;
}

/** The file for a command that only reads it: the one named, else that of a running supervisor, else as without a supervisor. */
export function chooseConfigToRead(call: Call): ChosenConfig {
  const used = named(call) === null && existsSync(call.paths.socket) ? configInUse(call) : null;
  return used === null ? chooseConfigAtRest(call) : { ok: true, path: used };
}

/** Warns when `-c` names another file than the one that the supervisor runs, which `-c` does not change. */
export function warnAboutOtherConfig(call: Call): void {
  const files = named(call);
  const used = files === null ? null : configInUse(call);
  if (files === null || used === null || call.host !== null || isSame(within(call, joinConfigPaths(files)), used)) return;
  // The hint of a dead supervisor stays.
  if (isThere(supervisorPid(call))) call.terminal.warn(`the supervisor runs ${shownConfigPath(used)}; -c ${files.join(' -c ')} is ignored here`);
}

function isThere(pid: number | null): boolean {
  try {
    return pid !== null && process.kill(pid, 0);
  } catch (error) {
    return hasCode(error, 'EPERM');
  }
}

/** The file that `-c` names, where that and the one in use both exist and are two. Null: there is one file, or none is named, or one of them has gone. */
export function otherNamed(call: Call): OtherConfig | null {
  const other = named(call) === null || call.host !== null ? null : otherConfig(call);
  return other !== null && [other.used, other.chosen].flatMap(configPaths).every((path) => existsSync(path)) ? other : null;
}

/** How the file could run in a supervisor of its own beside the one of the call. */
export function besideAdvice({ paths: { project } }: Call, path: string): string {
  const shown = shownConfigPath(path);
  if (project !== null) return `to run both, give ${shown} another project than ${project}`;
  const proposed = basename(dirname(firstConfigPath(path))).replaceAll(/[^A-Za-z0-9_.-]/g, '-');
  return `to run both, name a project in ${shown}, as in "project: ${proposed}", or with --project NAME`;
}

/** The arguments of `-c`. Null: there are none. */
function named(call: Call): readonly string[] | null {
  const files = call.flags.texts(options.config);
  return files.length === 0 ? null : files;
}

/** As an absolute path. */
export function within({ cwd }: Call, path: string): string {
  return joinConfigPaths(configPaths(path).map((file) => resolve(cwd, file)));
}

/** Whether both lead to the same file, through links too. */
export function isSame(one: string, other: string): boolean {
  return joinConfigPaths(configPaths(one).map(realPath)) === joinConfigPaths(configPaths(other).map(realPath));
}

/** A supervisor with this file runs nothing but units that were started from the command line. */
export function isNoConfig({ paths: { stateDir } }: Call, path: string): boolean {
  return isStaged(stateDir, path);
}

/** Whether the supervisor of the call has left word that this is its file. */
export function isConfigOf(call: Call, path: string): boolean {
  const used = configInUse(call);
  return used !== null && isSame(within(call, path), used);
}

/** Absolute paths. */
interface OtherConfig { readonly used: string; readonly chosen: string }

/** The file that a start would use, when the running supervisor's is another one. Null: they are the same, or one of them is not known. */
export function otherConfig(call: Call): OtherConfig | null {
  const [used, chosen] = [configInUse(call), chooseConfig(call)];
  if (used === null || !chosen.ok) return null;
  const path = within(call, chosen.path);
  return isSame(path, used) ? null : { used, chosen: path };
}

/** How a command in a sentence begins: with what has it reach the supervisor of this call from any directory. */
export function commandStart({ host, system, paths: { project } }: Pick<Call, 'host' | 'system' | 'paths'>): string {
  return `sysg ${host === null ? '' : `--host ${shellWord(host)} `}${system ? '--sys ' : ''}${project === null ? '' : `-p ${shellWord(project)} `}`;
}

/** For sentences only: null when the pid file cannot be read or holds no pid. */
export function supervisorPid({ paths }: Call): number | null {
  return unlessUnreadable(() => readSupervisorPid(paths.stateDir));
}

/** The configuration of the running supervisor, by the hint that the supervisor left; null when the hint cannot be read. */
export function configInUse({ paths }: Call): string | null {
  return unlessUnreadable(() => readConfigHint(paths.stateDir));
}

function unlessUnreadable<Value>(read: () => Value): Value | null {
  try {
    return read();
  } catch (error) {
    if (isControlError(error)) return null;
    throw error;
  }
}
