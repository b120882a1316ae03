import type { ProcessIdentity } from '../../machines/types.ts';
import { bootId } from './boot.ts';
import { readPsStat } from './darwin.ts';
import { isLiving, readProcStat, type ProcessStat } from './proc.ts';

/** The identity of whatever has this pid now, a zombie included; `null` when nothing has. */
export function identify(pid: number): ProcessIdentity | null {
  const stat = readStat(pid);
  return stat === null ? null : identityOf(stat);
}

export function identityOf(stat: Pick<ProcessStat, 'pid' | 'startTime'>): ProcessIdentity {
  return { pid: stat.pid, startTime: stat.startTime, bootId: bootId() };
}

/** The pid of its parent; null when there is no such process. */
export function parentOf(pid: number): number | null {
  return readStat(pid)?.ppid ?? null;
}

/** Whether that very process still runs: not another one with its pid, not a zombie. Throws when the kernel cannot be asked. */
export function isAlive(identity: ProcessIdentity): boolean {
  return readAlive(identity) !== null;
}

/** What the kernel says of that very process now; `null` when it is dead. Throws as `isAlive` does. */
export function readAlive(identity: ProcessIdentity): ProcessStat | null {
  if (identity.bootId !== bootId()) return null;
  const stat = readStat(identity.pid);
  return stat !== null && stat.startTime === identity.startTime && isLiving(stat) ? stat : null;
}

const readStat = process.platform === 'darwin' ? readPsStat : readProcStat;
