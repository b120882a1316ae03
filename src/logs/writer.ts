import type { LogSpec } from '../../machines/types.ts';
import { attempt, hasCode, textOf } from '../errors.ts';
import type { NativePort } from '../native/port.ts';
import { dropOldest, dropOldestBeside } from './archives.ts';
import type { Compressor } from './compress.ts';
import { Gap } from './gap.ts';
import { newline } from './lines.ts';
import { LogFile, type LogFileOptions } from './log-file.ts';
import type { LogOwner } from './fifo.ts';
import { cutWindowBytes, unfinishedLine } from './rotate.ts';

export type Rotation = LogSpec['rotate'];

export interface WriterOptions extends LogFileOptions {
  readonly rotation: Rotation;
  readonly compressor: Compressor;
}

/** Appends raw bytes to a log file and rotates it by size. Never throws: what the disk does not take is dropped, counted and reported. */
export class LogWriter {
  readonly #file: LogFile;
  readonly #gap: Gap;
  readonly #compressor: Compressor;
  readonly #onProblem: (text: string) => void;
  #rotation: Rotation;
  #nextRotationAt = 0;
  #nextSearchAt = 0;
  #rotationFails = false;
  #cannotMove = false;

  constructor(path: string, options: WriterOptions) {
    this.#file = new LogFile(path, options);
    this.#gap = new Gap(path, options.onProblem);
    this.#compressor = options.compressor;
    this.#onProblem = options.onProblem;
    this.#rotation = options.rotation;
  }

  get path(): string {
    return this.#file.path;
  }

  /** Bytes that could not be written since the writer was made. */
  get droppedBytes(): number {
    return this.#gap.droppedBytes;
  }

  write(bytes: Uint8Array): void {
    const file = this.#file;
    let rest = bytes;
    try {
      file.check();
      file.open();
      const limit = this.#limit;
      if (file.size + rest.length > limit) {
        // Somebody else may have put it away.
        file.checkNow();
        file.open();
      }
      while (file.size + rest.length > limit && this.#mayRotate) {
        const cut = this.#cutOf(rest, limit);
        this.#append(rest.subarray(0, cut));
        rest = rest.subarray(cut);
        if (rest.length === 0 || file.size === 0) break;
        this.#putAway();
        file.open();
      }
    } catch (error) {
      this.#gap.drop(rest, error);
      return;
    }
    this.#append(rest);
  }

  /** Moves what is in a pipe to the file, or the beginning of it: nothing of it can be lost to the end of this process. How many bytes; `null`: they have to be read and written. */
  move(port: NativePort, pipe: number): number | null {
    // What is wrong is reported when the same bytes are written.
    return attempt(() => this.#moveSome(port, pipe), null);
  }

  /** The last bytes of the file, to be used before the next call; fewer when others have emptied it. */
  readBack(count: number): Uint8Array {
    return this.#file.readBack(count);
  }

  /** Creates the file when it is not there. Why it cannot, or null. */
  touch(): string | null {
    try {
      // What a new process says must not go to a file that has lost its name.
      this.#file.checkNow();
      this.#file.open();
      return null;
    } catch (error) {
      return textOf(error);
    }
  }

  /** From the next write on. */
  configure(rotation: Rotation, owner: LogOwner | null): void {
    this.#rotation = rotation;
    this.#file.belongTo(owner);
  }

  close(): void {
    this.#gap.close();
    this.#file.release();
  }

  get #limit(): number {
    return Math.max(1, this.#rotation.sizeBytes);
  }

  get #mayRotate(): boolean {
    return performance.now() >= this.#nextRotationAt;
  }

  #append(taken: Uint8Array): void {
    // A gap ends with what is written.
    if (taken.length === 0) return;
    let bytes = taken;
    let isCut = !this.#gap.isOpen;
    for (let offset = 0; offset < bytes.length;) {
      try {
        if (!isCut) {
          this.#file.open();
          bytes = this.#gap.fromLineStart(bytes);
          isCut = true;
          if (bytes.length === 0) return;
        }
        offset += this.#file.append(bytes.subarray(offset));
      } catch (error) {
        if (isFull(error) && this.#giveUpOldest()) continue;
        this.#gap.drop(bytes.subarray(offset), error);
        return;
      }
    }
    this.#gap.end();
  }

  /** Frees space on a full disk: what is new of one log comes before what is old of another. */
  #giveUpOldest(): boolean {
    if (dropOldest(this.path)) return true;
    if (performance.now() < this.#nextSearchAt) return false;
    const isFreed = dropOldestBeside(this.path);
    // The directory may be large, and the disk full for long.
    if (!isFreed) this.#nextSearchAt = performance.now() + searchEveryMs;
    return isFreed;
  }

  #putAway(): void {
    const { keep, compress } = this.#rotation;
    try {
      this.#file.putAway(keep);
      this.#rotationFails = false;
      if (compress && keep > 0) this.#compressor.compress(this.path);
    } catch (error) {
      if (isFull(error) && this.#giveUpOldest()) {
        this.#putAway();
        return;
      }
      this.#nextRotationAt = performance.now() + rotationRetryMs;
      if (!this.#rotationFails) this.#onProblem(`${this.path}: cannot be rotated: ${textOf(error)}; it grows on`);
      this.#rotationFails = true;
    }
  }

  /** How many of the bytes still go to the present file before it is put away. */
  #cutOf(bytes: Uint8Array, limit: number): number {
    const { size } = this.#file;
    const room = Math.max(0, limit - size);
    const lineEnd = room === 0 ? 0 : bytes.lastIndexOf(newline, room - 1) + 1;
    if (lineEnd > 0 && room - lineEnd <= cutWindowBytes) return lineEnd;
    const unfinished = room >= cutWindowBytes || size === 0 ? null : (unfinishedLine(this.path)?.length ?? null);
    // The last line that fits ended in the file already: rotation takes what follows it to the new one.
    const endsNear = unfinished !== null && unfinished < size && unfinished + room <= cutWindowBytes;
    return endsNear ? 0 : room;
  }

  #moveSome(port: NativePort, pipe: number): number | null {
    if (this.#cannotMove || this.#gap.isOpen) return null;
    const file = this.#file;
    file.check();
    const limit = this.#limit;
    file.openToMove(port);
    if (file.size >= limit) {
      file.checkNow();
      file.openToMove(port);
    }
    // What is after the last newline goes with the rotation.
    while (file.size >= limit && file.size > 0 && this.#mayRotate) {
      this.#putAway();
      file.openToMove(port);
    }
    const moved = file.move(port, pipe, file.size < limit ? limit - file.size : Infinity);
    if (typeof moved === 'number') return moved;
    if (moved === 'EAGAIN') return 0;
    if ((moved === 'ENOSPC' || moved === 'EDQUOT') && this.#giveUpOldest()) return this.#moveSome(port, pipe);
    this.#cannotMove = moved === 'EINVAL';
    return null;
  }
}

function isFull(error: unknown): boolean {
  return hasCode(error, 'ENOSPC', 'EDQUOT');
}

const rotationRetryMs = 10_000;
const searchEveryMs = 1000;
