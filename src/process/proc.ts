import { closeSync, openSync, readdirSync, readFileSync, readSync, statSync } from 'node:fs';
import { attempt, hasCode } from '../errors.ts';

/** One process as the kernel lists it. */
export interface ProcessStat {
  readonly pid: number;
  readonly ppid: number;
  readonly pgrp: number;
  readonly session: number;
  /**
   * One letter: `R` `S` `D` `T` `t` `Z` `X` `I`. `S` for a process whose first thread has ended while others work: the kernel shows the state of the
   * first thread, `Z`, but the process lives until its last thread has ended.
   */
  readonly state: string;
  /** Opaque, unique together with the pid and the boot: clock ticks since boot on Linux. */
  readonly startTime: string;
}

/** A zombie owns nothing any more: it counts as dead. */
export function isLiving(process: Pick<ProcessStat, 'state'>): boolean {
  return process.state !== 'Z' && process.state !== 'X';
}

/** By a signal, or by a debugger. */
export function isHalted(process: Pick<ProcessStat, 'state'> | null | undefined): boolean {
  return process?.state === 'T' || process?.state === 't';
}

/** The pids of all processes, zombies included. Throws where there is no /proc. */
export function listPids(): number[] {
  return readdirSync('/proc').filter((name) => /^[0-9]/.test(name)).map(Number);
}

/** Reads /proc/PID/stat; `null` when there is no such process. Other failures (no descriptor left) are thrown: they do not mean death. */
export function readProcStat(pid: number): ProcessStat | null {
  const text = readStatText(pid);
  return text === null ? null : parseStat(text);
}

/** The text for `parseStat` and `statFields`; `null` when there is no such process. */
export function readStatText(pid: number | 'self'): string | null {
  const length = readWhole(`/proc/${pid}/stat`, buffer);
  return length === null ? null : buffer.toString('latin1', 0, length);
}

export function parseStat(text: string): ProcessStat | null {
  const field = statFields(text);
  return field === null ? null : statOf(field);
}

/** From the fields of a stat line; `null` when it is cut off. */
export function statOf(field: (number: number) => string): ProcessStat | null {
  if (field(startTimeField) === '') return null;
  const state = field(3) === 'Z' && Number(field(threadsField)) > 1 ? 'S' : field(3);
  return { pid: Number(field(1)), ppid: Number(field(4)), pgrp: Number(field(5)), session: Number(field(6)), state, startTime: field(startTimeField) };
}

/**
 * The fields of a stat line by their numbers in proc_pid_stat(5), the empty string for one that is missing; `null` when the text is no stat line.
 * The name in parentheses, field 2, may hold anything, parentheses and newlines included: the fields after it are counted from the last parenthesis.
 */
export function statFields(text: string): ((number: number) => string) | null {
  const nameStart = text.indexOf(' (');
  const nameEnd = text.lastIndexOf(')');
  if (nameStart < 0 || nameEnd < nameStart) return null;
  const afterName = text.slice(nameEnd + 2).trimEnd().split(' ', residentField - 2);
  return (number) => (number === 1 ? text.slice(0, nameStart) : afterName[number - 3] ?? '');
}

/** One field of a text in the form of /proc/PID/status, such as `CapEff`: proc_pid_status(5). */
export function statusField(text: string, name: string): string | undefined {
  return new RegExp(`^${name}:[ \\t]*(.*)$`, 'm').exec(text)?.[1]?.trim();
}

/** The words of a process's command line; `null` when the process is gone or hides them, and without words for a kernel thread and a zombie. */
export function readArguments(pid: number): readonly string[] | null {
  // Null: the process has ended, hides from us, or there is no /proc here.
  const text = attempt(() => readArgumentText(pid) || readArgumentText(laterThread(pid) ?? pid), null);
  return text === '' ? [] : text?.replace(/\0$/, '').split('\0') ?? null;
}

/** Throws when the process is gone. Nearly all command lines fit into the buffer: one read, and no second one to find the end. */
function readArgumentText(process: number | string): string {
  const path = `/proc/${process}/cmdline`;
  const descriptor = openSync(path, 'r');
  try {
    const length = readSync(descriptor, buffer, 0, buffer.length, 0);
    return length < buffer.length ? buffer.toString('utf8', 0, length) : readFileSync(path, 'utf8');
  } finally {
    closeSync(descriptor);
  }
}

/** The effective uid of a process; `null` when the process is gone. */
export function ownerOf(pid: number): number | null {
  return statSync(`/proc/${pid}`, { throwIfNoEntry: false })?.uid ?? null;
}

/**
 * Where /proc shows the memory of a process whose first thread has ended while others work, `PID/task/TID`: under its pid there is none.
 * `null` when the process has no other thread.
 */
export function laterThread(pid: number): string | null {
  const thread = attempt(() => readdirSync(`/proc/${pid}/task`).find((name) => Number(name) !== pid), undefined, ...gone);
  return thread === undefined ? null : `${pid}/task/${thread}`;
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
    if (hasCode(error, ...gone)) return null;
    throw error;
  } finally {
    if (descriptor !== null) closeSync(descriptor);
  }
}

/** What a failed read of a file of /proc says when the process is gone. A process may end between the open and the read: then the read says ESRCH. */
export const gone = ['ENOENT', 'ESRCH'] as const;

const threadsField = 20;
const startTimeField = 22;
/** The last field that is read. */
const residentField = 24;
// The longest stat line: 52 numbers of at most 20 digits and a name of 64 bytes.
const buffer = Buffer.allocUnsafe(2048);
