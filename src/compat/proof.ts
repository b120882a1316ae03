import type { ProcessIdentity, ServiceSpec } from '../../machines/types.ts';
import { classify } from '../config/launch.ts';
import { ticksToMs, uptimeMs } from '../process/boot.ts';
import { identityOf } from '../process/identity.ts';
import { isLiving, listPids, ownerOf, readArguments, readProcStat, type ProcessStat } from '../process/proc.ts';
import { isGroupEmpty } from '../process/signal.ts';
import type { Claim, StateFiles } from './read-files.ts';

/** What the kernel says of a process whose pid somebody wrote down. */
export interface Suspect {
  readonly identity: ProcessIdentity;
  readonly pgrp: number;
  readonly uid: number;
  readonly argv: readonly string[];
  /** By the wall clock, to a hundredth of a second. */
  readonly startedWallMs: number;
}

export type Proof =
  | { readonly ok: true; readonly identity: ProcessIdentity }
  /** `plausible`: all but its command line speaks for it, so that a second one might be started beside it. */
  | { readonly ok: false; readonly plausible: boolean; readonly why: string };

export interface Judge {
  readonly spec: Pick<ServiceSpec, 'command' | 'launch'>;
  /** Replaces references as systemg 0.33.0 does before it starts a command. */
  readonly environment: NodeJS.ProcessEnv;
  readonly uid: number;
}

/**
 * Whether the process with that pid is the service's, judged without a start time: it is older than the claim, has our uid, leads its group and runs the
 * configured command.
 */
export function prove(claim: Claim, { spec, environment, uid }: Judge, look: (pid: number) => Suspect | null = readSuspect): Proof {
  const found = leaderOf(claim, uid, look);
  if (!found.ok) return { ok: false, plausible: false, why: found.why };
  const { argv, identity } = found.suspect;
  return runs(argv, spec, environment) ? { ok: true, identity } : { ok: false, plausible: true, why: `it runs ${JSON.stringify(argv.join(' ').slice(0, 120))}` };
}

/** All of a proof but for the command. */
export function leaderOf(claim: Claim, uid: number, look: (pid: number) => Suspect | null = readSuspect): { readonly ok: true; readonly suspect: Suspect } | { readonly ok: false; readonly why: string } {
  const unlike = (why: string): { readonly ok: false; readonly why: string } => ({ ok: false, why });
  if (isNoServices(claim.pid)) return unlike('no service can have it');
  const suspect = look(claim.pid);
  if (suspect === null) return unlike('there is no such process');
  if (suspect.uid !== uid) return unlike(`it belongs to uid ${suspect.uid}`);
  if (suspect.startedWallMs > claim.writtenWallMs + CLOCK_SLACK_MS) return unlike('it began after the pid was written down');
  if (suspect.pgrp !== suspect.identity.pid) return unlike('it does not lead its process group');
  return { ok: true, suspect };
}

/** The first process, which in a container may run what a service runs, and this one: to signal the group of the former would be to signal everything. */
export function isNoServices(pid: number): boolean {
  return pid < 2 || pid === process.pid;
}

/** Null: no living process of that pid, or none that may be looked at. Linux. */
export function readSuspect(pid: number): Suspect | null {
  if (process.platform !== 'linux') return null;
  const stat = readProcStat(pid);
  if (stat === null || !isLiving(stat)) return null;
  const [uid, argv] = [ownerOf(pid), readArguments(pid)];
  if (uid === null || argv === null) return null;
  return { identity: identityOf(stat), pgrp: stat.pgrp, uid, argv, startedWallMs: startedWallMs(stat) };
}

/** The process of that pid, when it has ended and its parent has not waited for it: ours, and older than the claim. */
export function zombieOf({ pid, writtenWallMs }: Claim, uid: number): ProcessIdentity | null {
  const stat = process.platform === 'linux' ? readProcStat(pid) : null;
  if (stat === null || isLiving(stat) || ownerOf(pid) !== uid) return null;
  return startedWallMs(stat) > writtenWallMs + CLOCK_SLACK_MS ? null : identityOf(stat);
}

