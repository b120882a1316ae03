import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, openSync } from 'node:fs';
import type { ProcessExit, ProcessIdentity, ServiceSpec } from '../../machines/types.ts';
import type { Clock } from '../clock.ts';
import { refuse, type Refused } from '../errors.ts';
import { keepChild } from './children.ts';
import { endProcess, sweep } from './end-process.ts';
import { childEnvironment } from './environment.ts';
import { identify } from './identity.ts';
import { confineAsUser } from './privileges.ts';
import { checkWorkingDir, describe } from './program.ts';
import { isGroupEmpty } from './signal.ts';
import type { Lineage } from './tree.ts';

export interface CommandRequest {
  readonly clock: Clock;
  /** The unit that the command belongs to. */
  readonly unit?: string;
  /** A text for `sh -c`. */
  readonly script: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** What the environment says whose it is: by that all of it is found when it must end. */
  readonly token: string;
  /** `inherit`: it writes where the supervisor does. A number: to that descriptor. `complaints`: standard error goes to `onComplaint`, standard output nowhere. */
  readonly output: 'inherit' | 'ignore' | 'complaints' | number;
  readonly onComplaint?: (text: Uint8Array) => void;
  /** A descriptor to be its standard input; the caller's to close. */
  readonly input?: number;
  /** It runs for as long as it likes: `commandsEnded` does not wait for it. */
  readonly isResident?: true;
  /** Words of tools that set something and then exec the shell. */
  readonly prefix?: readonly string[];
  /** What it leaves running after its own end is ended, too, without a delay for the caller: always, or where one look shows that its group has some of that. */
  readonly sweeps?: 'always' | 'if-group-lives';
  /** Ends the command and all that came from it. */
  readonly signal: AbortSignal;
  onProblem(text: string): void;
}

/** `reason` says why it did not succeed, in words that follow the command's name. */
export type CommandResult = { readonly ok: true } | Refused;

/**
 * Runs a short command in a session of its own. What it leaves running after its own end goes on; when it is ended, nothing of it does:
 * SIGKILL goes to its group and to all that carry its token, and the promise waits for their death. Never rejects.
 */
export function runCommand(request: CommandRequest): Promise<CommandResult> {
  const run = begin(request);
  if (request.isResident === true) return run;
  running.add(run);
  void run.then(() => running.delete(run));
  return run;
}

export interface CommandOutside extends Pick<CommandRequest, 'clock' | 'onProblem'> {
  /** What the supervisor inherited: the base of every unit's environment. */
  readonly environment: NodeJS.ProcessEnv;
  /** As root, units that name no user run as nobody. */
  readonly dropPrivileges?: boolean;
}

export interface UnitCommand extends Pick<CommandRequest, 'script' | 'output' | 'onComplaint' | 'input' | 'isResident' | 'sweeps' | 'signal'> {
  readonly purpose: 'hook' | 'stop' | 'check' | 'logger' | 'switch';
  /**
   * As the unit's user in its working directory, else as the supervisor's user in the project's. The unit's limits, capabilities and namespaces are
   * for the service itself.
   */
  readonly asUnit: boolean;
  /** Over those of the unit; `null` is not set at all, an inherited one included. */
  readonly variables: Readonly<Record<string, string | null>>;
}

/** Runs a command beside a unit, with the unit's environment and a token of its own: an order to stop the unit does not reach the command. Never rejects. */
export async function runForUnit(spec: ServiceSpec, { purpose, asUnit, variables, ...command }: UnitCommand, outside: CommandOutside): Promise<CommandResult> {
  const { clock, environment: inherited, dropPrivileges = false, onProblem } = outside;
  const confinement = asUnit ? confineAsUser(spec, inherited, dropPrivileges) : { ok: true, prefix: [], environment: {} } as const;
  if (!confinement.ok) return refuse(`could not be run: ${confinement.reason}`);
  const token = `${purpose}.${randomBytes(6).toString('hex')}`;
  const cwd = asUnit ? spec.workingDir : spec.projectDir;
  const env = childEnvironment(inherited, { PWD: cwd, ...spec.env, ...confinement.environment }, token);
  for (const [name, value] of Object.entries(variables)) {
    if (value === null) delete env[name];
    else env[name] = value;
  }
  return runCommand({ ...command, clock, unit: spec.name, env, token, prefix: confinement.prefix, cwd, onProblem });
}

