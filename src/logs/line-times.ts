import { statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { firstNot } from '../halving.ts';
import { timesOf } from './archives.ts';
import type { Place } from './pieces.ts';
import { readTimes, undated, type TimeMark } from './times.ts';

/** A stretch of a chunk that was written at one time, up to `end`, an offset in the chunk. */
export interface Stretch {
  readonly end: number;
  readonly mark: TimeMark;
}

/** When each part of a chunk of a log was written. */
export type LineTimes = (place: Place, length: number) => Promise<readonly Stretch[]>;

export function openLineTimes(file: string): LineTimes {
  let known: { readonly inode: number; readonly marks: readonly TimeMark[] } = { inode: 0, marks: [] };
  let seen = '';

  const load = (inode: number): void => {
    const state = signature(timesOf(file));
    if (known.inode === inode && state === seen) return;
    const found = readTimes(file, inode);
    // One that was rotated away with its file meanwhile is as good as it was.
    if (found !== null || known.inode !== inode) known = { inode, marks: found?.marks ?? [] };
    seen = state;
  };

  return async (place, length) => {
    if (place.marks !== null) return stretches(place.marks(), place.offset, length);
    load(place.inode);
    for (let attempt = 0; attempt < mostAttempts && lags(file, place, length, known.marks.at(-1)); attempt += 1) {
      await sleep(attemptMs);
      load(place.inode);
    }
    return stretches(known.marks, place.offset, length);
  };
}

const mostAttempts = 5;
const attemptMs = 5;
/** A bit more than marks are apart. */
const gapMs = 150;

/** A mark is written after the bytes that it speaks of: who reads these at once may come before it. */
function lags(file: string, place: Place, length: number, last: TimeMark | undefined): boolean {
  if (last === undefined || last.at === null) return false;
  const stat = statSync(file, { throwIfNoEntry: false });
  return stat !== undefined && stat.ino === place.inode && stat.size <= place.offset + length && stat.mtimeMs > last.at + gapMs;
}

function stretches(marks: readonly TimeMark[], from: number, length: number): Stretch[] {
  const found: Stretch[] = [];
  let index = firstNot((place) => (marks[place]?.offset ?? 0) <= from, 0, marks.length);
  let mark = marks[index - 1] ?? { ...undated, latest: marks[0]?.latest ?? null };
  for (; ; index += 1) {
    const next = marks[index];
    if (next === undefined || next.offset >= from + length) return [...found, { end: length, mark }];
    if (next.offset > from) found.push({ end: next.offset - from, mark });
    mark = next;
  }
}

function signature(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? '' : `${stat.ino} ${stat.size}`;
}
