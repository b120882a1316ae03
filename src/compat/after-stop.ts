import { join } from 'node:path';
import { replaceFile } from '../state/replace-file.ts';
import { encodePidFile } from './pid-file.ts';
import type { StateFiles } from './read-files.ts';
import { encodeStateFile, type StateFile } from './state-file.ts';
import { writeXml } from './xml.ts';

/**
 * Puts down in the files that these units are stopped; for the holder of the lock. The ledger is not told, so that the next supervisor takes the files
 * for its guide. Throws what the file system says.
 */
export function recordStopped(stateDir: string, files: StateFiles, stopped: readonly { readonly name: string; readonly hash: string }[]): void {
  const names = new Set(stopped.map(({ name }) => name));
  const hashes = new Set(stopped.map(({ hash }) => hash));
  if (files.pid !== null) {
    const left = (pids: ReadonlyMap<string, number>): ReadonlyMap<string, number> => new Map([...pids].filter(([name]) => !names.has(name)));
    const spawned = files.pid.spawned.filter(({ serviceHash }) => serviceHash === null || !hashes.has(serviceHash));
    replaceFile(join(stateDir, 'pid.xml'), writeXml(encodePidFile({ services: left(files.pid.services), groups: left(files.pid.groups), spawned })), { durable: false });
  }
  const state: StateFile = new Map([...(files.state ?? []), ...stopped.map(({ hash }) => [hash, { status: 'stopped', pid: null, exitCode: null, signal: null }] as const)]);
  replaceFile(join(stateDir, 'state.xml'), writeXml(encodeStateFile(state)), { durable: false });
}
