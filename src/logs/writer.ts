import { closeSync, fstatSync, ftruncateSync, readSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { makeDirectories } from '../files.ts';
import type { LogSpec } from '../../machines/types.ts';
import { attempt, hasCode, textOf } from '../errors.ts';
import { nativePort } from '../native/load.ts';
import type { NativePort } from '../native/port.ts';
import { dropOldest } from './archives.ts';
import type { Compressor } from './compress.ts';
import type { LogOwner } from './fifo.ts';
import { noteClosed, noteUse, type OpenFile, restOthers } from './open-files.ts';
import { openToAppend, removeLink, type OpenedFile } from './plain-file.ts';
import { cutWindowBytes, endsWithinLine, mendRotation, rotate, unfinishedLine } from './rotate.ts';
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
  /** Moves what is in a pipe to the file, or the beginning of it: nothing of it can be lost to the end of this process. How many bytes; `null`: they have to be read and written. */
  move(port: NativePort, pipe: number): number | null;
  /** The last bytes of the file, to be used before the next call; fewer when others have emptied it. */
  readBack(count: number): Uint8Array;
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
  /** Whether the last byte that was dropped leaves a line without its end. */
  let droppedWithinLine = false;
  let rotationFails = false;
  /** Our own rotation made the file. */
  let isFresh = false;
  /** Whether bytes were ever moved to it: the kernel moves none to a descriptor that appends, and what was moved may have to be read. */
  let isMovedTo = false;
  /** Closed since it was not used, and not because the file is another one. */
  let isResting = false;
  let appends = true;
  let cannotMove = false;
  let movedTo = 0;

  const open = (): number => {
    noteUse(kept);
    if (descriptor !== null) return descriptor;
    makeDirectories(dirname(path));
    mendRotation(path);
    const opened = openWithRoom();
    // Closed in between: unless others have put another file there it is the same.
    if (!isResting || inode !== opened.stat.ino) {
      times?.release();
      times?.begin(isFresh ? null : opened.stat.mtimeMs);
    }
    isResting = false;
    size = opened.stat.size;
    inode = opened.stat.ino;
    isFresh = false;
    nextCheckAt = performance.now() + checkEveryMs;
    appends = true;
    descriptor = opened.descriptor;
    return descriptor;
  };

  const openWithRoom = (): OpenedFile => {
    try {
      return openPlain();
    } catch (error) {
      if (!hasCode(error, 'EMFILE', 'ENFILE') || !restOthers(kept)) throw error;
      return openPlain();
    }
  };

  const openPlain = (): OpenedFile => {
    try {
      return openToAppend(path, owner, isMovedTo);
    } catch (error) {
      const removed = hasCode(error, 'ELOOP') ? removeLink(path) : null;
      if (removed === null) throw error;
      onProblem(removed);
      return openToAppend(path, owner, isMovedTo);
    }
  };

  const close = (): void => {
    if (descriptor !== null) closeSync(descriptor);
    descriptor = null;
    noteClosed(kept);
  };
  /** For a while: what is known of the file stays. */
  const kept: OpenFile = {
    rest() {
      isResting ||= descriptor !== null;
      close();
      times?.rest();
    },
  };
  const release = (): void => {
    close();
    isResting = false;
    times?.release();
  };

  /** Others may have emptied, moved or removed the file. */
  const check = (): void => {
    if (descriptor === null || performance.now() < nextCheckAt) return;
    nextCheckAt = performance.now() + checkEveryMs;
    // A link in a circle, or something else in the way, says no more of it than that it is gone.
    const named = attempt(() => statSync(path), undefined);
    if (named === undefined || named.ino !== inode) release();
    else size = named.size;
  };

  const checkNow = (): void => {
    nextCheckAt = 0;
    check();
  };

  const append = (taken: Uint8Array): void => {
    let bytes = taken;
    let isCut = episodeStart === null;
    for (let offset = 0; offset < bytes.length;) {
      let written: number;
      try {
        const file = open();
        if (!isCut) bytes = fromLineStart(bytes);
        isCut = true;
        if (bytes.length === 0) return;
        appends ||= nativePort()?.setAppending(file, true) === true;
        written = writeSync(file, bytes, offset, bytes.length - offset, appends ? null : size);
        times?.note(file, written);
      } catch (error) {
        if (hasCode(error, 'ENOSPC', 'EDQUOT') && dropOldest(path)) continue;
        drop(bytes.subarray(offset), error);
        return;
      }
      size += written;
      offset += written;
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

  /** After a time of dropping: the line that was cut gets its end, and what is left of one whose beginning was dropped is dropped too. Throws when the file cannot be asked. */
  const fromLineStart = (bytes: Uint8Array): Uint8Array => {
    const isWithinLine = endsWithinLine(path);
    const lineEnd = droppedWithinLine ? bytes.indexOf(newline) : -1;
    droppedBytes += lineEnd + 1;
    if (lineEnd >= 0) droppedWithinLine = false;
    const rest = bytes.subarray(lineEnd + 1);
    return isWithinLine && rest.length > 0 ? Buffer.concat([Buffer.of(newline), rest]) : rest;
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

  const openToMove = (port: NativePort): number => {
    if (!isMovedTo) release();
    isMovedTo = true;
    const file = open();
    if (appends && !port.setAppending(file, false)) throw new Error(`${path}: cannot be written but at its end`);
    appends = false;
    const stat = fstatSync(file);
    ({ size } = stat);
    if (stat.blocks * 512 < size) closeHole(file);
    return file;
  };

  /** Somebody has emptied the file between the look at its size and the last move to it: what was moved then belongs to its beginning. */
  const closeHole = (file: number): void => {
    const before = Buffer.alloc(Math.min(movedTo, 4096));
    if (before.length === 0 || size < movedTo || readSync(file, before, 0, before.length, 0) < before.length || before.some((byte) => byte !== 0)) return;
    const moved = Buffer.from(readBack(size - movedTo));
    ftruncateSync(file);
    size = writeSync(file, moved, 0, moved.length, 0);
    movedTo = 0;
  };

  const readBack = (count: number): Uint8Array => {
    if (descriptor === null || count > moveBuffer.length) return moveBuffer.subarray(0, 0);
    return moveBuffer.subarray(0, readSync(descriptor, moveBuffer, 0, count, size - count));
  };

  const moveSome = (port: NativePort, pipe: number): number | null => {
    if (cannotMove || episodeStart !== null) return null;
    check();
    const limit = Math.max(1, rotation.sizeBytes);
    let file = openToMove(port);
    if (size >= limit) {
      checkNow();
      file = openToMove(port);
    }
    // What is after the last newline goes with the rotation.
    while (size >= limit && size > 0 && mayRotate()) {
      putAway();
      file = openToMove(port);
    }
    const moved = port.move(pipe, file, size, Math.min(moveBuffer.length, size < limit ? limit - size : Infinity));
    if (moved === 'EAGAIN') return 0;
    if (typeof moved === 'string') {
      if ((moved === 'ENOSPC' || moved === 'EDQUOT') && dropOldest(path)) return moveSome(port, pipe);
      cannotMove = moved === 'EINVAL';
      return null;
    }
    movedTo = size;
    size += moved;
    times?.note(file, moved);
    return moved;
  };

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
        if (size + rest.length > limit) {
          // Somebody else may have put it away.
          checkNow();
          open();
        }
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
    move(port, pipe) {
      try {
        return moveSome(port, pipe);
      } catch {
        // What is wrong is reported when the same bytes are written.
        return null;
      }
    },
    readBack,
    touch() {
      try {
        // What a new process says must not go to a file that has lost its name.
        checkNow();
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
/** A pipe holds 64 KiB as a rule. */
const moveBuffer = Buffer.allocUnsafeSlow(64 * 1024);
