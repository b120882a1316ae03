import { readFileSync } from 'node:fs';
import { attempt } from '../errors.ts';
import { endianness, uptime } from 'node:os';
import { bootSession } from './darwin.ts';

/** Names this boot of the machine: start times of different boots cannot be compared. */
export function bootId(): string {
  knownBootId ??= process.platform === 'darwin' ? bootSession() : attempt(() => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(), UNNAMED, 'ENOENT');
  return knownBootId;
}

/** Where /proc shows processes alone, as by ProcSubset= of systemd.exec(5): then a process is known by its pid, its start time since the boot, and its token. */
const UNNAMED = 'unnamed';

/** Milliseconds since boot by the clock that runs on while the machine is suspended, as the kernel's start times do: proc_uptime(5). Linux. */
export function uptimeMs(): number {
  // Without a free descriptor: clock_gettime(2), in whole seconds.
  return Math.round(attempt(() => Number.parseFloat(readFileSync('/proc/uptime', 'utf8')), uptime()) * 1000);
}

/** The milliseconds of a number of clock ticks, the unit of times in proc_pid_stat(5). */
export function ticksToMs(ticks: number): number {
  return (ticks * 1000) / kernelUnits().ticksPerSecond;
}

/** Clock ticks a second in /proc, and the size of a page: from the auxiliary vector (getauxval(3)), else what nearly every kernel has. */
export function kernelUnits(): KernelUnits {
  knownUnits ??= readAuxiliaryVector();
  return knownUnits;
}

interface KernelUnits {
  readonly ticksPerSecond: number;
  readonly pageBytes: number;
}

const AT_PAGESZ = 6;
const AT_CLKTCK = 17;

function readAuxiliaryVector(): KernelUnits {
  const units = { ticksPerSecond: 100, pageBytes: 4096 };
  if (process.platform !== 'linux') return units;
  const vector = readFileSync('/proc/self/auxv');
  const word = (offset: number): number => Number(endianness() === 'LE' ? vector.readBigUInt64LE(offset) : vector.readBigUInt64BE(offset));
  for (let offset = 0; offset + 16 <= vector.length; offset += 16) {
    if (word(offset) === AT_PAGESZ) units.pageBytes = word(offset + 8);
    if (word(offset) === AT_CLKTCK) units.ticksPerSecond = word(offset + 8);
  }
  return units;
}

let knownBootId: string | null = null;
let knownUnits: KernelUnits | null = null;
