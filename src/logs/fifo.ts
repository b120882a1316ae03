import { chmodSync, chownSync, closeSync, constants, lstatSync, openSync, readdirSync, unlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { hasCode, reporting } from '../errors.ts';
import { makeStateDirectories } from '../files.ts';
import { runTool } from '../process/tools.ts';

/** The user a unit runs as, when that is not us: its FIFOs and log files are that user's, so that it can open /dev/stdout again. */
export interface LogOwner {
  readonly uid: number;
  readonly gid: number;
}

export interface FifoOrder {
  readonly path: string;
  readonly owner: LogOwner | null;
}

/**
 * Sees to it that a FIFO of ours with mode 0600 is at every path, with one mkfifo(1) for all that are missing. Whatever else is there is replaced; a
 * FIFO of ours is kept, since a process may hold it and output may be in it. Returns what was in its place before, and problems in sentences.
 */
export function ensureFifos(orders: readonly FifoOrder[]): { readonly kept: ReadonlySet<string>; readonly problems: readonly string[] } {
  const kept = new Set<string>();
  const problems: string[] = [];
  const missing: FifoOrder[] = [];
  const onProblem = (problem: string): void => void problems.push(problem);
  for (const order of orders) {
    reporting(onProblem, `${order.path}: cannot be replaced by a FIFO`, () => {
      if (keepOrClear(order)) kept.add(order.path);
      else missing.push(order);
    });
  }
  // Somebody may have removed the directory since the last look at it.
  for (const directory of new Set(missing.map(({ path }) => dirname(path)))) {
    reporting(onProblem, `${directory}: FIFOs cannot be made there`, () => makeStateDirectories(directory));
  }
  for (const batch of batches(missing)) {
    const made = runTool('mkfifo', ['-m', '600', '--', ...batch.map((order) => order.path)]);
    if (!made.ok) problems.push(made.missing ? 'output needs the program mkfifo, which was not found on PATH: install coreutils' : made.reason);
  }
  for (const { path, owner } of missing) {
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found?.isFIFO() !== true) problems.push(`${path}: expected a FIFO, found ${found === undefined ? 'nothing' : 'something else'}`);
    else if (owner !== null) reporting(onProblem, `${path}: cannot be given to uid ${owner.uid}`, () => chownSync(path, owner.uid, owner.gid));
  }
  return { kept, problems };
}

/** As `ensureFifos` for one path. Throws the problem. */
export function ensureFifo(path: string, owner: LogOwner | null): void {
  const [problem] = ensureFifos([{ path, owner }]).problems;
  if (problem !== undefined) throw new Error(problem);
}

/** Removes the FIFOs in a directory that no process has open: they are of units that are no more, or will be made anew. */
export function pruneFifos(directory: string): void {
  for (const name of readdirSync(directory)) {
    const path = join(directory, name);
    if (isFifo(path) && !hasReader(path)) unlinkSync(path);
  }
}

export function isFifo(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isFIFO() === true;
}

// Linux gives arguments and environment together at least 128 KiB (ARG_MAX), usually 2 MiB.
const bytesPerCall = 1_000_000;

function keepOrClear({ path, owner }: FifoOrder): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return false;
  if (found.isFIFO() && found.uid === (owner?.uid ?? process.geteuid?.() ?? found.uid)) {
    if ((found.mode & 0o777) !== 0o600) chmodSync(path, 0o600);
    return true;
  }
  unlinkSync(path);
  return false;
}

function hasReader(path: string): boolean {
  try {
    // fifo(7): opened for writing only and without blocking, a FIFO that nobody reads from answers ENXIO.
    closeSync(openSync(path, constants.O_WRONLY | constants.O_NONBLOCK));
    return true;
  } catch (error) {
    return !hasCode(error, 'ENXIO');
  }
}

function* batches(orders: readonly FifoOrder[]): Generator<FifoOrder[]> {
  let batch: FifoOrder[] = [];
  let bytes = 0;
  for (const order of orders) {
    const length = Buffer.byteLength(order.path) + 9;
    if (batch.length > 0 && bytes + length > bytesPerCall) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(order);
    bytes += length;
  }
  if (batch.length > 0) yield batch;
}
