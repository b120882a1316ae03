import { closeSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { makeDirectories } from '../files.ts';
import type { LogSpec } from '../../machines/types.ts';
import { hasCode, textOf } from '../errors.ts';
import { dropOldest } from './archives.ts';
import type { Compressor } from './compress.ts';
import type { LogOwner } from './fifo.ts';
import { openToAppend, removeLink, type OpenedFile } from './plain-file.ts';
import { cutWindowBytes, mendRotation, rotate, unfinishedLine } from './rotate.ts';
import { makeTimeIndex } from './time-index.ts';

export type Rotation = LogSpec['rotate'];

export interface WriterOptions {
  readonly rotation: Rotation;
  readonly owner: LogOwner | null;
  readonly compressor: Compressor;
  readonly onProblem: (text: string) => void;
  /** Whether it keeps the times at which it wrote. */
  readonly timed?: boolean;
}

/** Appends raw bytes to a log file and rotates it by size. Never throws: what the disk does not take is dropped, counted and reported. */
export interface LogWriter {
  readonly path: string;
  /** Bytes that could not be written since the writer was made. */
  readonly droppedBytes: number;
  write(bytes: Uint8Array): void;
  /** Creates the file when it is not there. Why it cannot, or null. */
  touch(): string | null;
  /** From the next write on. */
  configure(rotation: Rotation, owner: LogOwner | null): void;
  close(): void;
}

export function makeWriter(path: string, options: WriterOptions): LogWriter {
  const { compressor, onProblem } = options;
  let { owner, rotation } = options;
  const times = options.timed === true ? makeTimeIndex(path) : null;
  let descriptor: number | null = null;
  let size = 0;
  let inode = 0;
  let nextCheckAt = 0;
  let nextRotationAt = 0;
  let droppedBytes = 0;
  let episodeStart: number | null = null;
  /** Whether the last byte that was written, and the last one that was dropped, leave a line without its end. */
  let [endsWithinLine, droppedWithinLine] = [false, false];
  let rotationFails = false;
  /** Our own rotation made the file. */
  let isFresh = false;

  const open = (): number => {
    if (descriptor !== null) return descriptor;
    makeDirectories(dirname(path));
    mendRotation(path);
    const opened = openPlain();
    size = opened.stat.size;
    inode = opened.stat.ino;
    times?.begin(isFresh ? null : opened.stat.mtimeMs);
    isFresh = false;
    nextCheckAt = performance.now() + checkEveryMs;
    descriptor = opened.descriptor;
    return descriptor;
  };

  const openPlain = (): OpenedFile => {
    try {
      return openToAppend(path, owner);
    } catch (error) {
      const removed = hasCode(error, 'ELOOP') ? removeLink(path) : null;
      if (removed === null) throw error;
      onProblem(removed);
      return openToAppend(path, owner);
    }
  };

  const release = (): void => {
    if (descriptor !== null) closeSync(descriptor);
    descriptor = null;
    times?.release();
  };

  /** Others may have emptied, moved or removed the file. */
  const check = (): void => {
    if (descriptor === null || performance.now() < nextCheckAt) return;
    nextCheckAt = performance.now() + checkEveryMs;
    const named = statSync(path, { throwIfNoEntry: false });
    if (named === undefined || named.ino !== inode) release();
    else size = named.size;
  };

  const append = (taken: Uint8Array): void => {
    const bytes = episodeStart === null ? taken : fromLineStart(taken);
    if (bytes.length === 0) return;
    for (let offset = 0; offset < bytes.length;) {
      let written: number;
      try {
        const file = open();
        written = writeSync(file, bytes, offset);
        times?.note(file, written);
      } catch (error) {
        if (hasCode(error, 'ENOSPC', 'EDQUOT') && dropOldest(path)) continue;
        drop(bytes.subarray(offset), error);
        return;
      }
      size += written;
      offset += written;
      endsWithinLine = bytes[offset - 1] !== newline;
    }
    if (episodeStart !== null) {
      onProblem(`${path}: is written again; ${droppedBytes - episodeStart} bytes were dropped`);
      episodeStart = null;
    }
  };

  const drop = (bytes: Uint8Array, error: unknown): void => {
    if (episodeStart === null) {
      onProblem(`${path}: cannot be written: ${textOf(error)}; output is dropped until it can`);
      episodeStart = droppedBytes;
    }
    droppedBytes += bytes.length;
    if (bytes.length > 0) droppedWithinLine = bytes.at(-1) !== newline;
  };

  /** After a time of dropping: the line that was cut gets its end, and what is left of one whose beginning was dropped is dropped too. */
  const fromLineStart = (bytes: Uint8Array): Uint8Array => {
    const lineEnd = droppedWithinLine ? bytes.indexOf(newline) : -1;
    droppedBytes += lineEnd + 1;
    if (lineEnd >= 0) droppedWithinLine = false;
    const rest = bytes.subarray(lineEnd + 1);
    return endsWithinLine && rest.length > 0 ? Buffer.concat([Buffer.of(newline), rest]) : rest;
  };

  const putAway = (): void => {
    try {
      release();
      rotate(path, rotation.keep);
      isFresh = true;
      rotationFails = false;
      if (rotation.compress && rotation.keep > 0) compressor.compress(path);
    } catch (error) {
      if (hasCode(error, 'ENOSPC', 'EDQUOT') && dropOldest(path)) {
        putAway();
        return;
      }
      nextRotationAt = performance.now() + rotationRetryMs;
      if (!rotationFails) onProblem(`${path}: cannot be rotated: ${textOf(error)}; it grows on`);
      rotationFails = true;
    }
  };

  /** How many of the bytes still go to the present file before it is put away. */
  const cutOf = (bytes: Uint8Array, limit: number): number => {
    const room = Math.max(0, limit - size);
    const lineEnd = room === 0 ? 0 : bytes.lastIndexOf(newline, room - 1) + 1;
    if (lineEnd > 0 && room - lineEnd <= cutWindowBytes) return lineEnd;
    const unfinished = room >= cutWindowBytes || size === 0 ? null : (unfinishedLine(path)?.length ?? null);
    // The last line that fits ended in the file already: rotation takes what follows it to the new one.
    const endsNear = unfinished !== null && unfinished < size && unfinished + room <= cutWindowBytes;
    return endsNear ? 0 : room;
  };

  const mayRotate = (): boolean => performance.now() >= nextRotationAt;

  return {
    path,
    get droppedBytes() {
      return droppedBytes;
    },
    write(bytes) {
      let rest = bytes;
      try {
        check();
        open();
        const limit = Math.max(1, rotation.sizeBytes);
        while (size + rest.length > limit && mayRotate()) {
          const cut = cutOf(rest, limit);
          append(rest.subarray(0, cut));
          rest = rest.subarray(cut);
          if (rest.length === 0 || size === 0) break;
          putAway();
          open();
        }
      } catch (error) {
        drop(rest, error);
        return;
      }
      append(rest);
    },
    touch() {
      try {
        open();
        return null;
      } catch (error) {
        return textOf(error);
      }
    },
    configure(nextRotation, nextOwner) {
      rotation = nextRotation;
      if (nextOwner?.uid !== owner?.uid || nextOwner?.gid !== owner?.gid) release();
      owner = nextOwner;
    },
    close: release,
  };
}

const checkEveryMs = 1000;
const rotationRetryMs = 10_000;
const newline = 0x0a;
