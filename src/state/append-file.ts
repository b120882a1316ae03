import { closeSync, constants, fstatSync, fsyncSync, ftruncateSync, openSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { attempt } from '../errors.ts';
import { noRoom, syncDirectory } from '../files.ts';

/** A file that grows by whole pieces: a piece that cannot be written whole is taken back. */
export interface AppendFile {
  readonly size: number;
  /** Whether it is still this very file that has its name. */
  isInPlace(): boolean;
  /** Whether it has the size that was given to it here: nobody has cut it, or written behind. */
  isWhole(): boolean;
  /** One write(2). Throws what the file system says, with the file as it was before. */
  append(bytes: Buffer): void;
  sync(): void;
  truncate(size: number): void;
  close(): void;
}

/** Opens or creates with mode 0600, and never what a symbolic link leads to. Throws what the file system says. */
export function openAppendFile(path: string): AppendFile {
  const descriptor = openSync(path, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK, 0o600);
  let size = fstatSync(descriptor).size;
  let namedDurably = size > 0;
  return {
    get size() {
      return size;
    },
    isInPlace: () => isSameFile(descriptor, path),
    isWhole: () => fstatSync(descriptor).size === size,
    append(bytes) {
      const written = writeSync(descriptor, bytes);
      if (written < bytes.length) {
        ftruncateSync(descriptor, size);
        throw new Error(`only ${written} of ${bytes.length} bytes could be written: ${noRoom}`);
      }
      size += written;
    },
    sync() {
      fsyncSync(descriptor);
      if (!namedDurably) syncDirectory(dirname(path));
      namedDurably = true;
    },
    truncate(to) {
      ftruncateSync(descriptor, to);
      size = to;
    },
    close: () => closeSync(descriptor),
  };
}

/** Whether an open file is the one that has the name now. */
export function isSameFile(descriptor: number, path: string): boolean {
  const mine = fstatSync(descriptor);
  // A link in a circle is somebody else's as well.
  const named = attempt(() => statSync(path), undefined);
  return named !== undefined && named.ino === mine.ino && named.dev === mine.dev;
}
