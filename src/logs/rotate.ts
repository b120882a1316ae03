import { closeSync, ftruncateSync, lstatSync, openSync, renameSync, rmSync, statSync, truncateSync, writeSync } from 'node:fs';
import { noRoom, readTail } from '../files.ts';
import { makeRoom } from './archives.ts';
import { newline } from './lines.ts';
import { rotateTimes } from './time-index.ts';

/** How far back from its end a file is searched for the end of a line to cut at. */
export const cutWindowBytes = 64 * 1024;

/**
 * Puts a full file away as archive 1. What follows its last newline, when one is within the last 64 KiB, moves to the
 * new file, so that lines stay whole. Throws what the file system says.
 *
 * Steps: the moved piece is written to `<file>.next`; the file is renamed; cut; `.next` takes its name. `mendRotation`
 * finishes what a crash between two of them left, with no byte lost or doubled.
 */
export function rotate(file: string, keep: number): void {
  const piece = unfinishedLine(file) ?? Buffer.alloc(0);
  if (piece.length > 0) writeFresh(`${file}.next`, piece, file);
  const archive = `${file}.1`;
  try {
    makeRoom(file, keep);
    renameSync(file, archive);
  } catch (error) {
    // Somebody has moved the file away, with the piece in it.
    rmSync(`${file}.next`, { force: true });
    throw error;
  }
  const cut = statSync(archive).size - piece.length;
  if (piece.length > 0) {
    truncateSync(archive, cut);
    renameSync(`${file}.next`, file);
  }
  rotateTimes(file, cut, keep);
  // Who has it open still reads it to its end.
  if (keep === 0) rmSync(archive);
}

/** To be called before a file is written to: finishes or takes back a rotation that a crash interrupted. */
export function mendRotation(file: string): void {
  const next = lstatSync(`${file}.next`, { throwIfNoEntry: false });
  // A directory or a link is no rotation's.
  if (next?.isFile() !== true) return;
  if (statSync(file, { throwIfNoEntry: false }) !== undefined) {
    rmSync(`${file}.next`);
    return;
  }
  const archive = statSync(`${file}.1`, { throwIfNoEntry: false });
  // A cut archive ends with a newline, the moved piece has none: so an archive without one at its end is not cut yet.
  const uncut = archive !== undefined && archive.size >= next.size && readTail(`${file}.1`, 1)[0] !== newline;
  if (uncut) truncateSync(`${file}.1`, archive.size - next.size);
  renameSync(`${file}.next`, file);
}

/** What follows the last newline of a file, or null when its last 64 KiB have none. */
export function unfinishedLine(file: string): Buffer | null {
  const tail = readTail(file, cutWindowBytes);
  const lineEnd = tail.lastIndexOf(newline);
  return lineEnd < 0 ? null : tail.subarray(lineEnd + 1);
}

/** Whether something was written to the file after its last newline. */
export function endsWithinLine(file: string): boolean {
  if (lstatSync(file, { throwIfNoEntry: false })?.isFile() !== true) return false;
  const [last] = readTail(file, 1);
  return last !== undefined && last !== newline;
}

function writeFresh(path: string, bytes: Buffer, like: string): void {
  rmSync(path, { force: true });
  const { mode } = statSync(like);
  const descriptor = openSync(path, 'wx', mode & 0o777);
  try {
    if (writeSync(descriptor, bytes) < bytes.length) throw new Error(`${path}: ${noRoom}`);
  } catch (error) {
    ftruncateSync(descriptor, 0);
    rmSync(path, { force: true });
    throw error;
  } finally {
    closeSync(descriptor);
  }
}
