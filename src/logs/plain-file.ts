import { closeSync, constants, fchmodSync, fchownSync, fstatSync, ftruncateSync, lstatSync, openSync, readlinkSync, rmSync, statSync, type Stats } from 'node:fs';
import { attempt } from '../errors.ts';
import type { LogOwner } from './fifo.ts';

export interface OpenedFile {
  readonly descriptor: number;
  readonly stat: Stats;
}

/**
 * Opens a log file to append to, made with mode 0640 where there is none, and gives it to its owner. Never through a symbolic
 * link, which may lead to anybody's file, and never anything but a file: a FIFO would be waited for. Throws what the file
 * system says, or what is in the way. `readable`: what was written can be read back.
 */
export function openToAppend(path: string, owner: LogOwner | null, readable = false): OpenedFile {
  return opened(path, (readable ? constants.O_RDWR : constants.O_WRONLY) | constants.O_APPEND | constants.O_CREAT, (descriptor, stat) => {
    if (owner !== null && stat.uid !== owner.uid) fchownSync(descriptor, owner.uid, owner.gid);
  });
}

/** Empties a log file, under the same conditions; one that is missing is made. */
export function emptyFile(path: string): void {
  closeSync(opened(path, constants.O_WRONLY | constants.O_CREAT, (descriptor) => ftruncateSync(descriptor)).descriptor);
}

/** Takes a symbolic link out of the place of a log file; what it leads to is not touched. Says so, or null when there was none. */
export function removeLink(path: string): string | null {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return null;
  const target = readlinkSync(path);
  rmSync(path);
  return `${path}: was a symbolic link to ${target}, which is never written through; a file takes its place`;
}

function opened(path: string, flags: number, prepare: (descriptor: number, stat: Stats) => void): OpenedFile {
  // Without O_NONBLOCK a FIFO here would hold up the caller until somebody reads it (fifo(7)).
  const descriptor = openSync(path, flags | constants.O_NOFOLLOW | constants.O_NONBLOCK, 0o640);
  try {
    const stat = fstatSync(descriptor);
    const obstacle = obstacleIn(path, stat);
    if (obstacle !== null) throw new Error(obstacle);
    // Others have no business in it, whatever the umask was when it was made.
    if ((stat.mode & 0o007) !== 0 && stat.uid === process.geteuid?.()) fchmodSync(descriptor, stat.mode & 0o770);
    prepare(descriptor, stat);
    return { descriptor, stat };
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

/** Of the file at the path of a log; undefined where there is none, whatever else is in its place. */
export function statLog(path: string): Stats | undefined {
  const stat = attempt(() => statSync(path, { throwIfNoEntry: false }), undefined, 'ELOOP');
  return stat?.isFile() === true ? stat : undefined;
}

/** What is in the place of a log file and is none, as a sentence; null: nothing is. */
export function obstacleAt(path: string): string | null {
  const stat = attempt(() => statSync(path, { throwIfNoEntry: false }), undefined);
  return stat === undefined ? null : obstacleIn(path, stat);
}

function obstacleIn(path: string, stat: Stats): string | null {
  return stat.isFile() ? null : `${path}: expected a file, found ${kindOf(stat)}`;
}

function kindOf(stat: Stats): string {
  if (stat.isFIFO()) return 'a FIFO';
  if (stat.isDirectory()) return 'a directory';
  return stat.isSocket() ? 'a socket' : 'a device';
}
