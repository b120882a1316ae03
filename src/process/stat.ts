import { closeSync, openSync, readSync } from 'node:fs';
import { hasCode } from '../errors.ts';

/** One process as the kernel lists it. */
export interface ProcessStat {
  readonly pid: number;
  readonly ppid: number;
  readonly pgrp: number;
  readonly session: number;
  /** One letter: `R` `S` `D` `T` `t` `Z` `X` `I`. */
  readonly state: string;
  /** Opaque, unique together with the pid and the boot: clock ticks since boot on Linux. */
  readonly startTime: string;
}

/** A zombie owns nothing any more: it counts as dead. */
export function isLiving(process: Pick<ProcessStat, 'state'>): boolean {
  return process.state !== 'Z' && process.state !== 'X';
}

/** Reads /proc/PID/stat; `null` when there is no such process. Other failures (no descriptor left) are thrown: they do not mean death. */
export function readProcStat(pid: number): ProcessStat | null {
  const length = readWhole(`/proc/${pid}/stat`, buffer);
  return length === null ? null : parseStat(buffer.toString('latin1', 0, length));
}

/** proc_pid_stat(5). The name in parentheses may hold anything, parentheses and newlines included: fields count from the last one. */
export function parseStat(text: string): ProcessStat | null {
  const nameStart = text.indexOf(' (');
  const nameEnd = text.lastIndexOf(')');
  if (nameStart < 0 || nameEnd < nameStart) return null;
  const fields = text.slice(nameEnd + 2).split(' ');
  const [state, ppid, pgrp, session] = fields;
  const startTime = fields[19];
  if (state === undefined || ppid === undefined || pgrp === undefined || session === undefined || startTime === undefined) return null;
  return {
    pid: Number(text.slice(0, nameStart)), ppid: Number(ppid), pgrp: Number(pgrp), session: Number(session), state, startTime,
  };
}

/** Bytes of a file of /proc read into `target`, or `null` when its process is gone. Stops when `target` is full. */
export function readWhole(path: string, target: Buffer): number | null {
  let descriptor: number | null = null;
  try {
    descriptor = openSync(path, 'r');
    let length = 0;
    while (length < target.length) {
      const got = readSync(descriptor, target, length, target.length - length, null);
      if (got === 0) break;
      length += got;
    }
    return length;
  } catch (error) {
    if (isGone(error)) return null;
    throw error;
  } finally {
    if (descriptor !== null) closeSync(descriptor);
  }
}

// A process may end between the open and the read: then the read itself says ESRCH.
function isGone(error: unknown): boolean {
  return hasCode(error, 'ENOENT', 'ESRCH');
}

// The longest stat line: 52 numbers of at most 20 digits and a name of 64 bytes.
const buffer = Buffer.allocUnsafe(2048);
