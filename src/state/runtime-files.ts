import { rmSync } from 'node:fs';
import { textOf } from '../errors.ts';
import { replaceFile } from './replace-file.ts';
import type { RuntimePaths } from './runtime.ts';

type FilePaths = Pick<RuntimePaths, 'pidFile' | 'configHint' | 'socket'>;

/** Tells clients whom to talk to: the daemon's pid and the absolute path of its config. A sentence when it cannot, else null. */
export function writeRuntimeFiles(paths: FilePaths, facts: { readonly pid: number; readonly configPath: string }): string | null {
  return writeConfigHint(paths, facts.configPath) ?? attempt(paths.pidFile, () => replaceFile(paths.pidFile, String(facts.pid), { durable: false }));
}

/** Again whenever another file becomes the config in use. */
export function writeConfigHint(paths: FilePaths, configPath: string): string | null {
  return attempt(paths.configHint, () => replaceFile(paths.configHint, configPath, { durable: false }));
}

/** At a clean end, by the holder of the lock only. Files already gone are fine. A sentence when one cannot be removed. */
export function removeRuntimeFiles(paths: FilePaths): string | null {
  const problems = [paths.socket, paths.pidFile, paths.configHint].map((path) => attempt(path, () => rmSync(path, { force: true })));
  return problems.find((problem) => problem !== null) ?? null;
}

function attempt(path: string, work: () => void): string | null {
  try {
    work();
    return null;
  } catch (error) {
    return `${path}: ${textOf(error)}`;
  }
}
