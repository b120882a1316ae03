import { lstatSync, readdirSync, renameSync, rmSync, type Stats } from 'node:fs';
import { dirname, join } from 'node:path';
import { attempt } from '../errors.ts';

/** One archived piece of a log: `<file>.<number>` or, once compressed, `<file>.<number>.gz`. Number 1 is the newest. */
export interface Archive {
  readonly number: number;
  readonly path: string;
  readonly compressed: boolean;
  readonly stat: Stats;
}

/**
 * The archives of a log file, newest first. A crash between rotation's steps may leave one number without an archive, or
 * one in both forms, which hold the same: the raw one is then left out.
 */
export function listArchives(file: string): Archive[] {
  const found: Archive[] = [];
  for (let number = 1, missing = 0; missing < 2; number += 1) {
    const archive = archiveAt(file, number);
    missing = archive === null ? missing + 1 : 0;
    if (archive !== null) found.push(archive);
  }
  return found;
}

/**
 * Frees number 1 by moving archives up, at most as far as the first free number; what would come to lie beyond `keep` is
 * removed. Every step is a rename: a crash between two of them loses nothing.
 */
export function makeRoom(file: string, keep: number): void {
  let free = 1;
  while (free <= keep && archiveAt(file, free) !== null) free += 1;
  // What was left when `keep` was lowered.
  for (const { number } of listArchives(file)) if (number > keep) remove(`${file}.${number}`);
  if (keep > 0 && free > keep) remove(`${file}.${keep}`);
  for (let number = Math.min(free, keep) - 1; number >= 1; number -= 1) {
    for (const ending of endings) {
      const from = `${file}.${number}${ending}`;
      if (lstatSync(from, { throwIfNoEntry: false }) !== undefined) renameSync(from, `${file}.${number + 1}${ending}`);
    }
  }
}

/** Removes the oldest archive to free space; false when there is none. */
export function dropOldest(file: string): boolean {
  return drop(listArchives(file).at(-1));
}

/** Removes the oldest archive of all logs in the directory of this one; false when there is none. */
export function dropOldestBeside(file: string): boolean {
  const directory = dirname(file);
  const names = attempt(() => readdirSync(directory), []);
  const logs = new Set(names.flatMap((name) => /^(.+_std(?:out|err)\.log)\.[0-9]+(?:\.gz)?$/.exec(name)?.[1] ?? []));
  const oldest = [...logs].flatMap((name) => listArchives(join(directory, name)).slice(-1)).sort((one, other) => one.stat.mtimeMs - other.stat.mtimeMs);
  return drop(oldest[0]);
}

/** Where the times of a log file or of an archive are kept, compressed or not. */
export function timesOf(file: string): string {
  return `${file}.times`;
}

const endings = ['', '.gz', '.times'] as const;

function archiveAt(file: string, number: number): Archive | null {
  for (const compressed of [true, false]) {
    const path = `${file}.${number}${compressed ? '.gz' : ''}`;
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat?.isFile() === true) return { number, path, compressed, stat };
  }
  return null;
}

function drop(archive: Archive | undefined): boolean {
  if (archive !== undefined) remove(archive.path.replace(/\.gz$/, ''));
  return archive !== undefined;
}

/** In all its forms, and its times. */
function remove(path: string): void {
  for (const ending of endings) rmSync(`${path}${ending}`, { force: true });
}
