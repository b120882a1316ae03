import { readFileSync, readlinkSync, statSync } from 'node:fs';
import { attempt } from './errors.ts';

/**
 * What the caller's shell hands to a command of ours. Variables that change how Node or a library in here behaves are meant for applications: the
 * launcher sets them aside before Node starts, and services get them as they were. A shell on the way also drops variables whose names it cannot
 * spell (`spring.profile`) and changes those that it uses itself, so the whole environment travels beside it in one variable.
 */

/** Set aside under a name of ours: `SYSG_ASIDE_NODE_OPTIONS`. The launcher does the same, by the same names. */
const ASIDE = 'SYSG_ASIDE_';
/** The environment of the caller as the kernel shows it (proc_pid_environ(5)), in base64. */
const WHOLE = 'SYSG_ENVIRON';
/** Of one variable, execve(2) takes 128 KiB at most; a larger environment travels as the shell leaves it. */
const MOST_IN_ONE = 100_000;
const CHANGES_NODE = /^(?:NODE_.*|BUN_.*|UV_.*|OPENSSL_CONF|LOG_STREAM|LOG_TOKENS)$/;

/** Between the launcher, the guardian and the supervisor; none of it reaches a service. */
const between: ReadonlySet<string> = new Set([
  'SYSG_EXEC_FD', 'SYSG_NOFILE', 'SYSG_NOHUP', 'SYSG_GUARDIAN', 'SYSG_AGAIN', 'SYSG_ASKED', 'SYSG_READY_FD', 'SYSG_LIFELINE_FD', 'SYSG_KEEPER', WHOLE,
]);

/** The environment in which the command was called, for services and for references in configurations. */
export function callersEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const found: NodeJS.ProcessEnv = {};
  const whole = env[WHOLE];
  for (const [name, value] of whole === undefined ? Object.entries(env) : entriesOf(Buffer.from(whole, 'base64').toString('utf8'))) {
    if (name.startsWith(ASIDE)) found[name.slice(ASIDE.length)] = value;
    else if (!isOurs(name)) found[name] = value;
  }
  return found;
}

/** As the launcher does where a supervisor may be started: from there on `callersEnvironment` gives the environment as the kernel shows it. */
export function noteEnvironment(env: NodeJS.ProcessEnv): void {
  // No /proc.
  const whole = attempt(() => readFileSync('/proc/self/environ').toString('base64'), null);
  if (whole !== null && whole.length <= MOST_IN_ONE) env[WHOLE] = whole;
}

/** The environment for a program of ours that is started for the caller: `callersEnvironment` gives the caller's back. */
export function environmentOfOurs(caller: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const found: NodeJS.ProcessEnv = {};
  for (const [name, value] of Object.entries(caller)) found[CHANGES_NODE.test(name) ? ASIDE + name : name] = value;
  const whole = Buffer.from(Object.entries(caller).map(([name, value]) => `${name}=${value}\0`).join('')).toString('base64');
  return whole.length > MOST_IN_ONE ? found : { ...found, [WHOLE]: whole };
}

/** Removes what the launcher and the guardian left, so that nothing started from here inherits it. */
export function forgetSurroundings(env: NodeJS.ProcessEnv): void {
  for (const name of Object.keys(env)) if (isOurs(name)) delete env[name];
}

/** Whether a variable is one between the launcher, the guardian and the supervisor. */
export function isOurs(name: string): boolean {
  return name.startsWith(ASIDE) || between.has(name);
}

/**
 * The caller's directory: by the name in PWD where that names the same directory, so that a link in it (`current`) is followed anew each time. Of a
 * directory that was removed the old name; the process then goes on in `/`, since Node cannot be without a directory.
 */
export function callersDirectory(env: NodeJS.ProcessEnv): string {
  const named = env['PWD']?.startsWith('/') === true ? env['PWD'] : null;
  try {
    const physical = process.cwd();
    if (named === null) return physical;
    const [one, other] = [statSync(named, { throwIfNoEntry: false }), statSync('.')];
    return one?.dev === other.dev && one.ino === other.ino ? named : physical;
  } catch {
    // ENOENT of getcwd(3), of which a shell on the way makes an empty PWD. The kernel still shows the old name.
    const old = named ?? attempt(() => readlinkSync('/proc/self/cwd').replace(/ \(deleted\)$/, ''), '/');
    process.chdir('/');
    return old;
  }
}

/** Whether a process ignores SIGHUP, as nohup(1) makes it; Node itself resets what it inherits. */
export function ignoresHangup(pid: number): boolean {
  // Without /proc, or such a process, nothing is known.
  const mask = /^SigIgn:\s*([0-9a-f]+)$/m.exec(attempt(() => readFileSync(`/proc/${pid}/status`, 'latin1'), ''))?.[1];
  return mask !== undefined && (parseInt(mask.slice(-1), 16) & 1) !== 0;
}

function entriesOf(environ: string): [name: string, value: string][] {
  return environ.split('\0').flatMap((entry) => {
    const at = entry.indexOf('=', 1);
    return at < 0 ? [] : [[entry.slice(0, at), entry.slice(at + 1)] satisfies [string, string]];
  });
}
