import { closeSync, constants, fchownSync, fstatSync, mkdirSync, openSync, statSync, truncateSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeRoom } from './archives.ts';
import type { LogOwner } from './fifo.ts';
import { mendRotation, rotate } from './rotate.ts';
import type { Rotation } from './writer.ts';

/**
 * Opens a log file for a service that writes it by itself (`via: file`), put away first when it is full. Throws what the
 * file system says.
 */
export function openOwnedFile(path: string, rotation: Rotation, owner: LogOwner | null): { readonly descriptor: number; readonly rotated: boolean } {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  mendRotation(path);
  const before = statSync(path, { throwIfNoEntry: false });
  const rotated = before !== undefined && before.size >= rotation.sizeBytes;
  if (rotated) rotate(path, rotation.keep);
  const descriptor = openSync(path, 'a', 0o640);
  try {
    if (owner !== null && fstatSync(descriptor).uid !== owner.uid) fchownSync(descriptor, owner.uid, owner.gid);
    return { descriptor, rotated };
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

/**
 * Above four times its size, the file of a service that goes on writing is copied to archive 1 and emptied; what is
 * written between the two is lost. True when that was done. Rejects with what the file system says.
 */
export async function tendOwnedFile(path: string, rotation: Rotation): Promise<boolean> {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined || found.size <= 4 * rotation.sizeBytes) return false;
  if (rotation.keep > 0) {
    makeRoom(path, rotation.keep);
    await copyFile(path, `${path}.1`, constants.COPYFILE_EXCL);
  }
  truncateSync(path, 0);
  return true;
}
