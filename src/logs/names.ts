import { createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { attempt } from '../errors.ts';

export type LogStream = 'stdout' | 'stderr';
export const logStreams: readonly LogStream[] = ['stdout', 'stderr'];

/**
 * A unit's name as part of a file name: as it is, or shortened with a digest where the file system would refuse it. What asks for logs
 * may send any name, and records of other programs may hold any: none leads out of the directory.
 */
export function fileStem(unit: string): string {
  const isPlain = !/[/\0]/.test(unit);
  if (isPlain && Buffer.byteLength(unit) <= longestStem) return unit;
  const digest = createHash('sha256').update(unit).digest('hex').slice(0, 32);
  const head = Buffer.from(unit.replace(/[/\0]/g, '_')).subarray(0, 100).toString('utf8').replace(/\uFFFD+$/, '');
  return `${head}~${digest}`;
}

export function fifoPath(fifoDir: string, unit: string, stream: LogStream): string {
  return join(fifoDir, `${fileStem(unit)}.${stream}`);
}

/** Through which a program of the user's gets what comes out of that FIFO. */
export function loggerFifo(fifo: string): string {
  return `${fifo}.logger`;
}

export function exactLogPath(logDir: string, unit: string, stream: LogStream): string {
  return join(logDir, `${fileStem(unit)}_${stream}.log`);
}

/**
 * systemg 0.33.0's lookup: the file named exactly, else the first one whose name means the same when only ASCII letters
 * and digits count (`arb-rs` finds `arb_rs_stdout.log`), else the exact name for a file to come.
 */
export function findLogFile(logDir: string, unit: string, stream: LogStream): string {
  return makeLogLookup(logDir, [])(unit, stream);
}

/** As `findLogFile` for many units with one look at the directory. Files that belong to one of `units` by their exact name are found by that unit only. */
export function makeLogLookup(logDir: string, units: readonly string[]): (unit: string, stream: LogStream) => string {
  const owned = new Set(units.flatMap((unit) => logStreams.map((stream) => `${fileStem(unit)}_${stream}.log`)));
  let alike: Map<string, string> | null = null;
  return (unit, stream) => {
    const exact = exactLogPath(logDir, unit, stream);
    if (existsSync(exact)) return exact;
    alike ??= indexAlike(logDir, owned);
    const found = alike.get(`${plain(unit)}_${stream}`);
    return found === undefined ? exact : join(logDir, found);
  };
}

// NAME_MAX is 255 bytes; `_stdout.log.10000.times` is the longest ending.
const longestStem = 230;

function indexAlike(logDir: string, owned: ReadonlySet<string>): Map<string, string> {
  const index = new Map<string, string>();
  for (const name of listed(logDir).sort()) {
    const parts = /^(.+)_(stdout|stderr)\.log$/s.exec(name);
    if (parts === null || owned.has(name)) continue;
    const meaning = plain(parts[1] ?? '');
    const key = `${meaning}_${parts[2]}`;
    // A name without a single ASCII letter or digit would mean the same as every other such name.
    if (meaning !== '' && !index.has(key)) index.set(key, name);
  }
  return index;
}

/** Of a name what counts where 0.33.0 compares or writes one: ASCII letters and digits, in lower case. */
export function plain(name: string): string {
  return name.replace(/[^A-Za-z0-9]/g, '').toLowerCase();
}

/** The names in a directory, none where there is none, or this user may not read it. */
export function listed(directory: string): string[] {
  return attempt(() => readdirSync(directory), [], 'ENOENT', 'ENOTDIR', 'EACCES');
}
