import { closeSync, fstatSync, fsyncSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { syncDirectory } from './replace-file.ts';

/** A file that grows by whole pieces: what cannot be written whole is taken back. */
export interface AppendFile {
  readonly size: number;
  /** One write(2). Throws what the file system says, with the file as it was before. */
  append(bytes: Buffer): void;
  sync(): void;
  truncate(size: number): void;
  close(): void;
}

/** Opens or creates with mode 0600. Throws what the file system says. */
export function openAppendFile(path: string): AppendFile {
  const descriptor = openSync(path, 'a', 0o600);
  let size = fstatSync(descriptor).size;
  let namedDurably = size > 0;
  return {
    get size() {
      return size;
    },
    append(bytes) {
      const written = writeSync(descriptor, bytes);
      if (written < bytes.length) {
        ftruncateSync(descriptor, size);
        throw new Error(`only ${written} of ${bytes.length} bytes could be written: the disk is full`);
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
