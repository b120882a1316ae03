import { closeSync, fstatSync, ftruncateSync, readSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { attempt, hasCode } from '../errors.ts';
import { makeStateDirectories } from '../files.ts';
import { nativePort } from '../native/load.ts';
import type { NativePort } from '../native/port.ts';
import type { LogOwner } from './fifo.ts';
import { noteClosed, noteUse, type OpenFile, restOthers } from './open-files.ts';
import { openToAppend, removeLink, type OpenedFile } from './plain-file.ts';
import { mendRotation, rotate } from './rotate.ts';
import { TimeIndex } from './time-index.ts';

export interface LogFileOptions {
  readonly owner: LogOwner | null;
  readonly onProblem: (text: string) => void;
  /** Whether it keeps the times at which it was written. */
  readonly timed?: boolean;
}

/**
 * A log file on the disk, which others may empty, move or remove at any time. It is opened when it is used, and may be closed between two uses. Methods throw what
 * the file system says. There are two for each service: what they have in common lies in the class.
 */
export class LogFile implements OpenFile {
  readonly path: string;
  /** As far as it is known, in bytes. */
  size = 0;
  readonly #times: TimeIndex | null;
  readonly #onProblem: (text: string) => void;
  #owner: LogOwner | null;
  #descriptor: number | null = null;
  #inode = 0;
  #nextCheckAt = 0;
  /** Our own rotation made the file. */
  #isFresh = false;
  /** Whether bytes were ever moved to it: the kernel moves none to a descriptor that appends, and what was moved may have to be read. */
  #isMovedTo = false;
  /** Closed since it was not used, and not because the file is another one. */
  #isResting = false;
  #appends = true;
  /** Where the last bytes were moved to. */
  #movedTo = 0;

  constructor(path: string, { owner, onProblem, timed = false }: LogFileOptions) {
    this.path = path;
    this.#owner = owner;
    this.#onProblem = onProblem;
    this.#times = timed ? new TimeIndex(path) : null;
  }

  /** Makes it when it is not there. */
  open(): number {
    noteUse(this);
    if (this.#descriptor !== null) return this.#descriptor;
    makeStateDirectories(dirname(this.path));
    mendRotation(this.path);
    const { descriptor, stat } = this.#openWithRoom();
    // Closed in between: unless others have put another file there it is the same.
    if (!this.#isResting || this.#inode !== stat.ino) {
      this.#times?.release();
      this.#times?.begin(this.#isFresh ? null : stat.mtimeMs);
    }
    this.size = stat.size;
    this.#inode = stat.ino;
    this.#isFresh = false;
    this.#nextCheckAt = performance.now() + checkEveryMs;
    this.#appends = true;
    this.#descriptor = descriptor;
    return descriptor;
  }

  /** Appends some of the bytes, or all. How many. */
  append(bytes: Uint8Array): number {
    const file = this.open();
    this.#appends ||= nativePort()?.setAppending(file, true) === true;
    const written = writeSync(file, bytes, 0, bytes.length, this.#appends ? null : this.size);
    this.#times?.note(file, written);
    this.size += written;
    return written;
  }

  /** To be called before each move. */
  openToMove(port: NativePort): void {
    if (!this.#isMovedTo) this.release();
    this.#isMovedTo = true;
    const file = this.open();
    if (this.#appends && !port.setAppending(file, false)) throw new Error(`${this.path}: cannot be written but at its end`);
    this.#appends = false;
    const stat = fstatSync(file);
    this.size = stat.size;
    if (stat.blocks * 512 < this.size) this.#closeHole(file);
  }

  /** After `openToMove`: moves what is in a pipe to the end of the file, at most so many bytes. How many; or the name of the error. */
  move(port: NativePort, pipe: number, most: number): number | string {
    const file = this.#descriptor ?? this.open();
    const moved = port.move(pipe, file, this.size, Math.min(moveBuffer.length, most));
    if (typeof moved === 'string') return moved;
    this.#movedTo = this.size;
    this.size += moved;
    this.#times?.note(file, moved);
    return moved;
  }

  /** The last bytes, to be used before the next call; none where that many cannot be read, fewer when others have emptied the file. */
  readBack(count: number): Uint8Array {
    if (this.#descriptor === null || count > moveBuffer.length) return moveBuffer.subarray(0, 0);
    return moveBuffer.subarray(0, readSync(this.#descriptor, moveBuffer, 0, count, this.size - count));
  }

  /** About once a second: others may have emptied, moved or removed the file. */
  check(): void {
    if (this.#descriptor === null || performance.now() < this.#nextCheckAt) return;
    this.#nextCheckAt = performance.now() + checkEveryMs;
    // A link in a circle, or something else in the way, says no more of it than that it is gone.
    const named = attempt(() => statSync(this.path), undefined);
    if (named === undefined || named.ino !== this.#inode) this.release();
    else this.size = named.size;
  }

  checkNow(): void {
    this.#nextCheckAt = 0;
    this.check();
  }

  /** Makes it the first archive, of at most `keep`. */
  putAway(keep: number): void {
    this.release();
    rotate(this.path, keep);
    this.#isFresh = true;
  }

  belongTo(owner: LogOwner | null): void {
    if (owner?.uid !== this.#owner?.uid) this.release();
    this.#owner = owner;
  }

  /** For a while: what is known of the file stays. */
  rest(): void {
    this.#isResting ||= this.#descriptor !== null;
    this.#close();
    this.#times?.rest();
  }

  /** The next use opens whatever is at the path then. */
  release(): void {
    this.#close();
    this.#isResting = false;
    this.#times?.release();
  }

  #close(): void {
    if (this.#descriptor !== null) closeSync(this.#descriptor);
    this.#descriptor = null;
    noteClosed(this);
  }

  #openWithRoom(): OpenedFile {
    try {
      return this.#openPlain();
    } catch (error) {
      if (!hasCode(error, 'EMFILE', 'ENFILE') || !restOthers(this)) throw error;
      return this.#openPlain();
    }
  }

  #openPlain(): OpenedFile {
    try {
      return openToAppend(this.path, this.#owner, this.#isMovedTo);
    } catch (error) {
      const removed = hasCode(error, 'ELOOP') ? removeLink(this.path) : null;
      if (removed === null) throw error;
      this.#onProblem(removed);
      return openToAppend(this.path, this.#owner, this.#isMovedTo);
    }
  }

  /** Somebody has emptied the file between the look at its size and the last move to it: what was moved then belongs to its beginning. */
  #closeHole(file: number): void {
    const before = Buffer.alloc(Math.min(this.#movedTo, 4096));
    if (before.length === 0 || this.size < this.#movedTo || readSync(file, before, 0, before.length, 0) < before.length || before.some((byte) => byte !== 0)) return;
    const moved = Buffer.from(this.readBack(this.size - this.#movedTo));
    ftruncateSync(file);
    this.size = writeSync(file, moved, 0, moved.length, 0);
    this.#movedTo = 0;
  }
}

const checkEveryMs = 1000;
/** A pipe holds 64 KiB as a rule. */
const moveBuffer = Buffer.allocUnsafeSlow(64 * 1024);
