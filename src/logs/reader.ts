import { closeSync, constants, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { hasCode } from '../errors.ts';
import { loadNative, nativePort } from '../native/load.ts';
import type { NativePort } from '../native/port.ts';
import { readPipe, type OnBytes, type PipeReader } from '../process/pipe-end.ts';

export interface FifoReader {
  /** Whether this very FIFO is at its path still, not another one or none. */
  isCurrent(): boolean;
  /** Reads what the FIFO holds now, at once. */
  drain(): void;
  /** After `take` has said that there is no room for more. */
  resume(): void;
  close(): void;
}

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
export function openFifoReader(path: string, sink: FifoSink): FifoReader {
  const descriptor = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  const { dev, ino } = fstatSync(descriptor);
  let open = true;
  let isFull = false;
  let pipe: PipeReader | null = null;

  const take: OnBytes = (bytes) => {
    isFull = sink.take(bytes) === false;
    return !isFull;
  };
  const step = (port: NativePort | null): number => {
    const moved = port === null ? null : (sink.move?.(port, descriptor) ?? null);
    if (moved !== null) return moved;
    const bytes = readAvailable(descriptor);
    if (bytes.length > 0) take(bytes);
    return bytes.length;
  };
  void loadNative().then((port) => {
    if (!open) return;
    pipe = port === null ? readPipe(descriptor, shared, take) : movePipe(port, descriptor, () => {
      step(port);
      return !isFull;
    });
  });
  return {
    isCurrent() {
      const named = statSync(path, { throwIfNoEntry: false });
      return named !== undefined && named.ino === ino && named.dev === dev;
    },
    drain() {
      const port = nativePort();
      for (let total = 0; open && total < largestPipeBytes;) {
        // Of an empty one there is nothing to open, make or put away a file for.
        const moved = port?.held(descriptor) === 0 ? 0 : step(port);
        if (moved === 0) return;
        total += moved;
      }
    },
    resume() {
      isFull = false;
      pipe?.resume();
    },
    close() {
      if (open && pipe === null) closeSync(descriptor);
      open = false;
      pipe?.close();
      pipe = null;
    },
  };
}

/** As `readPipe` of what only says that there is something. `onReadable` returns false when no more is wanted until `resume`. */
function movePipe(port: NativePort, descriptor: number, onReadable: () => boolean): PipeReader {
  const watch = port.watch(descriptor, () => {
    try {
      if (!onReadable()) watch.pause();
    } catch {
      // Cannot happen to a FIFO of which we hold both ends.
      watch.close();
    }
  });
  return {
    resume: () => watch.resume(),
    close() {
      watch.close();
      closeSync(descriptor);
    },
  };
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
  try {
    return shared.subarray(0, readSync(descriptor, shared));
  } catch (error) {
    if (hasCode(error, 'EAGAIN')) return shared.subarray(0, 0);
    throw error;
  }
}
