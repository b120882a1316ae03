import { join } from 'node:path';

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
