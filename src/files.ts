import {
  accessSync, closeSync, constants, fstatSync, fsyncSync, lstatSync, mkdirSync, openSync, readFileSync, readdirSync, readSync, realpathSync, renameSync, rmSync, statSync, writeFileSync, type Stats,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { attempt, hasCode, textOf } from './errors.ts';

/**
 * Puts `text` in the place of a file by a temporary file and rename: readers see the old or the new content, never
 * a part. The file has mode 0600. `durable`: it is on disk when this returns. Throws what the file system says.
 */
export function replaceFile(path: string, text: string, options: { readonly durable: boolean }): void {
  const temporary = `${path}.tmp`;
  try {
    const descriptor = openAnew(temporary);
    try {
      writeFileSync(descriptor, text);
      if (options.durable) fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(temporary, path);
    if (options.durable) syncDirectory(dirname(path));
  } catch (error) {
    attempt(() => rmSync(temporary, { force: true }), undefined);
    throw error;
  }
}

/** Something in its place, which a killed writer or somebody else has left, is removed: nothing is written through a link. */
function openAnew(path: string): number {
  try {
    return openSync(path, 'wx', 0o600);
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error;
    if (lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true) throw new Error(`${path} is a directory: move it away`);
    rmSync(path, { force: true });
    return openSync(path, 'wx', 0o600);
  }
}

/** Why a write to a file takes fewer bytes than it was given: write(2). */
export const noRoom = 'the disk is full, or the limit of file sizes (ulimit -f) is reached';

/**
 * Makes a directory and those above it, also while others make the same ones. Not by Node's `recursive`, which tries for ever below a directory where
 * nothing can be made, as in /proc. `above`: how many of those above it at most.
 */
export function makeDirectories(path: string, mode = 0o700, above = Infinity): void {
  try {
    makeDirectory(path, mode);
  } catch (error) {
    if (!hasCode(error, 'ENOENT') || above === 0 || dirname(path) === path) throw error;
    makeDirectories(dirname(path), mode, above - 1);
    makeDirectory(path, mode);
  }
}

/** Makes a directory of the logs or FIFOs, and of those above it what a project's may lack: `systemg`, `logs` and `projects`. A home that is gone is further up. */
export function makeStateDirectories(path: string): void {
  makeDirectories(path, 0o700, LEVELS_OF_STATE);
}

const LEVELS_OF_STATE = 3;

function makeDirectory(path: string, mode: number): void {
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    if (hasCode(error, 'ENOENT') || statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) throw error;
  }
}

/** The whole of a plain file. */
export function readPlainFile(path: string): Buffer {
  return withPlainFile(path, (descriptor) => readFileSync(descriptor));
}

/** Opens a plain file to read it. Of anything else it throws, where openSync would wait for somebody who writes into a FIFO. */
function withPlainFile(path: string, read: (descriptor: number, stat: Stats) => Buffer): Buffer {
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const found = fstatSync(descriptor);
    // Of a directory read(2) itself says so.
    if (!found.isFile() && !found.isDirectory()) throw new Error(`${path} is no plain file`);
    return read(descriptor, found);
  } finally {
    closeSync(descriptor);
  }
}

/** Makes created and renamed names in a directory durable. */
export function syncDirectory(directory: string): void {
  const descriptor = openSync(directory, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Keeps a copy of a damaged file beside it, as `<file>.corrupt-<n>`, of which the newest three stay. Returns the end of a sentence about the damage;
 * throws nothing.
 */
export function quarantine(path: string): string {
  const [directory, prefix] = [dirname(path), `${basename(path)}.corrupt-`];
  try {
    const numbers = readdirSync(directory)
      .filter((name) => name.startsWith(prefix) && /^[0-9]+$/.test(name.slice(prefix.length)))
      .map((name) => Number(name.slice(prefix.length)))
      .sort((one, other) => one - other);
    const copy = join(directory, `${prefix}${(numbers.at(-1) ?? 0) + 1}`);
    for (const number of numbers.slice(0, Math.max(0, numbers.length - KEPT_COPIES + 1))) rmSync(join(directory, `${prefix}${number}`), { force: true });
    // Of what is no plain file there is no copy: a FIFO would be waited for.
    writeFileSync(copy, readPlainFile(path), { mode: 0o600, flag: 'wx' });
    return `; a copy is kept as ${copy}`;
  } catch (error) {
    return `; no copy could be kept: ${textOf(error)}`;
  }
}

/** The first bytes of a file, at most so many. Throws what the file system says. */
export function readHead(path: string, most: number): Buffer {
  return withPlainFile(path, (descriptor) => readPart(descriptor, 0, most));
}

/** The last bytes of a file, at most so many. Throws what the file system says. */
export function readTail(path: string, most: number): Buffer {
  return withPlainFile(path, (descriptor, { size }) => readPart(descriptor, Math.max(0, size - most), Math.min(size, most)));
}

function readPart(descriptor: number, from: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  return bytes.subarray(0, readSync(descriptor, bytes, 0, length, from));
}

const KEPT_COPIES = 3;

/** In bytes, of what is at the path itself; null: nothing is. */
export function sizeOf(path: string): number | null {
  return lstatSync(path, { throwIfNoEntry: false })?.size ?? null;
}

/** Whether there is a directory, be it behind a link. */
export function isDirectory(path: string): boolean {
  return attempt(() => statSync(path).isDirectory(), false);
}

/** Whether this process may use the path so: `constants.F_OK`, `R_OK`, `W_OK` or `X_OK` of access(2). False also for what is missing or cannot be reached. */
export function isAccessible(path: string, mode: number): boolean {
  return attempt(() => {
    accessSync(path, mode);
    return true;
  }, false);
}

/** As the file system has it; of what does not exist the path itself. */
export function realPath(path: string): string {
  // ENOENT and its kin.
  return attempt(() => realpathSync(path), path);
}
