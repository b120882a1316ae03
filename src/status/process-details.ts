import { readFileSync } from 'node:fs';
import { kernelUnits, ticksToMs } from '../process/boot.ts';
import { readStatText, statFields } from '../process/proc.ts';
import { ownerName } from './process-facts.ts';

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
  try {
    const field = statFields(readStatText(pid) ?? '');
    if (field === null) return null;
    const number = (fieldNumber: number): number => Number(field(fieldNumber));
    const bytes = readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ').map((pages) => Number(pages) * kernelUnits().pageBytes);
    return {
      pid, parentPid: number(4), startTime: field(22), user: ownerName(pid), priority: number(18), nice: number(19),
      virtualBytes: bytes[0] ?? 0, residentBytes: bytes[1] ?? 0, sharedBytes: bytes[2] ?? 0, state: field(3), cpuMs: ticksToMs(number(14) + number(15)),
    };
  } catch {
    // The process ended meanwhile, or may not be looked at, or there is no /proc here.
    return null;
  }
}
