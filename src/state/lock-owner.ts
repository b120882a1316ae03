import { readdirSync, readlinkSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { ProcessIdentity } from '../../machines/types.ts';
import { identify } from '../process/identity.ts';
import { readArguments, readProcStat } from '../process/proc.ts';
import { lockHolder } from './lock.ts';
import type { RuntimePaths } from '../runtime-paths.ts';

/** A supervisor that answers nobody, and the shell that would start it again. */
export interface LockOwner {
  readonly supervisor: ProcessIdentity;
  readonly guardian: ProcessIdentity | null;
}

/** The process that the pid file names, when it has our lock file open: the pid alone proves nothing. Null without that proof. */
export function findLockOwner(paths: Pick<RuntimePaths, 'lock' | 'pidFile' | 'stateDir'>): LockOwner | null {
  const pid = lockHolder(paths.pidFile);
  const supervisor = pid === null || !hasOpen(pid, paths.lock) ? null : identify(pid);
  if (supervisor === null) return null;
  const parent = readProcStat(supervisor.pid)?.ppid ?? 0;
  return { supervisor, guardian: isGuardian(parent, paths.stateDir) ? identify(parent) : null };
}

/** A supervisor whose lock file somebody has removed: it lives, puts its files back within a moment, and has the removed one open. Null: there is none. */
export function findBereft(lock: string): number | null {
  return processIds().find((pid) => readArguments(pid)?.some((argument) => argument.endsWith('/daemon.js')) === true && holdsRemoved(pid, lock)) ?? null;
}

/** The shell that starts the supervisor of this state directory again as soon as it has died. Null: there is none, or no /proc that shows it. */
export function findGuardian(stateDir: string): ProcessIdentity | null {
  const pid = processIds().find((candidate) => isGuardian(candidate, stateDir));
  return pid === undefined ? null : identify(pid);
}

function processIds(): readonly number[] {
  try {
    return readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name)).map(Number);
  } catch {
    // No /proc.
    return [];
  }
}

function holdsRemoved(pid: number, path: string): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((descriptor) => readlinkSync(`/proc/${pid}/fd/${descriptor}`) === `${path} (deleted)`);
  } catch {
    // It has ended, or a descriptor is closed meanwhile, or the process is not for us to see.
    return false;
  }
}

/**
 * Whether somebody serves this control socket. A supervisor that does not know our lock, such as systemg 0.33.0's, is known by that alone: its pid file may
 * name any process by now.
 */
export function isServed(socketPath: string, timeoutMs = 2000): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    const answer = (served: boolean) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(served);
    };
    // EAGAIN and silence: the queue of a server that is busy is full.
    socket.once('connect', () => answer(true)).once('error', (error: NodeJS.ErrnoException) => answer(error.code === 'EAGAIN'));
    const timer = setTimeout(() => answer(true), timeoutMs);
  });
}

function hasOpen(pid: number, path: string): boolean {
  try {
    const file = statSync(path);
    return readdirSync(`/proc/${pid}/fd`).some((descriptor) => {
      const open = statSync(join(`/proc/${pid}/fd`, descriptor), { throwIfNoEntry: false });
      return open !== undefined && open.ino === file.ino && open.dev === file.dev;
    });
  } catch {
    // No such process, no such file, no /proc, or not for us to see: no proof.
    return false;
  }
}

function isGuardian(pid: number, stateDir: string): boolean {
  const argv = readArguments(pid);
  return argv?.[1] === '-s' && argv[3] === stateDir;
}