/**
 * Of a service whose process is dead: living members of the group, that have our uid and are older than the file. While they live the number of
 * the group is nobody else's, so they are what is left of the service. 0.33.0's death ends the shell of a service and not what the shell started.
 */
export function survivorsOf({ pid: file }: Pick<StateFiles, 'pid'>, service: string, { pid, writtenWallMs }: Claim, uid: number): readonly Suspect[] {
  const pgid = file?.groups.get(service) ?? pid;
  // One call of the kernel tells of most, after the death of everything, where a look at every process would take seconds for a thousand services.
  if (process.platform !== 'linux' || pgid < 2 || isGroupEmpty(pgid) || readSuspect(pgid) !== null) return [];
  return listPids().flatMap((member) => {
    const stat = readProcStat(member);
    const suspect = stat?.pgrp === pgid && stat.pid !== pgid ? readSuspect(stat.pid) : null;
    return suspect !== null && suspect.uid === uid && suspect.startedWallMs <= writtenWallMs + CLOCK_SLACK_MS ? [suspect] : [];
  });
}

/**
 * Whether a command line is what a command turns into: the shell that was given it, or what such a shell becomes by executing its last command in
 * its own place, directly or through the interpreter of a script.
 */
export function runs(argv: readonly string[], spec: Judge['spec'], environment: NodeJS.ProcessEnv): boolean {
  const scripts = [spec.command, asExpanded(spec.command, environment)];
  const [program = '', flag] = argv;
  if (/(^|\/)(sh|dash|bash)$/.test(program) && flag === '-c' && argv.length === 3) return scripts.includes(argv[2] ?? '');
  const known = [...(spec.launch.kind === 'exec' ? [spec.launch.argv] : []), ...scripts.flatMap(lastCommand)];
  return known.some((words) => isTail(words, argv));
}

function startedWallMs({ startTime }: Pick<ProcessStat, 'startTime'>): number {
  return Date.now() - uptimeMs() + ticksToMs(Number(startTime));
}

/** The wall clock may have been stepped a little since the claim was written. */
const CLOCK_SLACK_MS = 1000;
/** Its interpreter and one argument of it: execve(2), Interpreter scripts. */
const INTERPRETER_WORDS = 2;

function isTail(words: readonly string[], argv: readonly string[]): boolean {
  const before = argv.length - words.length;
  const [program = '', ...others] = words;
  if (words.length === 0 || before < 0 || before > INTERPRETER_WORDS) return false;
  const found = argv[before] ?? '';
  // An interpreter is given the path at which its script was found.
  const isProgram = before === 0 ? found === program : found.includes('/') && (found === program || found.endsWith(`/${program.replace(/^\.\//, '')}`));
  return isProgram && others.every((word, index) => word === argv[before + 1 + index]);
}

/** The last simple command of a script as words, without redirections, assignments and `exec`. */
function lastCommand(script: string): readonly (readonly string[])[] {
  const simple = (script.split(/&&|;|\n/).filter((part) => part.trim() !== '').at(-1) ?? '')
    .replaceAll(/\s[0-9]*(?:>>?|<)(?:&[0-9-]|\s*[^\s<>&|;]+)/g, ' ')
    .replace(/^\s*(?:[A-Za-z_][A-Za-z0-9_]*=[A-Za-z0-9_./:@%+,-]*\s+)*(?:exec\s+)?/, '');
  const launch = classify(simple);
  return launch.kind === 'exec' ? [launch.argv] : [];
}

function asExpanded(script: string, environment: NodeJS.ProcessEnv): string {
  return script.replaceAll(/\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))/g, (whole, braced?: string, plain?: string) => {
    const name = braced ?? plain ?? '';
    return (Object.hasOwn(environment, name) ? environment[name] : undefined) ?? whole;
  });
}
