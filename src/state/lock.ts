import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { attempt, hasCode, textOf } from '../errors.ts';
import { readPlainFile } from '../files.ts';
import { runTool, type ToolResult } from '../process/tools.ts';
import { pidIn, runtimeNames } from '../runtime-paths.ts';
import { isSameFile } from './append-file.ts';

export type LockResult =
  /** `isInPlace`: the file has not been removed or replaced, and with it what the lock guards. */
  | { readonly ok: true; release(): void; isInPlace(): boolean }
  /** `held`: another process has the lock; otherwise nobody could be asked for it. */
  | { readonly ok: false; readonly held: boolean; readonly reason: string };

/**
 * Takes the exclusive lock of a runtime directory. It belongs to our open file and is freed by `release` or by the
 * death of this process, however it dies (flock(2)).
 */
export function takeLock(path: string): LockResult {
  try {
    for (let attempt = 0; attempt < attempts; attempt += 1) {
      const taken = tryLock(path);
      if (taken !== null) return taken;
      // A client that asks whether the lock is held has it for an instant itself.
      Atomics.wait(pause, 0, 0, 30);
    }
  } catch (error) {
    return { ok: false, held: false, reason: `${path}: ${textOf(error)}` };
  }
  const holder = lockHolder(join(dirname(path), runtimeNames.pidFile));
  return { ok: false, held: true, reason: `supervisor already running${holder === null ? '' : ` (pid ${holder})`}: it holds ${path}` };
}

/**
 * As `takeLock`, but waits as long as no supervisor is known to hold it, at most `limitMs`: a client that ends what a dead
 * supervisor left behind has the lock until that is done, and a start of the supervisor asks once.
 */
export async function awaitLock(path: string, isSupervised: () => boolean, limitMs: number): Promise<{ readonly lock: LockResult; readonly waited: boolean }> {
  const until = performance.now() + limitMs;
  for (let waited = false; ; waited = true) {
    const lock = takeLock(path);
    if (lock.ok || !lock.held || isSupervised() || performance.now() >= until) return { lock, waited };
    await sleep(100);
  }
}

/** Whether a supervisor lives in this runtime directory. Throws when the kernel cannot be asked about the lock. */
export function isLocked(path: string): boolean {
  const flags = process.platform === 'darwin' ? darwinSharedLock : constants.O_RDONLY | constants.O_NONBLOCK;
  let descriptor: number;
  try {
    descriptor = openSync(path, flags);
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return false;
    if (hasCode(error, 'EAGAIN')) return true;
    throw new Error(`${path}: cannot be opened, and without it nobody knows whether a supervisor runs: ${textOf(error)}`, { cause: error });
  }
  try {
    if (process.platform === 'darwin') return false;
    return isListed(descriptor) || isRefused(runTool('flock', ['-n', '-s', '3'], descriptor));
  } finally {
    closeSync(descriptor);
  }
}

/** The pid that a supervisor wrote down, for messages only: the process may be another by now. */
export function lockHolder(pidFile: string): number | null {
  // No pid file, or none that we may read: the message goes without.
  return attempt(() => pidIn(readPlainFile(pidFile).toString()), null);
}

const attempts = 5;
const pause = new Int32Array(new SharedArrayBuffer(4));
// open(2) of macOS: O_SHLOCK 0x10, O_EXLOCK 0x20.
const darwinSharedLock = constants.O_RDONLY | constants.O_NONBLOCK | 0x10;
const darwinExclusiveLock = constants.O_RDWR | constants.O_CREAT | constants.O_NONBLOCK | 0x20;
const darwinExistingLock = constants.O_RDONLY | constants.O_NONBLOCK | 0x20;

/** Null: somebody has it now. */
function tryLock(path: string): LockResult | null {
  const descriptor = openLockable(path);
  if (descriptor === null) return null;
  let kept = false;
  try {
    if (process.platform !== 'darwin' && isRefused(runTool('flock', ['-n', '-x', '3'], descriptor))) return null;
    // The locked file was removed in between: its lock guards nothing.
    if (!isSameFile(descriptor, path)) return null;
    kept = true;
    return { ok: true, release: once(() => closeSync(descriptor)), isInPlace: () => isSameFile(descriptor, path) };
  } finally {
    if (!kept) closeSync(descriptor);
  }
}

function openLockable(path: string): number | null {
  try {
    return openSync(path, process.platform === 'darwin' ? darwinExclusiveLock : constants.O_RDWR | constants.O_CREAT, 0o600);
  } catch (error) {
    if (process.platform === 'darwin' && hasCode(error, 'EAGAIN')) return null;
    // flock(2) does not ask for the right to write: services are looked after on a disk that has become read-only, too.
    const existing = hasCode(error, 'EROFS', 'EPERM') ? attempt(() => openSync(path, process.platform === 'darwin' ? darwinExistingLock : constants.O_RDONLY), null) : null;
    if (existing !== null) return existing;
    throw error;
  }
}

/** flock(1) ends with 1 for "somebody has it"; all else is a failure of the tool. */
function isRefused(result: ToolResult): boolean {
  if (result.ok) return false;
  if (result.code === 1) return true;
  throw new Error(result.missing ? 'locking needs the program flock, which was not found on PATH: install util-linux' : result.reason);
}

/**
 * Whether /proc/locks shows a lock on this very file: saves clients a subprocess while a supervisor runs. It proves
 * nothing by silence: in a pid namespace locks whose taker is dead are left out, and some file systems show another device.
 */
function isListed(descriptor: number): boolean {
  try {
    const { dev, ino } = fstatSync(descriptor, { bigint: true });
    // makedev(3) of glibc.
    const major = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & ~0xfffn);
    const minor = (dev & 0xffn) | ((dev >> 12n) & ~0xffn);
    const hex = (part: bigint): string => part.toString(16).padStart(2, '0');
    const file = `${hex(major)}:${hex(minor)}:${ino}`;
    return readFileSync('/proc/locks', 'utf8').split('\n').some((line) => {
      const fields = line.trim().split(/\s+/);
      return fields[1] === 'FLOCK' && fields[3] === 'WRITE' && fields[5] === file;
    });
  } catch {
    // No /proc/locks, or not for us: flock(1) answers.
    return false;
  }
}

function once(work: () => void): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    work();
  };
}
