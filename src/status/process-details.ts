import { readFileSync } from 'node:fs';
import { kernelUnits } from '../metrics/usage.ts';
import { ownerOf } from './process-facts.ts';

/** One process as the kernel shows it, for a table. */
export interface ProcessDetail {
  readonly pid: number;
  readonly parentPid: number;
  readonly startTime: string;
  readonly user: string;
  readonly priority: number;
  readonly nice: number;
  readonly virtualBytes: number;
  readonly residentBytes: number;
  readonly sharedBytes: number;
  /** One letter, as in ps(1). */
  readonly state: string;
  /** User and system. */
  readonly cpuMs: number;
}

/** `null` when there is no such process, or no /proc. */
export function processDetail(pid: number): ProcessDetail | null {
  const stat = readLine(`/proc/${pid}/stat`);
  const memory = readLine(`/proc/${pid}/statm`);
  if (stat === null || memory === null) return null;
  // proc_pid_stat(5): what follows the name begins with field 3.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const number = (field: number): number => Number(fields[field - 3] ?? 0);
  const pages = memory.split(' ').map(Number);
  return {
    pid, parentPid: number(4), startTime: fields[19] ?? '', user: ownerOf(pid), priority: number(18), nice: number(19),
    virtualBytes: (pages[0] ?? 0) * kernelUnits.pageBytes, residentBytes: (pages[1] ?? 0) * kernelUnits.pageBytes,
    sharedBytes: (pages[2] ?? 0) * kernelUnits.pageBytes, state: fields[0] ?? '?',
    cpuMs: ((number(14) + number(15)) * 1000) / kernelUnits.ticksPerSecond,
  };
}

function readLine(path: string): string | null {
  try {
    return readFileSync(path, 'latin1').trim();
  } catch {
    // It ended meanwhile, or there is no /proc here.
    return null;
  }
}
