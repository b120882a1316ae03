import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync } from 'node:fs';
import type { ProcessIdentity, ProcessRole, ServiceSpec } from '../../machines/types.ts';
import { keepChild, type Child } from './children.ts';
import { childEnvironment } from './environment.ts';
import { identify } from './identity.ts';
import { wrapping } from './limits.ts';
import { checkWorkingDir, describe, resolveProgram } from './program.ts';
import { signalUnreapedGroup } from './signal.ts';
import { makeTurns } from './turns.ts';

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
  /** What the supervisor inherited. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly softNofile: number | null;
  openOutput(spec: ServiceSpec, role: ProcessRole): ChildOutput;
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
  return launchTurns(() => launchNow(request, onDone));
}

// A spawn blocks the loop for a millisecond or two, and a thousand may be asked for at once.
const launchTurns = makeTurns(4);

function launchNow(request: LaunchRequest, onDone: (launched: Launched) => void): void {
  let started: Started;
  try {
    started = start(request);
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

function start(request: LaunchRequest): Started {
  const { spec, role, token, softNofile } = request;
  const environment = childEnvironment(request.environment, spec.env, token);
  const obstacle = checkWorkingDir(spec.workingDir);
  if (obstacle !== null) return refused(obstacle);
  const argv = argumentVector(spec, role);
  if (!argv.ok) return refused(argv.reason);
  const [name, ...words] = argv.words;
  const program = resolveProgram(name, environment['PATH'], spec.workingDir);
  if (!program.ok) return refused(program.reason);
  const wrapped = wrapping(spec.privileges, softNofile, request.environment['PATH']);
  if (!wrapped.ok) return refused(wrapped.reason);
  const [tool, ...toolWords] = wrapped.prefix;
  // A wrapper looks the name up in the same way; one that looks like an option of its own it gets as a path.
  const wrappedName = name.startsWith('-') ? program.path : name;
  const command = tool === undefined
    ? { file: program.path, argv0: name, words }
    : { file: tool, argv0: tool, words: [...toolWords, wrappedName, ...words] };

  const output = request.openOutput(spec, role);
  let process: ChildProcess;
  try {
    process = spawn(command.file, command.words, {
      argv0: command.argv0, cwd: spec.workingDir, env: environment, detached: true, stdio: stdio(output),
    });
  } finally {
    closeOutput(output);
  }
  if (process.pid === undefined) return { kind: 'pending', name, process };
  return { kind: 'settled', launched: { ok: true, child: keepChild(process, identityOfChild(process.pid), token) } };
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
  if (role === 'main' && spec.launch.kind === 'exec') {
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
