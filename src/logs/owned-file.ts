import { constants, lstatSync, writeSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { reporting } from '../errors.ts';
import { makeStateDirectories } from '../files.ts';
import { makeRoom } from './archives.ts';
import type { LogOwner } from './fifo.ts';
import { emptyFile, openToAppend, removeLink } from './plain-file.ts';
import { endsWithinLine, mendRotation, rotate } from './rotate.ts';
import { endTimes } from './time-index.ts';
import type { Rotation } from './writer.ts';

export interface OwnedFile {
  readonly descriptor: number;
  readonly rotated: boolean;
}

/**
 * Opens a log file for a service that writes it by itself (`via: file`), put away first when it is full. Throws what the file system says of the file
 * itself; all else is reported, and the service has its output.
 */
export function openOwnedFile(path: string, rotation: Rotation, owner: LogOwner | null, onProblem: (text: string) => void): OwnedFile {
  makeStateDirectories(dirname(path));
  const problem = removeLink(path);
  if (problem !== null) onProblem(problem);
  let rotated = false;
  reporting(onProblem, `${path}: cannot be rotated, and grows on`, () => {
    mendRotation(path);
    const before = lstatSync(path, { throwIfNoEntry: false });
    if (before?.isFile() !== true || before.size < rotation.sizeBytes) return;
    rotate(path, rotation.keep);
    rotated = true;
  });
  endTimes(path);
  const { descriptor } = openToAppend(path, owner);
  // A process that is gone did not end its last line.
  reporting(onProblem, `${path}: its last line cannot be ended`, () => void (endsWithinLine(path) && writeSync(descriptor, '\n')));
  return { descriptor, rotated };
}

/**
 * Above four times its size, the file of a service that goes on writing is copied to archive 1 and emptied; what is
 * written between the two is lost. True when that was done. Rejects with what the file system says.
 */
export async function tendOwnedFile(path: string, rotation: Rotation): Promise<boolean> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found?.isFile() !== true || found.size <= 4 * rotation.sizeBytes) return false;
  if (rotation.keep > 0) {
    makeRoom(path, rotation.keep);
    await copyFile(path, `${path}.1`, constants.COPYFILE_EXCL);
  }
  emptyFile(path);
  return true;
}
