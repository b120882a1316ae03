import { userInfo } from 'node:os';
import { join } from 'node:path';
import { attempt } from './errors.ts';

/** The files in the state directory through which a supervisor is found. */
export const runtimeNames = { socket: 'control.sock', pidFile: 'sysg.pid', configHint: 'config_hint' } as const;

/** Where a supervisor keeps what it keeps. Absolute paths, systemg 0.33.0's names where it has them. */
export type RuntimePaths = Readonly<ReturnType<typeof runtimePaths>>;

/** Whose supervisor: `system` is `--sys`; `project` none by default. */
export interface Whose {
  readonly system: boolean;
  readonly env: NodeJS.ProcessEnv;
  readonly project?: string | null;
}

/** Without an absolute HOME it is the home of the effective user. */
export function runtimePaths({ system, env, project = null }: Whose) {
  // The home of passwd(5); `/` for a user without an entry there, as in containers.
  const home = system ? '/' : env['HOME']?.startsWith('/') === true ? env['HOME'] : attempt(() => userInfo().homedir || '/', '/');
  const state = system ? '/var/lib/systemg' : join(home, '.local/share/systemg');
  const logs = system ? '/var/log/systemg' : join(state, 'logs');
  // A project has directories of its own below those of the supervisor without a name.
  const [stateDir, logDir] = project === null ? [state, logs] : [join(state, PROJECTS, project), join(logs, PROJECTS, project)];
  return {
    /** What the directories of the state are made in: where that is gone, they are not made again. */
    home,
    /** The supervisor of this project; null: the one without a name, systemg 0.33.0's. */
    project,
    stateDir, logDir,
    /** The state directories of the projects, by their names. */
    projectsDir: join(state, PROJECTS),
    configDir: system ? '/etc/systemg' : join(home, '.config/systemg'),
    socket: join(stateDir, runtimeNames.socket),
    pidFile: join(stateDir, runtimeNames.pidFile),
    configHint: join(stateDir, runtimeNames.configHint),
    ledger: join(stateDir, 'ledger.ndjson'),
    lock: join(stateDir, 'supervisor.lock'),
    fifoDir: join(stateDir, 'fifo'),
    supervisorLog: join(logDir, 'supervisor.log'),
  };
}

/** What is wrong with the name of a project, as a sentence, or null. A control socket below it has 108 bytes for its path: unix(7). */
export function wrongProject(name: string): string | null {
  return /^[A-Za-z0-9][A-Za-z0-9_.-]{0,39}$/.test(name) ? null
    : `expected a name of at most 40 letters, digits, '_', '.' and '-' that begins with a letter or a digit, got ${JSON.stringify(name.slice(0, 60))}`;
}

/** The process that a pid file names, by its text; null: none. */
export function pidIn(text: string): number | null {
  const pid = /^\s*\+?[0-9]{1,10}\s*$/.test(text) ? Number(text) : 0;
  return pid >= 1 && pid <= MAX_PID ? pid : null;
}

const PROJECTS = 'projects';

/** `pid_t`. */
const MAX_PID = 2 ** 31 - 1;
