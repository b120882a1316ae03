import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync } from 'node:fs';
import type { ProcessInput } from '../../machines/ports.ts';
import type { ProcessRole, ServiceSpec } from '../../machines/types.ts';
import { refuse, type Refused } from '../errors.ts';
import { keepChild, type Child } from './children.ts';
import { ownReserve } from './descriptors.ts';
import { childEnvironment, tokenVariable } from './environment.ts';
import { identify } from './identity.ts';
import { removeMark, startMarked } from './marks.ts';
import { awaitNamespaceLeader } from './namespaces.ts';
import { startNatively, type StartedNatively } from './native-child.ts';
import { nofileWords } from './limits.ts';
import { confine, type Confinement } from './privileges.ts';
import { checkWorkingDir, describe, resolveProgram } from './program.ts';
import { rehearse } from './rehearsal.ts';
import { signalUnreaped } from './signal.ts';
import { makeTurns } from './throttle.ts';

/** Descriptors for a child. They are closed here once it was started or refused. */
export interface ChildOutput {
  readonly stdout: number;
  readonly stderr: number;
  /** Further ones, and the number each gets in the child. */
  readonly extra?: readonly { readonly at: number; readonly descriptor: number }[];
}

export interface LaunchRequest extends Pick<ProcessInput, 'spec' | 'role' | 'token' | 'within'> {
  /** What the supervisor inherited: the base of every unit's environment. */
  readonly environment: NodeJS.ProcessEnv;
  /** The soft limit of open files that units get when they set none; `null` leaves the supervisor's own. */
  readonly softNofile: number | null;
  /** As root, units that name no user run as nobody. */
  readonly dropPrivileges: boolean;
  /** Descriptors for one child, closed for the caller after the spawn. What it throws refuses the start. */
  openOutput(spec: ServiceSpec, role: ProcessRole, token: string): ChildOutput;
}

export type Launched = { readonly ok: true; readonly child: Child } | Refused;

/**
 * Starts a process in a session and group of its own, in order of asking and a few per turn of the event loop. Calls back once.
 * Returns what calls it off: nothing is started and nothing is called back, unless it was started already.
 */
export function launch(request: LaunchRequest, onDone: (launched: Launched) => void): () => void {
  let calledOff = false;
  const leave = launchTurns(() => void launchNow(request, () => calledOff, onDone));
  return () => {
    calledOff = true;
    leave();
  };
}

// A spawn blocks the loop for a millisecond or two, and a thousand may be asked for at once.
const launchTurns = makeTurns(4);

async function launchNow(request: LaunchRequest, isCalledOff: () => boolean, onDone: (launched: Launched) => void): Promise<void> {
  const cannotStart = (error: unknown) => refuse(`"${excerpt(request.spec.command)}" cannot be started: ${describe(error)}`);
  const prepared = await prepare(request).catch(cannotStart);
  if (isCalledOff()) return;
  let started: Launched | ChildProcess;
  try {
    started = prepared.ok ? start(request, prepared) : prepared;
  } catch (error) {
    started = cannotStart(error);
  }
  if ('ok' in started) onDone(started);
  else started.once('error', (error) => onDone(cannotExecute(prepared, error)));
}

function cannotExecute(prepared: Prepared | Refused, error: unknown): Refused {
  return refuse(`"${prepared.ok ? excerpt(prepared.name) : ''}" cannot be executed: ${describe(error)}`);
}

/** What is too long to be executed is too long for a sentence. */
function excerpt(command: string): string {
  return command.length > MOST_SHOWN ? `${command.slice(0, MOST_SHOWN)}…` : command;
}

const MOST_SHOWN = 200;

/** The outermost first. */
export function tokensOf({ within, token }: Pick<LaunchRequest, 'within' | 'token'>): readonly string[] {
  return within === undefined ? [token] : [within, token];
}

interface Prepared {
  readonly ok: true;
  readonly name: string;
  readonly words: readonly string[];
  /** The file that the name means to the supervisor. */
  readonly path: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly confinement: Confinement;
}

async function prepare(request: LaunchRequest): Promise<Prepared | Refused> {
  const { spec, role, softNofile, dropPrivileges } = request;
  const { name: service, hash, privileges, workingDir } = spec;
  const obstacle = checkWorkingDir(workingDir);
  if (obstacle !== null) return refuse(obstacle);
  const argv = argumentVector(spec, role);
  if (!argv.ok) return argv;
  const [name, ...words] = argv.words;
  const confinement = confine({ service, hash, privileges, dropPrivileges, softNofile, searchPath: request.environment['PATH'] });
  if (!confinement.ok) return confinement;
  const environment = childEnvironment(request.environment, { PWD: workingDir, ...spec.env, ...confinement.environment }, ...tokensOf(request));
  const program = resolveProgram(name, environment['PATH'], workingDir);
  // A client that asks for a child through the socket may know 0.33.0's answer.
  if (!program.ok) return refuse(role === 'child' ? `${program.osText}: ${program.reason}` : program.reason);
  if (confinement.asked) {
    const { [tokenVariable]: _token, ...tokenless } = environment;
    const problem = await rehearse({ service, confinement, privileges, workingDir, name, environment: tokenless });
    if (problem !== null) return refuse(problem);
  }
  return { ok: true, name, words, path: program.path, environment, confinement };
}

