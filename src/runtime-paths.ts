import { userInfo } from 'node:os';
import { join } from 'node:path';

/** The files in the state directory through which a supervisor is found. */
export const runtimeNames = { socket: 'control.sock', pidFile: 'sysg.pid', configHint: 'config_hint' } as const;

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

/** `system` is `--sys`. Without an absolute HOME it is the home of the effective user. */
export function runtimePaths(options: { readonly system: boolean; readonly env: NodeJS.ProcessEnv }): RuntimePaths {
  if (options.system) return pathsIn('/var/lib/systemg', '/var/log/systemg', '/etc/systemg');
  const home = options.env['HOME']?.startsWith('/') === true ? options.env['HOME'] : homeOfUser();
  const stateDir = join(home, '.local/share/systemg');
  return pathsIn(stateDir, join(stateDir, 'logs'), join(home, '.config/systemg'));
}

/** The process that a pid file names, by its text; null: none. */
export function pidIn(text: string): number | null {
  const pid = /^\s*\+?[0-9]{1,10}\s*$/.test(text) ? Number(text) : 0;
  return pid >= 1 && pid <= MAX_PID ? pid : null;
}

/** `pid_t`. */
const MAX_PID = 2 ** 31 - 1;

/** passwd(5); `/` for a user without an entry there, as in containers. */
function homeOfUser(): string {
  try {
    return userInfo().homedir || '/';
  } catch {
    // ENOENT.
    return '/';
  }
}

function pathsIn(stateDir: string, logDir: string, configDir: string): RuntimePaths {
  return {
    stateDir,
    logDir,
    configDir,
    socket: join(stateDir, runtimeNames.socket),
    pidFile: join(stateDir, runtimeNames.pidFile),
    configHint: join(stateDir, runtimeNames.configHint),
    ledger: join(stateDir, 'ledger.ndjson'),
    lock: join(stateDir, 'supervisor.lock'),
    fifoDir: join(stateDir, 'fifo'),
    supervisorLog: join(logDir, 'supervisor.log'),
  };
}
