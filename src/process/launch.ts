import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync } from 'node:fs';
import type { ProcessIdentity, ProcessRole, ServiceSpec } from '../../machines/types.ts';
import { keepChild, type Child } from './children.ts';
import { descriptorLimit, makeReserve, type Reserve } from './descriptors.ts';
import { childEnvironment, tokenVariable } from './environment.ts';
import { identify } from './identity.ts';
import { awaitNamespaceLeader } from './namespaces.ts';
import { confine, type Confinement } from './privileges.ts';
import { checkWorkingDir, describe, resolveProgram } from './program.ts';
import { rehearse } from './rehearsal.ts';
import { signalUnreapedGroup } from './signal.ts';
import { makeTurns } from './throttle.ts';

/** Descriptors for a child. They are closed here once it was started or refused. */
export interface ChildOutput {
  readonly stdout: number;
  readonly stderr: number;
  /** Further ones, and the number each gets in the child. */
  readonly extra?: readonly { readonly at: number; readonly descriptor: number }[];
}

export interface LaunchRequest {
  readonly spec: ServiceSpec;
  readonly role: ProcessRole;
  readonly token: string;
  /** The token of the process this one is a part of. */
  readonly within?: string;
  /** What the supervisor inherited. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly softNofile: number | null;
  /** As root, units that name no user run as nobody. */
  readonly dropPrivileges: boolean;
  openOutput(spec: ServiceSpec, role: ProcessRole, token: string): ChildOutput;
}

export type Launched =
  | { readonly ok: true; readonly child: Child }
  /** A sentence: what could not be started and why. */
  | { readonly ok: false; readonly reason: string };

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
  let started: Started;
  try {
    const prepared = prepare(request);
    const obstacle = prepared.ok && prepared.confinement.asked ? await tryOut(request.spec, prepared) : null;
    if (isCalledOff()) return;
    if (!prepared.ok) started = refused(prepared.reason);
    else started = obstacle === null ? startWithin(request, prepared) : refused(obstacle);
  } catch (error) {
    started = refused(`"${request.spec.command}" cannot be started: ${describe(error)}`);
  }
  if (started.kind !== 'pending') onDone(started.launched);
  else started.process.once('error', (error) => onDone(refused(`"${started.name}" cannot be executed: ${describe(error)}`).launched));
}

type Started =
  | { readonly kind: 'settled'; readonly launched: Launched }
  /** Not started; the reason comes as an event. */
  | { readonly kind: 'pending'; readonly name: string; readonly process: ChildProcess };

interface Prepared {
  readonly ok: true;
  readonly name: string;
  readonly words: readonly string[];
  /** The file that the name means to the supervisor. */
  readonly path: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly confinement: Confinement;
}

function prepare(request: LaunchRequest): Prepared | { readonly ok: false; readonly reason: string } {
  const { spec, token, within, softNofile, dropPrivileges } = request;
  const obstacle = checkWorkingDir(spec.workingDir);
  if (obstacle !== null) return { ok: false, reason: obstacle };
  const argv = argumentVector(spec, request.role);
  if (!argv.ok) return argv;
  const [name, ...words] = argv.words;
  const confinement = confine({
    service: spec.name, hash: spec.hash, privileges: spec.privileges, dropPrivileges, softNofile, searchPath: request.environment['PATH'],
  });
  if (!confinement.ok) return confinement;
  const environment = childEnvironment(request.environment, { ...spec.env, ...confinement.environment }, ...(within === undefined ? [] : [within]), token);
  const program = resolveProgram(name, environment['PATH'], spec.workingDir);
  if (program.ok) return { ok: true, name, words, path: program.path, environment, confinement };
  // Whoever asks for a child through the socket may know 0.33.0's answer.
  return { ok: false, reason: request.role === 'child' ? `${program.osText}: ${program.reason}` : program.reason };
}

function tryOut({ name: service, privileges, workingDir }: ServiceSpec, { confinement, environment, name }: Prepared): Promise<string | null> {
  const { [tokenVariable]: _token, ...untold } = environment;
  return rehearse({ service, confinement, privileges, workingDir, name, environment: untold });
}

function startWithin(request: LaunchRequest, prepared: Prepared): Started {
  reserve ??= makeReserve(descriptorLimit());
  const shortage = reserve.shortage(request.spec.name);
  return shortage === null ? start(request, prepared) : refused(`"${prepared.name}" cannot be started: ${shortage}`);
}

let reserve: Reserve | null = null;

