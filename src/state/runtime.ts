import { chmodSync, rmSync, statSync } from 'node:fs';
import { uptime } from 'node:os';
import { failureOf, textOf } from '../errors.ts';
import { makeDirectories, replaceFile } from '../files.ts';
import type { RuntimePaths } from '../runtime-paths.ts';

/**
 * Creates the state, FIFO and log directories with mode 0700 and tightens ours that are wider.
 * Returns a sentence when one cannot be had or belongs to somebody else, else null.
 */
export function prepareRuntime(paths: Pick<RuntimePaths, 'stateDir' | 'fifoDir' | 'logDir'>): string | null {
  for (const directory of [paths.stateDir, paths.fifoDir, paths.logDir]) {
    const refusal = prepareDirectory(directory);
    if (refusal !== null) return refusal;
  }
  return null;
}

/** Whether other users may come near the socket: what guards it is the mode of its directory. */
export function isOpenToOthers(directory: string): boolean {
  return (statSync(directory).mode & 0o077) !== 0;
}

type FilePaths = Pick<RuntimePaths, 'pidFile' | 'configHint' | 'socket'>;

/** Shows clients where the supervisor is: the daemon's pid and the absolute path of its config. A sentence when it cannot, else null. */
export function writeRuntimeFiles(paths: FilePaths, facts: { readonly pid: number; readonly configPath: string }): string | null {
  const writePid = (): void => replaceFile(paths.pidFile, String(facts.pid), { durable: false });
  return writeConfigHint(paths, facts.configPath) ?? failureOf(paths.pidFile, writePid);
}

/** To be called again when another file becomes the config in use. */
export function writeConfigHint(paths: FilePaths, configPath: string): string | null {
  return failureOf(paths.configHint, () => replaceFile(paths.configHint, configPath, { durable: false }));
}

/** At a clean end, by the holder of the lock only. Files already gone are fine. A sentence when one cannot be removed. */
export function removeRuntimeFiles(paths: FilePaths): string | null {
  const problems = [paths.socket, paths.pidFile, paths.configHint].map((path) => failureOf(path, () => rmSync(path, { force: true })));
  return problems.find((problem) => problem !== null) ?? null;
}

/** Whether the supervisor that wrote the pid file has not removed it, and wrote it since the machine was booted. */
export function diedSinceBoot({ pidFile }: Pick<FilePaths, 'pidFile'>): boolean {
  const written = statSync(pidFile, { throwIfNoEntry: false })?.mtimeMs;
  return written !== undefined && written > Date.now() - uptime() * 1000;
}

function prepareDirectory(directory: string): string | null {
  try {
    makeDirectories(directory);
    const found = statSync(directory);
    if (!found.isDirectory()) return `${directory}: expected a directory, found something else`;
    const uid = process.geteuid?.() ?? found.uid;
    if (found.uid !== uid) return `${directory}: belongs to uid ${found.uid}, not to uid ${uid} who runs this supervisor`;
    if ((found.mode & 0o077) !== 0) chmodSync(directory, 0o700);
    return null;
  } catch (error) {
    return `${directory}: cannot be prepared: ${textOf(error)}`;
  }
}
