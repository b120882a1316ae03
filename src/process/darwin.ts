import { execFile, execFileSync } from 'node:child_process';
import { promisify } from 'node:util';
import { attempt } from '../errors.ts';
import type { ProcessStat } from './proc.ts';

/** What /proc shows on Linux, from ps(1) and sysctl(8) on macOS. There is no environment to read there, and start times have a resolution of one second. */

export function readPsStat(pid: number): ProcessStat | null {
  try {
    return parsePsLine(execFileSync('/bin/ps', ['-o', columns, '-p', String(pid)], options));
  } catch (error) {
    // ps exits 1 when no process was selected.
    if (error instanceof Error && 'status' in error && error.status === 1) return null;
    throw error;
  }
}

export async function listPs(): Promise<ProcessStat[]> {
  const { stdout } = await promisify(execFile)('/bin/ps', ['-axo', columns], { ...options, maxBuffer: 64 * 1024 * 1024 });
  return stdout.split('\n').flatMap((line) => parsePsLine(line) ?? []);
}

/** The pids of processes whose command line, its words with blanks between them, has that text in it. */
export function pidsByCommand(text: string): readonly number[] {
  return pidsIn(execFileSync('/bin/ps', ['-axo', 'pid=,command='], { ...options, maxBuffer: 64 * 1024 * 1024 }), text);
}

/** As `pidsByCommand`, in lines of `pid command`. */
export function pidsIn(listing: string, text: string): readonly number[] {
  return listing.split('\n').filter((line) => line.includes(text)).map((line) => Number.parseInt(line, 10));
}

/** Whether a process has that file open: lsof(8) ends with 1 when it has not. */
export function holdsByLsof(pid: number, path: string): boolean {
  return attempt(() => execFileSync('/usr/sbin/lsof', ['-t', '-a', '-p', String(pid), '--', path], options).trim() === String(pid), false);
}

export function bootSession(): string {
  return execFileSync('/usr/sbin/sysctl', ['-n', 'kern.bootsessionuuid'], options).trim();
}

/** `pid ppid pgid state lstart`, the start time as five words. The session of ps on macOS is an address: the group stands for it. */
export function parsePsLine(line: string): ProcessStat | null {
  const [pid, ppid, pgrp, state, ...started] = line.trim().split(/\s+/);
  if (pid === undefined || ppid === undefined || pgrp === undefined || state === undefined || started.length !== 5) return null;
  return {
    pid: Number(pid), ppid: Number(ppid), pgrp: Number(pgrp), session: Number(pgrp),
    state: state.slice(0, 1), startTime: started.join(' '),
  };
}

/** Milliseconds since that start time, which is in whole seconds of UTC; null for one that is no such time. */
export function ageByPs(startTime: string, nowMs: number): number | null {
  const started = Date.parse(`${startTime} UTC`);
  return Number.isNaN(started) ? null : Math.max(0, nowMs - started);
}

const columns = 'pid=,ppid=,pgid=,state=,lstart=';
const options = { encoding: 'utf8', env: { LC_ALL: 'C', TZ: 'UTC' }, stdio: 'pipe' } as const;
