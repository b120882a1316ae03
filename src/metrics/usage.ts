import { closeSync, openSync, readSync } from 'node:fs';
import { hasCode } from '../errors.ts';
import { kernelUnits } from '../process/boot.ts';
import { isGone, parseStat, statFields, type ProcessStat } from '../process/proc.ts';

/** What one process has used so far, as the kernel counts it. */
export interface Usage {
  /** Its own CPU time, user and system, in clock ticks. */
  readonly ownTicks: number;
  /** That of the children it has waited for, and of theirs. */
  readonly reapedTicks: number;
  readonly rssBytes: number;
  /** Storage I/O, with that of the children it has waited for; `null` where the kernel does not show it (another user's process). */
  readonly io: { readonly readBytes: number; readonly writtenBytes: number } | null;
}

export interface Reading {
  readonly stat: ProcessStat;
  readonly usage: Usage;
}

/** Reads one process again and again through descriptors that stay open, which refer to that very process, never to a later one with its pid. */
export interface UsageReader {
  /** `null` when the process is gone. */
  read(): Reading | null;
  close(): void;
}

/** `keep` false opens and closes at each reading. */
export function openUsageReader(pid: number, keep: boolean): UsageReader {
  const stat = openFile(`/proc/${pid}/stat`, keep);
  const statm = openFile(`/proc/${pid}/statm`, keep);
  const io = openFile(`/proc/${pid}/io`, keep);
  return {
    read() {
      const line = stat.read();
      const process = line === null ? null : parseStat(line);
      if (line === null || process === null) return null;
      return { stat: process, usage: { ...cpuTime(line), rssBytes: residentBytes(statm.read()), io: ioBytes(io.read()) } };
    },
    close() {
      for (const file of [stat, statm, io]) file.close();
    },
  };
}

interface KeptFile {
  read(): string | null;
  close(): void;
}

function openFile(path: string, keep: boolean): KeptFile {
  let descriptor: number | null = null;
  let refused = false;
  const close = (): void => {
    if (descriptor !== null) closeSync(descriptor);
    descriptor = null;
  };
  return {
    read() {
      if (refused) return null;
      try {
        descriptor ??= openSync(path, 'r');
        return buffer.toString('latin1', 0, readSync(descriptor, buffer, 0, buffer.length, 0));
      } catch (error) {
        // Not ours to read now means never: the process's owner does not change back.
        refused = hasCode(error, 'EACCES', 'EPERM');
        if (refused || isGone(error)) return null;
        throw error;
      } finally {
        if (!keep) close();
      }
    },
    close,
  };
}

// proc_pid_stat(5): utime, stime, cutime and cstime are fields 14 to 17.
function cpuTime(line: string): Pick<Usage, 'ownTicks' | 'reapedTicks'> {
  const field = statFields(line);
  const ticks = (number: number): number => Number(field?.(number) ?? 0);
  return { ownTicks: ticks(14) + ticks(15), reapedTicks: ticks(16) + ticks(17) };
}

// The resident pages of proc_pid_statm(5) are exact; field 24 of stat lags behind by up to some hundred pages.
function residentBytes(line: string | null): number {
  return line === null ? 0 : Number(line.split(' ', 2)[1] ?? 0) * kernelUnits().pageBytes;
}

function ioBytes(text: string | null): Usage['io'] {
  const read = text === null ? null : /^read_bytes: (\d+)$/m.exec(text);
  const written = text === null ? null : /^write_bytes: (\d+)$/m.exec(text);
  return read?.[1] === undefined || written?.[1] === undefined ? null : { readBytes: Number(read[1]), writtenBytes: Number(written[1]) };
}

const buffer = Buffer.allocUnsafe(4096);
