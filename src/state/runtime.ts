import { chmodSync, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { textOf } from '../errors.ts';

/** Where a supervisor keeps what it keeps. Absolute paths, systemg 0.33.0's names where it has them. */
export interface RuntimePaths {
  readonly stateDir: string;
  readonly logDir: string;
  readonly configDir: string;
  readonly socket: string;
  readonly pidFile: string;
  readonly configHint: string;
  readonly ledger: string;
  readonly lock: string;
  readonly fifoDir: string;
  readonly supervisorLog: string;
}

/** `system` is `--sys`. Without a HOME the user's paths start at `/`. */
export function runtimePaths(options: { readonly system: boolean; readonly env: NodeJS.ProcessEnv }): RuntimePaths {
  if (options.system) return pathsIn('/var/lib/systemg', '/var/log/systemg', '/etc/systemg');
  const home = options.env['HOME'] || '/';
  const stateDir = join(home, '.local/share/systemg');
  return pathsIn(stateDir, join(stateDir, 'logs'), join(home, '.config/systemg'));
}

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

function pathsIn(stateDir: string, logDir: string, configDir: string): RuntimePaths {
  return {
    stateDir,
    logDir,
    configDir,
    socket: join(stateDir, 'control.sock'),
    pidFile: join(stateDir, 'sysg.pid'),
    configHint: join(stateDir, 'config_hint'),
    ledger: join(stateDir, 'ledger.ndjson'),
    lock: join(stateDir, 'supervisor.lock'),
    fifoDir: join(stateDir, 'fifo'),
    supervisorLog: join(logDir, 'supervisor.log'),
  };
}

function prepareDirectory(directory: string): string | null {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
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
