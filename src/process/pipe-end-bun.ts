import { closeSync, readSync, writeSync } from 'node:fs';
import { attempt } from '../errors.ts';
import type { OnBytes, PipeReader, PipeWriter } from './pipe-end.ts';
import { watch } from '../native/readiness-bun.ts';

export type { OnBytes, PipeReader, PipeWriter } from './pipe-end.ts';

/** As in `pipe-end.ts`. */
export function readPipe(descriptor: number, buffer: Uint8Array<ArrayBuffer>, onBytes: OnBytes): PipeReader {
  let isOpen = true;
  const watching = watch(descriptor, 'read', () => {
    const length = readNow(descriptor, buffer);
    if (length === 'nothing') return;
    if (length === 0) end();
    else if (onBytes(buffer.subarray(0, length)) === false && isOpen) watching.change('none');
  });
  const end = (): void => {
    if (!isOpen) return;
    isOpen = false;
    watching.end();
    closeSync(descriptor);
  };
  return {
    resume() {
      if (isOpen) watching.change('read');
    },
    close: end,
  };
}

/** As in `pipe-end.ts`. */
export function writePipe(descriptor: number, onRoom: () => void): PipeWriter {
  const queue: { bytes: Buffer; readonly onTaken: () => void }[] = [];
  let waitingBytes = 0;
  let isWanted = false;
  let isClosed = false;
  let onEnd: (() => void) | null = null;

  const close = (): void => {
    if (isClosed) return;
    isClosed = true;
    watching.end();
    closeSync(descriptor);
  };
  /** What can be written now. True: that was all. */
  const drain = (): boolean => {
    for (let head = queue[0]; head !== undefined; head = queue[0]) {
      const written = writeNow(descriptor, head.bytes);
      waitingBytes -= written;
      head.bytes = head.bytes.subarray(written);
      if (head.bytes.length > 0) return false;
      queue.shift();
      head.onTaken();
    }
    return true;
  };
  const watching = watch(descriptor, 'none', () => {
    if (!drain()) return;
    watching.change('none');
    if (isWanted) onRoom();
    isWanted = false;
    if (onEnd === null) return;
    close();
    onEnd();
  });
  return {
    write(bytes, onTaken) {
      queue.push({ bytes, onTaken });
      waitingBytes += bytes.length;
      if (drain()) return true;
      watching.change('write');
      isWanted = waitingBytes >= MOST_WAITING_BYTES;
      return !isWanted;
    },
    end(onTaken) {
      onEnd = onTaken;
      if (!isClosed) watching.change('write');
    },
    get isClosed() {
      return isClosed;
    },
    close,
  };
}

/** As in `pipe-end.ts`. */
export function watchEnd(descriptor: number, onEnd: () => void): void {
  const discarded = new Uint8Array(1024);
  const watching = watch(descriptor, 'read', () => {
    if (hasMore(descriptor, discarded)) return;
    watching.end();
    closeSync(descriptor);
    onEnd();
  });
}

/** As much as a stream of Node's keeps. */
const MOST_WAITING_BYTES = 16 * 1024;

function readNow(descriptor: number, buffer: Uint8Array<ArrayBuffer>): number | 'nothing' {
  return attempt(() => readSync(descriptor, buffer), 'nothing', 'EAGAIN');
}

function writeNow(descriptor: number, bytes: Buffer): number {
  return attempt(() => writeSync(descriptor, bytes), 0, 'EAGAIN');
}

/** False: the other end is gone. */
function hasMore(descriptor: number, buffer: Uint8Array<ArrayBuffer>): boolean {
  // ECONNRESET of a socket.
  return attempt(() => readNow(descriptor, buffer) !== 0, false);
}