/** A process without a pid was not started; the reason comes as an event. */
function start(request: LaunchRequest, prepared: Prepared): Launched | ChildProcess {
  const { spec, token } = request;
  const { isolation } = spec.privileges;
  const shortage = ownReserve().shortage(spec.name);
  if (shortage !== null) return refuse(`"${prepared.name}" cannot be started: ${shortage}`);
  // The parent that unshare(1) leaves behind is no process of the unit's: without the token it gets no signal that is meant for it.
  const environment = isolation.pid ? { ...prepared.environment, [tokenVariable]: request.environment[tokenVariable] } : prepared.environment;

  const output = request.openOutput(spec, request.role, token);
  const { prefix, softNofile } = prepared.confinement;
  const natively = (): StartedNatively | null => startNatively({ ...commandOf(prepared, prefix, isolation.pid), workingDir: spec.workingDir, environment, softNofile, ...output });
  const byNode = (): ChildProcess => {
    const { file, argv0, words } = commandOf(prepared, [...nofileWords(softNofile, request.environment['PATH']), ...prefix], isolation.pid);
    return spawn(file, words, { argv0, cwd: spec.workingDir, env: environment, detached: true, stdio: stdio(output) });
  };
  let process: ChildProcess | StartedNatively;
  try {
    process = startMarked(tokensOf(request), () => natively() ?? byNode());
  } catch (error) {
    removeMark(tokensOf(request));
    // Of some failures Node reports by an event, of others by throwing.
    if (error instanceof Error && 'syscall' in error && error.syscall === 'spawn') return cannotExecute(prepared, error);
    throw error;
  } finally {
    for (const descriptor of new Set([output.stdout, output.stderr, ...(output.extra ?? []).map((one) => one.descriptor)])) closeSync(descriptor);
  }
  if (isUnstarted(process)) {
    removeMark(tokensOf(request));
    return process;
  }
  const { pid } = process;
  const identity = orKilled(pid, () => identify(pid) ?? unlisted(pid));
  const leader = isolation.pid ? orKilled(pid, () => awaitNamespaceLeader(pid)) : null;
  return { ok: true, child: keepChild(process, leader ?? identity, token, leader === null) };
}

function isUnstarted(process: ChildProcess | StartedNatively): process is ChildProcess {
  return process.pid === undefined;
}

/** The file to start and its words: the program itself, or the first of the tools before it. */
function commandOf({ name, words, path, environment, confinement }: Prepared, prefix: readonly string[], hidesToken: boolean): { readonly file: string; readonly argv0: string; readonly words: string[] } {
  const [tool, ...toolWords] = prefix;
  if (tool === undefined) return { file: path, argv0: name, words: [...words] };
  const last: string[] = [];
  if (hidesToken) last.push('/bin/sh', '-c', exportToken, 'sh', environment[tokenVariable] ?? '');
  // setpriv(1) still has root's capabilities when it looks a name up: a shell after it finds what the user may execute.
  else if (confinement.credentials !== null && !name.includes('/')) last.push('/bin/sh', '-c', 'exec "$@"', 'sh');
  // A wrapper looks the name up in the same way; one that looks like an option of its own it gets as a path.
  return { file: tool, argv0: tool, words: [...toolWords, ...last, name.startsWith('-') ? path : name, ...words] };
}

const exportToken = `export ${tokenVariable}="$1"; shift; exec "$@"`;

function unlisted(pid: number): never {
  throw new Error(`process ${pid} was started, is not listed in /proc, and was ended again`);
}

/** What nobody could identify, nobody could end later. */
function orKilled<Found>(pid: number, look: () => Found): Found {
  try {
    return look();
  } catch (error) {
    signalUnreaped(pid, 'SIGKILL', { group: true });
    throw error;
  }
}

function argumentVector(spec: ServiceSpec, role: ProcessRole): { readonly ok: true; readonly words: readonly [string, ...string[]] } | Refused {
  if ((role === 'main' || role === 'child') && spec.launch.kind === 'exec') {
    const [name, ...rest] = spec.launch.argv;
    return name === undefined ? refuse('there is no program to start: exec is empty') : { ok: true, words: [name, ...rest] };
  }
  const script = role === 'skip' ? spec.skip : role === 'pre_start' ? spec.preStart : spec.launch.kind === 'shell' ? spec.launch.script : null;
  return typeof script === 'string' ? { ok: true, words: ['/bin/sh', '-c', script] } : refuse(`there is no ${role} command to run`);
}

function stdio({ stdout, stderr, extra = [] }: ChildOutput): ('ignore' | number)[] {
  const highest = Math.max(2, ...extra.map(({ at }) => at));
  const places: ('ignore' | number)[] = Array.from({ length: highest + 1 }, () => 'ignore');
  for (const { at, descriptor } of [{ at: 1, descriptor: stdout }, { at: 2, descriptor: stderr }, ...extra]) places[at] = descriptor;
  return places;
}
