import { closeSync, openSync, readSync } from 'node:fs';
import { hasCode } from '../errors.ts';
import { kernelUnits } from '../process/boot.ts';
import { gone, laterThread, statFields, statOf, type ProcessStat } from '../process/proc.ts';

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

/** What one line says, the cheapest look at a process: the resident size of it lags behind, and storage I/O is not in it. */
export interface Reading {
  readonly stat: ProcessStat;
  readonly usage: Usage;
}

/** Reads one process again and again through descriptors that stay open, which refer to that very process, never to a later one with its pid. */
export type UsageReader = ReturnType<typeof openUsageReader>;

/** Which descriptors stay open: that of stat, and those of the files that only `complete` reads. The others are opened and closed at each reading. */
export interface Keeping {
  readonly stat: boolean;
  readonly rest: boolean;
}

export function openUsageReader(pid: number, keep: Keeping) {
  const stat = openFile(`/proc/${pid}/stat`, keep.stat);
  const statm = openFile(`/proc/${pid}/statm`, keep.rest);
  const io = openFile(`/proc/${pid}/io`, keep.rest);
  let latest: { readonly line: string | null; readonly reading: Reading | null } = { line: null, reading: null };
  return {
    /** `null` when the process is gone; the very same reading as before when the process has done nothing since. */
    read(): Reading | null {
      const line = stat.read();
      if (line === null || line !== latest.line) latest = { line, reading: line === null ? null : readingOf(line) };
      return latest.reading;
    },
    /** A reading with the resident size and the storage I/O of now; `null` when the process is gone. */
    complete(reading: Reading): Reading | null {
      const [pages, counts] = [statm.read(), io.read()];
      if (pages === null && !statm.isRefused()) return null;
      return { stat: reading.stat, usage: { ...reading.usage, rssBytes: residentBytes(pages) || laterResidentBytes(pid), io: ioBytes(counts) } };
    },
    close(): void {
      for (const file of [stat, statm, io]) file.close();
    },
  };
}

// proc_pid_stat(5): utime, stime, cutime and cstime are fields 14 to 17, the resident pages field 24.
function readingOf(line: string): Reading | null {
  const field = statFields(line);
  const stat = field === null ? null : statOf(field);
  if (field === null || stat === null) return null;
  const number = (fieldNumber: number): number => Number(field(fieldNumber));
  const rssBytes = number(24) * kernelUnits().pageBytes;
  return { stat, usage: { ownTicks: number(14) + number(15), reapedTicks: number(16) + number(17), rssBytes, io: null } };
}

function openFile(path: string, keep: boolean) {
  let descriptor: number | null = null;
  let refused = false;
  const close = (): void => {
    if (descriptor !== null) closeSync(descriptor);
    descriptor = null;
  };
  return {
    /** `null` when the process is gone, or the file is not ours to read. */
    read(): string | null {
      if (refused) return null;
      try {
        descriptor ??= openSync(path, 'r');
        return buffer.toString('latin1', 0, readSync(descriptor, buffer, 0, buffer.length, 0));
      } catch (error) {
        // Not ours to read now means never: the process's owner does not change back.
        refused = hasCode(error, 'EACCES', 'EPERM');
        if (refused || hasCode(error, ...gone)) return null;
        throw error;
      } finally {
        if (!keep) close();
      }
    },
    isRefused: (): boolean => refused,
    close,
  };
}

// The resident pages of proc_pid_statm(5) are exact; field 24 of stat lags behind by up to some hundred pages.
function residentBytes(line: string | null): number {
  return line === null ? 0 : Number(line.split(' ', 2)[1] ?? 0) * kernelUnits().pageBytes;
}

/** Of a process whose first thread has ended; else 0. */
function laterResidentBytes(pid: number): number {
  const thread = laterThread(pid);
  return thread === null ? 0 : residentBytes(openFile(`/proc/${thread}/statm`, false).read());
}

function ioBytes(text: string | null): Usage['io'] {
  const read = text === null ? null : /^read_bytes: (\d+)$/m.exec(text);
  const written = text === null ? null : /^write_bytes: (\d+)$/m.exec(text);
  return read?.[1] === undefined || written?.[1] === undefined ? null : { readBytes: Number(read[1]), writtenBytes: Number(written[1]) };
}

const buffer = Buffer.allocUnsafe(4096);
