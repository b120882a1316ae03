import { readFileSync } from 'node:fs';
import type { LimitValue, PrivilegeSpec } from '../../machines/types.ts';
import { defaultPath, resolveProgram } from './program.ts';

/** Words to put before a program's own: tools that set something and then exec, leaving nothing behind. */
export type Wrapping =
  | { readonly ok: true; readonly prefix: readonly string[] }
  | { readonly ok: false; readonly reason: string };

/**
 * How a program gets its limits. `softNofile` is the soft limit of open files that it would have had without the supervisor, whose own
 * was raised by Node; `null` leaves it. Refuses what it cannot enforce: a start without a limit that was asked for is worse than none.
 */
export function wrapping(privileges: PrivilegeSpec, softNofile: number | null, searchPath: string | undefined): Wrapping {
  const unenforced = firstUnenforced(privileges);
  if (unenforced !== null) return refuse(`${unenforced} cannot be enforced by this supervisor`);
  const { limits } = privileges;
  const prefix: string[] = [];
  const resources: string[] = [];
  for (const name of ['nofile', 'nproc', 'memlock'] as const) {
    const value = limits[name];
    if (value !== undefined) resources.push(`--${name}=${limitWord(value)}:${limitWord(value)}`);
  }
  const inherited = limits.nofile === undefined ? softLimitToRestore(softNofile) : null;
  if (inherited !== null) resources.push(`--nofile=${inherited.soft}:${inherited.hard}`);
  if (resources.length > 0) {
    const prlimit = findTool('prlimit', searchPath);
    if (prlimit !== null) prefix.push(prlimit, ...resources, '--');
    else if (inherited !== null && resources.length === 1) prefix.push('/bin/sh', '-c', restoreBySh, 'sh', String(inherited.soft));
    else return refuse('limits need the program prlimit (package util-linux), which was not found');
  }
  if (limits.nice !== undefined) {
    const nice = findTool('nice', searchPath);
    if (nice === null) return refuse('limits.nice needs the program nice (package coreutils), which was not found');
    prefix.push(nice, '-n', String(limits.nice));
  }
  if (limits.cpuAffinity !== undefined) {
    const taskset = findTool('taskset', searchPath);
    if (taskset === null) return refuse('limits.cpu_affinity needs the program taskset (package util-linux), which was not found');
    prefix.push(taskset, '--cpu-list', limits.cpuAffinity.join(','));
  }
  return { ok: true, prefix };
}

/** Our own limit of open files, read once: Node changes it at its start only. `null` where /proc does not tell. */
export function ownNofile(): { readonly soft: number; readonly hard: number } | null {
  known ??= readNofile();
  return known;
}

const restoreBySh = 'ulimit -S -n "$1" || exit 126; shift; exec "$@"';

function softLimitToRestore(soft: number | null): { readonly soft: number; readonly hard: string } | null {
  if (soft === null) return null;
  const own = ownNofile();
  if (own === null) return { soft, hard: '' };
  if (own.soft === soft) return null;
  return { soft: Math.min(soft, own.hard), hard: Number.isFinite(own.hard) ? String(own.hard) : 'unlimited' };
}

function readNofile(): { soft: number; hard: number } | null {
  if (process.platform !== 'linux') return null;
  const line = /^Max open files\s+(\S+)\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'));
  const number = (word: string | undefined) => (word === 'unlimited' ? Infinity : Number(word));
  return line === null ? null : { soft: number(line[1]), hard: number(line[2]) };
}

function firstUnenforced({ user, group, supplementaryGroups, capabilities, isolation, limits }: PrivilegeSpec): string | null {
  if (user !== null) return `user "${user}"`;
  if (group !== null) return `group "${group}"`;
  if (supplementaryGroups !== null) return 'supplementary_groups';
  if (capabilities.length > 0) return `capabilities ${capabilities.join(', ')}`;
  if (limits.cgroup !== undefined) return 'limits.cgroup';
  const isolated = (['network', 'mount', 'pid', 'user'] as const).find((kind) => isolation[kind]);
  return isolated === undefined ? null : `isolation.${isolated}`;
}

// The service's own PATH may well be without the system's tools.
function findTool(name: string, searchPath: string | undefined): string | null {
  const found = resolveProgram(name, `${searchPath ?? defaultPath}:${defaultPath}`, '/');
  return found.ok ? found.path : null;
}

function limitWord(value: LimitValue): string {
  return value === null ? 'unlimited' : String(value);
}

function refuse(reason: string): Wrapping {
  return { ok: false, reason };
}

let known: { readonly soft: number; readonly hard: number } | null = null;
