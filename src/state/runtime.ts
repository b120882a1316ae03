import { chmodSync, constants, existsSync, lstatSync, readdirSync, renameSync, rmSync, statSync, type Stats } from 'node:fs';
import { uptime } from 'node:os';
import { join } from 'node:path';
import { lineEndProblem } from '../config-path.ts';
import { attempt, failureOf, textOf } from '../errors.ts';
import { isAccessible, isDirectory, makeDirectories } from '../files.ts';
import type { RuntimePaths } from '../runtime-paths.ts';
import { socketPathProblem } from '../wire/socket.ts';

type DirectoryPaths = Pick<RuntimePaths, 'stateDir' | 'fifoDir' | 'logDir' | 'supervisorLog' | 'socket'>;

/**
 * Creates the state, FIFO and log directories with mode 0700 and tightens ours that are wider. What is no directory in the place of the last two, and what
 * is no plain file in the place of a file (a FIFO would hold up its reader, and through a link another file would be written), is set aside, of which
 * `onAside` hears in a sentence. Returns a sentence when one cannot be had or belongs to somebody else, when no
 * socket or no configuration can be in it, or when processes cannot be seen, else null.
 */
export function prepareRuntime(paths: DirectoryPaths, onAside: (text: string) => void = () => undefined): string | null {
  const unusable = socketPathProblem(paths.socket) ?? lineEndProblem(paths.stateDir) ?? (seesProcesses() ? null : UNSEEN);
  if (unusable !== null) return unusable;
  for (const directory of [paths.stateDir, paths.fifoDir, paths.logDir]) {
    const aside = directory === paths.stateDir ? null : setAside(directory);
    if (aside !== null) onAside(aside);
    const refusal = prepareDirectory(directory);
    if (refusal !== null) return refusal;
  }
  for (const [path, why] of foreignIn(paths)) onAside(moveAside(path, why));
  return null;
}

/** Why another supervisor could not begin at present, in a sentence; null: it could. */
export function startObstacle(paths: DirectoryPaths, onAside: (text: string) => void): string | null {
  return prepareRuntime(paths, onAside) ?? (isAccessible(paths.stateDir, constants.W_OK) ? null : `${paths.stateDir}: nothing can be written there, and it needs a socket`);
}

/** On Linux every process is known by its entry in /proc: proc(5). */
export function seesProcesses(): boolean {
  return process.platform !== 'linux' || existsSync(`/proc/${process.pid}/stat`);
}

const UNSEEN = '/proc shows no processes, and sysg starts and ends none that it cannot see there: mount it, as by "mount -t proc proc /proc"';

/** Whether FIFOs, logs and state files can be where they belong. */
export function isPrepared(paths: DirectoryPaths): boolean {
  return [paths.fifoDir, paths.logDir].every(isDirectory) && foreignIn(paths).length === 0;
}

/** Whether other users may come near the socket: what guards it is the mode of its directory. */
export function isOpenToOthers(directory: string): boolean {
  return (statSync(directory).mode & 0o077) !== 0;
}

type FilePaths = Pick<RuntimePaths, 'pidFile' | 'configHint' | 'socket'>;

/** At a clean end, by the holder of the lock only. Files already gone are fine. A sentence when one cannot be removed. */
export function removeRuntimeFiles(paths: FilePaths): string | null {
  const problems = [paths.socket, paths.pidFile, paths.configHint].map((path) => failureOf(path, () => rmSync(path, { force: true })));
  return problems.find((problem) => problem !== null) ?? null;
}

/** Whether the supervisor that wrote the pid file has not removed it, and wrote it since the machine was booted. */
export function diedSinceBoot({ pidFile }: Pick<FilePaths, 'pidFile'>): boolean {
  const written = attempt(() => statSync(pidFile), undefined)?.mtimeMs;
  return written !== undefined && written > Date.now() - uptime() * 1000;
}

function isFile(path: string): boolean {
  return attempt(() => statSync(path).isFile(), false);
}

/** Makes way for a directory. A sentence when something was there, else null. */
function setAside(directory: string): string | null {
  return isDirectory(directory) || !isThere(directory) ? null : moveAside(directory, 'is no directory');
}

function foreignIn({ stateDir, supervisorLog }: DirectoryPaths): readonly (readonly [path: string, why: string])[] {
  const names = attempt(() => readdirSync(stateDir), []);
  return [...names.filter((name) => FILE_NAME.test(name)).map((name) => join(stateDir, name)), supervisorLog].flatMap((path) => {
    const found = lookedAt(path);
    // A lock is held and not written: where it leads to another file, whoever has that one locked goes on.
    if (path.endsWith('.tmp')) return found?.isDirectory() === true ? [[path, 'is a directory in the way of a file']] : [];
    if (found?.isSymbolicLink() === true) return path.endsWith('.lock') && isFile(path) ? [] : [[path, 'is a symbolic link, through which nothing is written']];
    return found === undefined || found.isFile() || (found.isSocket() && path.endsWith('.sock')) ? [] : [[path, 'is not the file that belongs there']];
  });
}

/** Of the files that are made here, and by systemg 0.33.0, also before they are complete: then whatever is no directory is written over. */
const FILE_NAME = /(\.(ndjson|reserve|xml|json|pid|lock|sock)|^config_hint)(\.tmp)?$/;

function moveAside(path: string, why: string): string {
  const places = [`${path}.aside`, ...Array.from({ length: MOST_ASIDE }, (_, index) => `${path}.aside-${index + 2}`)];
  const aside = places.find((place) => !isThere(place)) ?? `${path}.aside`;
  try {
    renameSync(path, aside);
    return `${path}: ${why}; what was there is ${aside} now`;
  } catch (error) {
    return `${path}: ${why}, and cannot be set aside: ${textOf(error)}`;
  }
}

const MOST_ASIDE = 20;

function isThere(path: string): boolean {
  return lookedAt(path) !== undefined;
}

/** What this user may not look at (EACCES) is met again where it is used, and named there. */
function lookedAt(path: string): Stats | undefined {
  return attempt(() => lstatSync(path), undefined);
}

function prepareDirectory(directory: string): string | null {
  try {
    makeDirectories(directory);
    const found = statSync(directory);
    const uid = process.geteuid?.() ?? found.uid;
    if (found.uid !== uid) return `${directory}: belongs to uid ${found.uid}, not to uid ${uid} who runs this supervisor`;
    if ((found.mode & 0o077) !== 0) chmodSync(directory, 0o700);
    return null;
  } catch (error) {
    return `${directory}: cannot be prepared: ${textOf(error)}`;
  }
}
