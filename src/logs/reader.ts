import { constants, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { hasCode } from '../errors.ts';
import { readPipe, type OnBytes } from '../process/pipe-end.ts';

export interface FifoReader {
  /** Whether this very FIFO is at its path still, not another one or none. */
  isCurrent(): boolean;
  /** Reads what the FIFO holds now, at once. */
  drain(): void;
  /** After `onBytes` has said that there is no room for more. */
  resume(): void;
  close(): void;
}

/**
 * Reads a FIFO for as long as it is open.
 * Each reader gets one buffer's worth of a loop turn, so that a process that writes more waits in write(2), and nobody
 * else does. Both ends are held: the FIFO never ends, and what is in it outlives its writers. Throws when it cannot be opened.
 */
export function openFifoReader(path: string, onBytes: OnBytes): FifoReader {
  const descriptor = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  const { dev, ino } = fstatSync(descriptor);
  let open = true;
  const pipe = readPipe(descriptor, shared, onBytes);
  return {
    isCurrent() {
      const named = statSync(path, { throwIfNoEntry: false });
      return named !== undefined && named.ino === ino && named.dev === dev;
    },
    drain() {
      for (let total = 0; open && total < largestPipeBytes;) {
        const bytes = readAvailable(descriptor);
        if (bytes.length === 0) return;
        onBytes(bytes);
        total += bytes.length;
      }
    },
    resume: () => pipe.resume(),
    close() {
      open = false;
      pipe.close();
    },
  };
}

/**
 * A read is used up within its callback, so one buffer serves all. What is in it when the supervisor is killed is lost: nobody can put bytes
 * back into a pipe. It is as small as it can be without costing time at full flood, measured from 64 KiB down (docs/reliability.md).
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
