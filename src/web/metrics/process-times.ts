import { readFileSync, readdirSync } from 'node:fs';
import { attempt } from '../../errors.ts';
import type { SpawnedProcessNode, UnitStatus } from '../../wire/payloads.ts';
import { ticksToMs } from '../../process/boot.ts';
import { readStatText, statFields } from '../../process/proc.ts';
import { processDetail } from '../../status/process-facts.ts';

/** CPU time used so far, in seconds, with that of ended children which were waited for. */
export interface CpuTimes { readonly user: number; readonly system: number }

/** Of all processes of a unit; null without a process, or where the kernel shows none. */
export function cpuTimesOf({ process, spawned_children: children }: UnitStatus): CpuTimes | null {
  if (process === undefined) return null;
  const times = [process.pid, ...pidsIn(children)].flatMap((pid) => timesOf(pid) ?? []);
  return times.length === 0 ? null : times.reduce((sum, each) => ({ user: sum.user + each.user, system: sum.system + each.system }));
}

export function pidsIn(nodes: readonly SpawnedProcessNode[] = []): readonly number[] {
  return nodes.flatMap(({ child, children }) => [...(child.last_exit === undefined ? [child.pid] : []), ...pidsIn(children)]);
}

/** What one process costs; null when it is gone or there is no /proc. */
export function costOf(pid: number): { readonly cpuSeconds: number; readonly residentBytes: number; readonly openFds: number | null } | null {
  const [times, detail] = [timesOf(pid), processDetail(pid)];
  return times === null || detail === null
    ? null
    // The descriptors of another user's process are not shown.
    : { cpuSeconds: times.user + times.system, residentBytes: detail.residentBytes, openFds: attempt(() => readdirSync(`/proc/${pid}/fd`).length, null) };
}

/**
 * Connections to a socket of the file system, its listener not among them; null where the kernel does not show them. unix(7): state 03 is connected.
 */
export function connectionsTo(path: string): number | null {
  // There is no /proc here.
  const isOne = (line: string): boolean => / 03 +\d+ /.test(line) && line.endsWith(` ${path}`);
  return attempt(() => readFileSync('/proc/net/unix', 'utf8').split('\n').filter(isOne).length, null);
}

/** proc_pid_stat(5): utime, stime, cutime, cstime. */
function timesOf(pid: number): CpuTimes | null {
  try {
    const field = statFields(readStatText(pid) ?? '');
    if (field === null) return null;
    const seconds = (...numbers: readonly number[]): number => numbers.reduce((sum, number) => sum + ticksToMs(Number(field(number))), 0) / 1000;
    return { user: seconds(14, 16), system: seconds(15, 17) };
  } catch {
    // There is no /proc here.
    return null;
  }
}
