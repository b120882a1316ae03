import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { attempt } from '../errors.ts';
import { listArchives, timesOf } from './archives.ts';

/**
 * What was written from an offset on, up to the next mark, was written at `at`, to 100 ms (milliseconds of the wall clock). Null: nobody
 * knows, but not after `latest`, where that is known.
 */
export interface TimeMark {
  readonly offset: number;
  readonly at: number | null;
  readonly latest: number | null;
}

/** Of what nobody knows the time of. */
export const undated: TimeMark = { offset: 0, at: null, latest: null };

/** The file that an index speaks of, and its marks by rising offset. */
export interface Times {
  readonly inode: number;
  readonly marks: TimeMark[];
}

/** The first line of an index: a file that was moved or restored in another way than by us has another inode, and no times. */
export function timesHeader(inode: number): string {
  return `sysg-times 1 ${inode}\n`;
}

export function timesLine({ at, latest, offset }: TimeMark): string {
  return `${at ?? `-${latest ?? ''}`} ${offset}\n`;
}

/** Null when the first line is none of ours. Lines that are torn are passed over, the last one too when it has no end. */
export function parseTimes(text: string): Times | null {
  const header = /^sysg-times 1 ([0-9]+)\n/.exec(text);
  if (header === null) return null;
  const times: Times = { inode: Number(header[1]), marks: [] };
  addMarks(times.marks, text.slice(header[0].length));
  return times;
}

/**
 * The index of a raw file that is held open, be it the log or an archive by now; null when there is none. The newest one that speaks of
 * this inode is meant: an older file that had it is gone.
 */
export function readTimes(file: string, inode: number): Times | null {
  for (const path of [timesOf(file), ...listArchives(file).map(({ number }) => timesOf(`${file}.${number}`))]) {
    const times = readTimesAt(path);
    if (times?.inode === inode) return times;
  }
  return null;
}

/** Of one index file; null when it is missing or none of ours. */
export function readTimesAt(path: string): Times | null {
  const text = readTimesText(path);
  return text === null ? null : parseTimes(text);
}

function addMarks(marks: TimeMark[], text: string): void {
  for (const line of text.slice(0, text.lastIndexOf('\n') + 1).split('\n')) {
    const parts = /^(-?)([0-9]{0,14}) ([0-9]{1,16})$/.exec(line);
    if (parts === null || (parts[1] === '' && parts[2] === '')) continue;
    const offset = Number(parts[3]);
    const time = parts[2] === '' ? null : Number(parts[2]);
    const mark = parts[1] === '' ? { offset, at: time, latest: time } : { offset, at: null, latest: time };
    const last = marks.at(-1);
    // An offset before the last one is rubbish; the same one stands for bytes that the disk did not take after all.
    if (last !== undefined && offset < last.offset) continue;
    if (last?.offset === offset) marks.pop();
    marks.push(mark);
  }
}

export function readTimesText(path: string): string | null {
  // ELOOP: a link in its place, which is none.
  const descriptor = attempt(() => openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK), null, 'ENOENT', 'ELOOP');
  if (descriptor === null) return null;
  try {
    const stat = fstatSync(descriptor);
    if (!stat.isFile()) return null;
    const bytes = Buffer.alloc(Math.min(stat.size, mostReadBytes));
    return bytes.toString('latin1', 0, readSync(descriptor, bytes, 0, bytes.length, 0));
  } finally {
    closeSync(descriptor);
  }
}

/** An index is thinned out long before it is this large. */
const mostReadBytes = 16 * 1024 * 1024;
