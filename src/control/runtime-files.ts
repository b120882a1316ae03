import { rmSync } from 'node:fs';
import { attempt } from '../errors.ts';
import { makeDirectories, readPlainFile, replaceFile } from '../files.ts';
import { pidIn, runtimeNames, runtimePaths } from '../runtime-paths.ts';
import { ControlError, ioError } from '../wire/control-error.ts';

/**
 * The three files through which a supervisor is found. Each function takes the state directory, by default the one of
 * user mode. All but `stateDir` throw `ControlError` of kind `io` when the file system refuses.
 */
export function stateDir(home: string | undefined = process.env['HOME']): string {
  return runtimePaths({ system: false, env: { HOME: home } }).stateDir;
}

/** Makes the directory (0700) when it is not there. */
export function socketPath(directory: string = stateDir()): string {
  return inRuntime(directory, runtimeNames.socket);
}

/** Makes the directory (0700) when it is not there. */
export function supervisorPidPath(directory: string = stateDir()): string {
  return inRuntime(directory, runtimeNames.pidFile);
}

/** Makes the directory (0700) when it is not there. */
export function configHintPath(directory: string = stateDir()): string {
  return inRuntime(directory, runtimeNames.configHint);
}

export function writeSupervisorPid(pid: number, directory: string = stateDir()): void {
  put(supervisorPidPath(directory), String(pid));
}

/** `config` is an absolute path. */
export function writeConfigHint(config: string, directory: string = stateDir()): void {
  put(configHintPath(directory), config);
}

/** `null` when there is no file. A file that holds no pid is an `io` error that says so. */
export function readSupervisorPid(directory: string = stateDir()): number | null {
  const path = `${directory}/${runtimeNames.pidFile}`;
  const text = readIfThere(path);
  const pid = text === null ? null : pidIn(text);
  if (text !== null && pid === null) throw new ControlError('io', `${path}: expected a process id, found ${JSON.stringify(text.slice(0, 40))}`);
  return pid;
}

/** `null` when there is no file, or one without a path: what was damaged is no word to people either, whose terminals it would steer. */
export function readConfigHint(directory: string = stateDir()): string | null {
  const text = readIfThere(`${directory}/${runtimeNames.configHint}`) ?? '';
  return text === '' || /(?![\n\t])\p{Cc}/u.test(text) ? null : text;
}

/** Removes the three files; for the supervisor that owns them, or once it is known to be dead. */
export function cleanupRuntime(directory: string = stateDir()): void {
  for (const name of Object.values(runtimeNames)) onDisk(`${directory}/${name}`, (path) => rmSync(path, { force: true }));
}

function inRuntime(directory: string, name: string): string {
  onDisk(directory, () => makeDirectories(directory));
  return `${directory}/${name}`;
}

function put(path: string, text: string): void {
  onDisk(path, () => replaceFile(path, text, { durable: false }));
}

/** Without the blanks around it. */
function readIfThere(path: string): string | null {
  return onDisk(path, () => attempt(() => readPlainFile(path).toString().trim(), null, 'ENOENT'));
}

function onDisk<Value>(path: string, work: (path: string) => Value): Value {
  try {
    return work(path);
  } catch (error) {
    throw ioError(error, path);
  }
}
