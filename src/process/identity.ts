import { readFileSync } from 'node:fs';
import type { ProcessIdentity } from '../../machines/types.ts';
import { bootSession, readPsStat } from './darwin.ts';
import { isLiving, readProcStat, type ProcessStat } from './stat.ts';

/** Names this boot of the machine: start times of another boot mean nothing. */
export function bootId(): string {
  knownBootId ??= onDarwin ? bootSession() : readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return knownBootId;
}

/** The identity of whatever has this pid now, a zombie included; `null` when nothing has. */
export function identify(pid: number): ProcessIdentity | null {
  const stat = readStat(pid);
  return stat === null ? null : identityOf(stat);
}

export function identityOf(stat: Pick<ProcessStat, 'pid' | 'startTime'>): ProcessIdentity {
  return { pid: stat.pid, startTime: stat.startTime, bootId: bootId() };
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

const onDarwin = process.platform === 'darwin';
const readStat = onDarwin ? readPsStat : readProcStat;
let knownBootId: string | null = null;
