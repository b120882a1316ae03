import { closeSync, constants, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { attempt } from '../errors.ts';
import { loadNative, nativePort } from '../native/load.ts';
import type { NativePort, Watch } from '../native/port.ts';
import { readPipe, type OnBytes, type PipeReader } from '../process/pipe-end.ts';

export interface FifoSink {
  readonly take: OnBytes;
  /** Moves some of what is in the pipe on by the native port, without reading it. How much that was; `null`: it has to be read, as all has to be without this function. */
  readonly move?: (port: NativePort, pipe: number) => number | null;
}

/**
 * Reads a FIFO for as long as it is open, once it is known whether there is a native port: what that moves cannot be lost, and what is read can.
 * Each reader gets one piece of a loop turn, so that a process that writes more waits in write(2), and nobody
 * else does. Both ends are held: the FIFO never ends, and what is in it outlives its writers. Throws when it cannot be opened.
 */
export class FifoReader {
  readonly #path: string;
  readonly #sink: FifoSink;
  readonly #descriptor: number;
  readonly #device: number;
  readonly #inode: number;
  #open = true;
  #isFull = false;
  /** Of the two at most one: what watches for the native port, and what reads without. */
  #watch: Watch | null = null;
  #pipe: PipeReader | null = null;

  constructor(path: string, sink: FifoSink) {
    this.#path = path;
    this.#sink = sink;
    this.#descriptor = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
    ({ dev: this.#device, ino: this.#inode } = fstatSync(this.#descriptor));
    void loadNative().then((port) => this.#begin(port));
  }

  /** Whether this very FIFO is at its path still, not another one or none. */
  isCurrent(): boolean {
    const named = statSync(this.#path, { throwIfNoEntry: false });
    return named !== undefined && named.ino === this.#inode && named.dev === this.#device;
  }

  /** Reads what the FIFO holds now, at once. */
  drain(): void {
    const port = nativePort();
    for (let total = 0; this.#open && total < largestPipeBytes;) {
      // Of an empty one there is nothing to open, make or put away a file for.
      const moved = port?.held(this.#descriptor) === 0 ? 0 : this.#step(port);
      if (moved === 0) return;
      total += moved;
    }
  }

  /** After `take` has said that there is no room for more. */
  resume(): void {
    this.#isFull = false;
    this.#pipe?.resume();
    this.#watch?.resume();
  }

  close(): void {
    // The reader of a pipe closes the descriptor itself.
    this.#watch?.close();
    if (this.#open && this.#pipe === null) closeSync(this.#descriptor);
    this.#open = false;
    this.#pipe?.close();
    this.#pipe = null;
    this.#watch = null;
  }

  #begin(port: NativePort | null): void {
    if (!this.#open) return;
    if (port === null) this.#pipe = readPipe(this.#descriptor, shared, (bytes) => this.#take(bytes));
    else this.#watch = port.watch(this.#descriptor, () => this.#onReadable(port));
  }

  #onReadable(port: NativePort): void {
    try {
      this.#step(port);
      if (this.#isFull) this.#watch?.pause();
    } catch {
      // Cannot happen to a FIFO of which we hold both ends.
      this.#watch?.close();
    }
  }

  #take(bytes: Uint8Array): boolean {
    this.#isFull = this.#sink.take(bytes) === false;
    return !this.#isFull;
  }

  #step(port: NativePort | null): number {
    const moved = port === null ? null : (this.#sink.move?.(port, this.#descriptor) ?? null);
    if (moved !== null) return moved;
    const bytes = readAvailable(this.#descriptor);
    if (bytes.length > 0) this.#take(bytes);
    return bytes.length;
  }
}

/**
 * A read is used up within its callback, so one buffer serves all. What is in it when the supervisor is killed is lost: nobody but the native port can
 * move bytes without that. It is as small as it can be without costing time at full flood, measured from 64 KiB down (docs/reliability.md).
 */
const shared = Buffer.allocUnsafeSlow(8 * 1024);
// /proc/sys/fs/pipe-max-size by default: a writer that goes on for ever must not keep `drain` from ending.
const largestPipeBytes = 1024 * 1024;

/** What a FIFO that does not block holds now, up to 8 KiB, to be used before anything else is read; nothing where it is empty. */
export function readAvailable(descriptor: number): Uint8Array {
  return shared.subarray(0, attempt(() => readSync(descriptor, shared), 0, 'EAGAIN'));
}