/** When every command that runs now has ended. */
export async function commandsEnded(): Promise<void> {
  await Promise.all(running);
}

/** A command of a unit that runs now, for finding out which processes came from it. */
export interface RunningCommand extends Lineage {
  readonly unit: string;
}

/** The hooks, checks, switch commands and loggers that run now. */
export function runningCommands(): readonly RunningCommand[] {
  return [...ofUnits];
}

const running = new Set<Promise<CommandResult>>();
const ofUnits = new Set<RunningCommand>();

function begin(request: CommandRequest): Promise<CommandResult> {
  return new Promise((resolve) => {
    const started = start(request);
    if (!started.ok) return resolve(started);
    const { process: child, identity } = started;
    if (identity === null) return void child.once('error', (error) => resolve(notRun(describe(error))));
    const { clock, unit, token, signal, onProblem } = request;
    const kept = keepChild(child, identity, token);
    const command = unit === undefined ? null : { unit, leader: identity, token, known: new Map() };
    if (command !== null) ofUnits.add(command);
    const settle = (result: CommandResult): void => {
      if (command !== null) ofUnits.delete(command);
      resolve(result);
    };
    const end = (): void => {
      // A process in an uninterruptible sleep dies when the kernel lets it: the caller must not wait for that.
      void endProcess({ clock, leader: identity, token, child: kept, signal: 'SIGKILL', graceMs: patienceMs, mostKills: 0, onProblem }).then((gone) => {
        // Its end is nothing to anybody any more, and has to be taken all the same.
        if (!gone) kept.watch(() => undefined);
        settle(refuse(gone ? 'was ended' : 'survives SIGKILL'));
      });
    };
    kept.watch((exit) => {
      signal.removeEventListener('abort', end);
      if (request.sweeps === 'always' || (request.sweeps !== undefined && !isGroupEmpty(identity.pid))) sweep({ clock, leader: identity, token, signal: 'SIGTERM', graceMs: patienceMs, onProblem });
      settle(resultOf(exit));
    });
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
}

const patienceMs = 2000;

function resultOf({ code, signal }: ProcessExit): CommandResult {
  if (code === 0) return { ok: true };
  const meaning = code === 127 ? ' (command not found)' : code === 126 ? ' (command cannot be executed)' : '';
  return refuse(signal === null ? `exited with status ${code}${meaning}` : `was terminated by signal ${signal}`);
}

/** Leaves a descriptor for the look at what was started: a command that runs must not be taken for one that could not be run. */
function sparing<Result>(begins: () => Result): Result {
  const spare = openSync('/dev/null', 'r');
  try {
    return begins();
  } finally {
    closeSync(spare);
  }
}

/** `identity` null: it could not be started, and the reason comes as an event. */
type Started = { readonly ok: true; readonly process: ChildProcess; readonly identity: ProcessIdentity | null } | Refused;

function start({ script, cwd, env, output, onComplaint, input, prefix = [] }: CommandRequest): Started {
  const obstacle = checkWorkingDir(cwd);
  if (obstacle !== null) return notRun(obstacle);
  const [file = '/bin/sh', ...words] = [...prefix, '/bin/sh', '-c', script];
  try {
    const stdio: StdioOptions = output === 'complaints' ? [input ?? 'ignore', 'ignore', 'pipe'] : [input ?? 'ignore', output, output];
    const process = sparing(() => spawn(file, words, { cwd, env, detached: true, stdio }));
    if (onComplaint !== undefined) process.stderr?.on('data', onComplaint);
    return { ok: true, process, identity: process.pid === undefined ? null : identify(process.pid) };
  } catch (error) {
    // What cannot be handed to a program at all, such as a NUL in its environment, and a process that the kernel does not list.
    return notRun(describe(error));
  }
}

function notRun(why: string): Refused {
  return refuse(`could not be run: ${why}`);
}
