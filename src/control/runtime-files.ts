import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { errorCode } from '../errors.ts';
import { ControlError, ioError } from '../wire/control-error.ts';

/**
 * The three files through which a supervisor is found. Each function takes the state directory, by default the one of
 * user mode. All but `stateDir` throw `ControlError` of kind `io` when the file system refuses.
 */
export function stateDir(home: string | undefined = process.env['HOME']): string {
  // Without HOME systemg 0.33.0 uses the root directory.
  return `${home ?? ''}/.local/share/systemg`;
}

/** Makes the directory (0700) when it is not there. */
export function socketPath(directory: string = stateDir()): string {
  return inRuntime(directory, 'control.sock');
}

/** Makes the directory (0700) when it is not there. */
export function supervisorPidPath(directory: string = stateDir()): string {
  return inRuntime(directory, 'sysg.pid');
}

/** Makes the directory (0700) when it is not there. */
export function configHintPath(directory: string = stateDir()): string {
  return inRuntime(directory, 'config_hint');
}

export function writeSupervisorPid(pid: number, directory: string = stateDir()): void {
  replaceFile(supervisorPidPath(directory), String(pid));
}

/** `config` is an absolute path. */
export function writeConfigHint(config: string, directory: string = stateDir()): void {
  replaceFile(configHintPath(directory), config);
}

/** `null` when there is no file. A file that holds no pid is an `io` error that says so. */
export function readSupervisorPid(directory: string = stateDir()): number | null {
  const path = `${directory}/sysg.pid`;
  const text = readIfThere(path)?.trim();
  if (text === undefined) return null;
  const pid = /^\+?[0-9]{1,10}$/.test(text) ? Number(text) : 0;
  if (pid < 1 || pid > MAX_PID) throw new ControlError('io', `${path}: expected a process id, found ${JSON.stringify(text.slice(0, 40))}`);
  return pid;
}

/** `null` when there is no file, or an empty one. */
export function readConfigHint(directory: string = stateDir()): string | null {
  const text = readIfThere(`${directory}/config_hint`)?.trim();
  return text === undefined || text === '' ? null : text;
}

/** Removes the three files; for the supervisor that owns them, or once it is known to be dead. */
export function cleanupRuntime(directory: string = stateDir()): void {
  for (const name of ['control.sock', 'sysg.pid', 'config_hint']) {
    const path = `${directory}/${name}`;
    try {
      rmSync(path, { force: true });
    } catch (error) {
      throw ioError(error, path);
    }
  }
}

function inRuntime(directory: string, name: string): string {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw ioError(error, directory);
  }
  return `${directory}/${name}`;
}

function replaceFile(path: string, text: string): void {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    writeFileSync(temporary, text, { mode: 0o600 });
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw ioError(error, path);
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw ioError(error, path);
  }
}

/** `pid_t`. */
const MAX_PID = 2 ** 31 - 1;
