import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { makeDirectories } from '../files.ts';
import { emptyFile, removeLink } from '../logs/plain-file.ts';

/** Empties the log files of a unit and makes those that are missing; archives and times are removed. Throws errors of the file system. */
export function purgeUnitLogs(logDir: string, files: readonly string[]): void {
  makeDirectories(logDir);
  const names = readdirSync(logDir);
  for (const file of files) {
    // What a link leads to is not a log of ours.
    removeLink(file);
    // Before the file: what is written from then on has times of its own.
    for (const name of names) if (isBeside(join(logDir, name), file)) rmSync(join(logDir, name), { force: true });
    emptyFile(file);
  }
  removeArchives(logDir, (name) => files.some((file) => isBeside(join(logDir, name), file, archiveEnding)));
}

/** As above for all units and the supervisor; what is in directories below stays, as in systemg 0.33.0. */
export function purgeAllLogs(logDir: string): void {
  makeDirectories(logDir);
  for (const name of readdirSync(logDir)) {
    const path = join(logDir, name);
    const [, file, beside] = /^(supervisor\.log|.*_(?:stdout|stderr)\.log)(\..*)?$/s.exec(name) ?? [];
    if (file === undefined) continue;
    if (beside !== undefined) {
      if (ownEnding.test(beside)) rmSync(path, { force: true });
    } else if (removeLink(path) === null) emptyFile(path);
  }
  removeArchives(logDir, (name) => archiveEnding.test(/^(?:supervisor\.log|.*_(?:stdout|stderr)\.log)(\..*)$/s.exec(name)?.[1] ?? ''));
}

/** A supervisor may have put a log away, or compressed an archive, while all were emptied: what is in there is from before. */
function removeArchives(logDir: string, isArchive: (name: string) => boolean): void {
  for (let pass = 0; pass < MOST_PASSES; pass += 1) {
    const left = readdirSync(logDir).filter(isArchive);
    if (left.length === 0) return;
    for (const name of left) rmSync(join(logDir, name), { force: true });
  }
}

/** A flood may fill a log again between two of them. */
const MOST_PASSES = 5;

/** `.1`, `.1.gz`, `.1.times`, `.times` */
const ownEnding = /^(\.[0-9]+)?(\.times)?$|^\.[0-9]+\.gz$/;

/** `.1`, `.1.gz`, `.1.times` */
const archiveEnding = /^\.[0-9]+(\.gz|\.times)?$/;

function isBeside(path: string, file: string, ending = ownEnding): boolean {
  return path.startsWith(`${file}.`) && ending.test(path.slice(file.length));
}
