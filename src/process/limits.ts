import { readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import type { LimitValue, PrivilegeSpec } from '../../machines/types.ts';
import { refuse, type Refused } from '../errors.ts';
import { statusField } from './proc.ts';
import { byTool, chained, type Wrapping } from './tools.ts';

type Limits = PrivilegeSpec['limits'];
/** Unlimited is `Infinity`. */
interface Limit {
  readonly soft: number;
  readonly hard: number;
}

export const resources = ['nofile', 'nproc', 'memlock'] as const;
export type Resource = (typeof resources)[number];

/** How a program gets its limits, niceness and CPUs. */
export function limitWrapping(limits: Limits, searchPath: string | undefined, platform = process.platform): Wrapping {
  const asked = resources.flatMap((name) => (limits[name] === undefined ? [] : [{ name, value: limits[name] }]));
  const obstacle = asked.map(({ name, value }) => raiseObstacle(name, value)).find((found) => found !== null);
  if (obstacle !== undefined) return obstacle;
  const steps: Wrapping[] = [];
  if (asked.length > 0 && platform !== 'linux') steps.push({ ok: true, prefix: ['/bin/sh', '-c', `${asked.map(ulimit).join(' && ')} || exit 126; exec "$@"`, 'sh'] });
  else if (asked.length > 0) {
    steps.push(byTool('prlimit', 'limits need', searchPath, ...asked.map(({ name, value }) => `--${name}=${limitWord(value)}:${limitWord(value)}`), '--'));
  }
  if (limits.nice !== undefined) {
    if (platform !== 'linux' && limits.nice < getPriority() && process.getuid?.() !== 0) return refuse(`limits.nice is ${limits.nice}, which takes root here`);
    // nice(1) adds to what is inherited; the configured number is absolute.
    steps.push(byTool('nice', 'limits.nice needs', searchPath, '-n', String(limits.nice - getPriority())));
  }
  if (limits.cpuAffinity !== undefined) {
    if (platform !== 'linux') return refuse('limits.cpu_affinity is only available on Linux');
    steps.push(byTool('taskset', 'limits.cpu_affinity needs', searchPath, '--cpu-list', limits.cpuAffinity.join(',')));
  }
  return chained(steps);
}

/**
 * The soft limit of open files that a program is to be given, where it would have had another one without the supervisor, whose own was raised by what runs
 * this; `null`: its own. The hard limit stays.
 */
export function nofileToRestore(limits: Limits, callers: number | null): number | null {
  const own = ownNofile();
  if (callers === null || limits.nofile !== undefined || own?.soft === callers) return null;
  return Math.min(callers, own?.hard ?? Infinity);
}

/** How it gets that where no native port starts it; words that are first of all. */
export function nofileWords(soft: number | null, searchPath: string | undefined): readonly string[] {
  if (soft === null) return [];
  const prlimit = byTool('prlimit', 'limits need', searchPath, `--nofile=${soft}:`, '--');
  return prlimit.ok ? prlimit.prefix : ['/bin/sh', '-c', restoreBySh, 'sh', String(soft)];
}

/** One resource of a file in the form of /proc/PID/limits; `null` when it is not listed. */
export function limitIn(text: string, resource: Resource): Limit | null {
  const line = new RegExp(`^${titles[resource]}\\s+(\\S+)\\s+(\\S+)`, 'm').exec(text);
  const number = (word: string | undefined) => (word === 'unlimited' ? Infinity : Number(word));
  return line === null ? null : { soft: number(line[1]), hard: number(line[2]) };
}

/** Our own limit of open files, read once: Node changes it at its start only. `null` where there is no /proc. */
export function ownNofile(): Limit | null {
  known ??= readOwn('nofile');
  return known;
}

const titles: Readonly<Record<Resource, string>> = { nofile: 'Max open files', nproc: 'Max processes', memlock: 'Max locked memory' };

const restoreBySh = 'ulimit -S -n "$1" || exit 126; shift; exec "$@"';

// capabilities(7)
const capSysResource = 24n;

/** setrlimit(2): only with CAP_SYS_RESOURCE may a hard limit be raised. */
function raiseObstacle(resource: Resource, value: LimitValue): Refused | null {
  const hard = readOwn(resource)?.hard ?? Infinity;
  if ((value ?? Infinity) <= hard) return null;
  const effective = statusField(readFileSync('/proc/self/status', 'utf8'), 'CapEff');
  if (effective !== undefined && ((BigInt(`0x${effective}`) >> capSysResource) & 1n) === 1n) return null;
  return refuse(`limits.${resource} is ${limitWord(value)}, above the hard limit ${hard} that the supervisor has and, without CAP_SYS_RESOURCE, cannot raise`);
}

function readOwn(resource: Resource): Limit | null {
  return process.platform === 'linux' ? limitIn(readFileSync('/proc/self/limits', 'utf8'), resource) : null;
}

/** For a shell of macOS, bash, where there is no prlimit(1): hard and soft limit at once, locked memory in KiB. */
function ulimit({ name, value }: { readonly name: Resource; readonly value: LimitValue }): string {
  const option = { nofile: '-n', nproc: '-u', memlock: '-l' }[name];
  return `ulimit ${option} ${limitWord(value === null || name !== 'memlock' ? value : Math.ceil(value / 1024))}`;
}

function limitWord(value: LimitValue): string {
  return value === null ? 'unlimited' : String(value);
}

let known: Limit | null = null;