function start(request: LaunchRequest, prepared: Prepared): Started {
  const { spec, token } = request;
  const { name } = prepared;
  const { isolation } = spec.privileges;
  const command = commandOf(prepared, isolation.pid);
  // The parent that unshare(1) leaves behind is no process of the unit's: without the token it gets no signal that is meant for it.
  const environment = isolation.pid ? { ...prepared.environment, [tokenVariable]: request.environment[tokenVariable] } : prepared.environment;

  const output = request.openOutput(spec, request.role, token);
  let process: ChildProcess;
  try {
    process = spawn(command.file, command.words, {
      argv0: command.argv0, cwd: spec.workingDir, env: environment, detached: true, stdio: stdio(output),
    });
  } finally {
    closeOutput(output);
  }
  if (process.pid === undefined) return { kind: 'pending', name, process };
  const identity = identityOfChild(process.pid);
  const leader = isolation.pid ? leaderIn(process.pid) : null;
  return { kind: 'settled', launched: { ok: true, child: keepChild(process, leader ?? identity, token, leader === null) } };
}

/** The file to start and its words: the program itself, or the first of the tools before it. */
function commandOf({ name, words, path, environment, confinement }: Prepared, hidesToken: boolean): { readonly file: string; readonly argv0: string; readonly words: string[] } {
  const [tool, ...toolWords] = confinement.prefix;
  if (tool === undefined) return { file: path, argv0: name, words: [...words] };
  const last: string[] = [];
  if (hidesToken) last.push('/bin/sh', '-c', tellToken, 'sh', environment[tokenVariable] ?? '');
  // setpriv(1) still has root's capabilities when it looks a name up: a shell after it finds what the user may execute.
  else if (confinement.credentials !== null && !name.includes('/')) last.push('/bin/sh', '-c', 'exec "$@"', 'sh');
  // A wrapper looks the name up in the same way; one that looks like an option of its own it gets as a path.
  return { file: tool, argv0: tool, words: [...toolWords, ...last, name.startsWith('-') ? path : name, ...words] };
}

const tellToken = `export ${tokenVariable}="$1"; shift; exec "$@"`;

function leaderIn(parent: number): ProcessIdentity | null {
  try {
    const leader = awaitNamespaceLeader(parent);
    return leader === null ? null : identify(leader);
  } catch (error) {
    signalUnreapedGroup(parent, 'SIGKILL');
    throw error;
  }
}

function identityOfChild(pid: number): ProcessIdentity {
  try {
    const identity = identify(pid);
    if (identity !== null) return identity;
  } catch (error) {
    signalUnreapedGroup(pid, 'SIGKILL');
    throw error;
  }
  throw new Error(`process ${pid} was started and is not listed by the kernel`);
}

function refused(reason: string): { readonly kind: 'settled'; readonly launched: Launched } {
  return { kind: 'settled', launched: { ok: false, reason } };
}

type ArgumentVector =
  | { readonly ok: true; readonly words: readonly [string, ...string[]] }
  | { readonly ok: false; readonly reason: string };

function argumentVector(spec: ServiceSpec, role: ProcessRole): ArgumentVector {
  if ((role === 'main' || role === 'child') && spec.launch.kind === 'exec') {
    const [name, ...rest] = spec.launch.argv;
    return name === undefined ? { ok: false, reason: 'there is no program to start: exec is empty' } : { ok: true, words: [name, ...rest] };
  }
  const script = scriptOf(spec, role);
  if (script === null) return { ok: false, reason: `there is no ${role} command to run` };
  return { ok: true, words: ['/bin/sh', '-c', script] };
}

function scriptOf(spec: ServiceSpec, role: ProcessRole): string | null {
  if (role === 'skip') return typeof spec.skip === 'string' ? spec.skip : null;
  if (role === 'pre_start') return spec.preStart;
  return spec.launch.kind === 'shell' ? spec.launch.script : null;
}

function stdio({ stdout, stderr, extra = [] }: ChildOutput): ('ignore' | number)[] {
  const highest = Math.max(2, ...extra.map(({ at }) => at));
  const places: ('ignore' | number)[] = Array.from({ length: highest + 1 }, () => 'ignore');
  places[1] = stdout;
  places[2] = stderr;
  for (const { at, descriptor } of extra) places[at] = descriptor;
  return places;
}

function closeOutput({ stdout, stderr, extra = [] }: ChildOutput): void {
  for (const descriptor of new Set([stdout, stderr, ...extra.map((one) => one.descriptor)])) closeSync(descriptor);
}
