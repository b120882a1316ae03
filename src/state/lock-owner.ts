import { existsSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { basename, join } from 'node:path';
import { attempt, hasCode } from '../errors.ts';
import type { ProcessIdentity } from '../../machines/types.ts';
import { holdsByLsof, pidsByCommand } from '../process/darwin.ts';
import { identify, parentOf } from '../process/identity.ts';
import { listPids, readArguments } from '../process/proc.ts';
import { lockHolder } from './lock.ts';
import type { RuntimePaths } from '../runtime-paths.ts';

/** A supervisor that answers nobody, and the shell that would start it again. */
export interface LockOwner {
  readonly supervisor: ProcessIdentity;
  readonly guardian: ProcessIdentity | null;
}

/**
 * The process that the pid file names, when it has our lock file open: the pid alone proves nothing. Where the disk did not take the pid, the child of the
 * guardian that has. Null without that proof.
 */
export function findLockOwner(paths: Pick<RuntimePaths, 'lock' | 'pidFile' | 'stateDir'>): LockOwner | null {
  const named = lockHolder(paths.pidFile);
  const pid = named === null || hasOpen(named, paths.lock) ? named : guardedHolder(paths);
  const supervisor = pid === null ? null : identify(pid);
  if (supervisor === null) return null;
  const parent = parentOf(supervisor.pid);
  return { supervisor, guardian: parent !== null && guardiansOf(paths.stateDir, [parent]).length > 0 ? identify(parent) : null };
}

function guardedHolder({ lock, stateDir }: Pick<RuntimePaths, 'lock' | 'stateDir'>): number | null {
  const guardian = findGuardian(stateDir);
  if (guardian === null) return null;
  return processIds().find((pid) => pid !== process.pid && parentOf(pid) === guardian.pid && hasOpen(pid, lock)) ?? null;
}

/** As `findLockOwner`, else the process that the pid file names when it serves our socket without the lock, as systemg 0.33.0's supervisor does. */
export function findSupervisor(paths: Pick<RuntimePaths, 'lock' | 'pidFile' | 'stateDir' | 'socket'>): LockOwner | null {
  return findLockOwner(paths) ?? findServer(paths);
}

function findServer({ pidFile, socket }: Pick<RuntimePaths, 'pidFile' | 'socket'>): LockOwner | null {
  const pid = lockHolder(pidFile);
  const listening = pid === null ? [] : listeningAt(socket);
  const supervisor = pid !== null && descriptorsOf(pid).some((name) => listening.includes(name)) ? identify(pid) : null;
  return supervisor === null ? null : { supervisor, guardian: null };
}

/** `isOurs`: it puts the socket back within a moment, which systemg 0.33.0's does not. */
export interface Bereft {
  readonly pid: number;
  readonly isOurs: boolean;
}

/** A supervisor whose socket somebody has removed, with its whole directory perhaps, and that lives and listens nevertheless. Null: there is none. */
export function findBereft({ socket, lock }: Pick<RuntimePaths, 'socket' | 'lock'>): Bereft | null {
  const listening = existsSync(socket) ? [] : listeningAt(socket);
  for (const pid of listening.length === 0 ? [] : processIds()) {
    const open = descriptorsOf(pid);
    if (open.some((name) => listening.includes(name))) return { pid, isOurs: open.some((path) => basename(path.replace(/ \(deleted\)$/, '')) === basename(lock)) };
  }
  return null;
}

/** What descriptors that listen at this path are called in /proc. The kernel lists the path for as long as somebody listens, whether or not its file is there. */
function listeningAt(path: string): readonly string[] {
  // Without /proc, or one for us, nothing is listed. unix(7): 00010000 is __SO_ACCEPTCON.
  const listed = attempt(() => readFileSync('/proc/net/unix', 'utf8'), '').matchAll(/^\S+: \S+ \S+ 00010000 \S+ \S+ +(\d+) (.+)$/gm);
  return [...listed].flatMap(([, inode, name]) => (name === path ? [`socket:[${inode}]`] : []));
}

/** The shell that starts the supervisor of this state directory again as soon as it has died. Null: there is none, or no /proc that shows it. */
export function findGuardian(stateDir: string): ProcessIdentity | null {
  const [pid] = guardiansOf(stateDir);
  return pid === undefined ? null : identify(pid);
}

function processIds(): readonly number[] {
  // No /proc.
  return attempt(listPids, []);
}

/** What the open descriptors of a process lead to, but for those closed meanwhile; none of a process that has ended, or is not for us to see. */
function descriptorsOf(pid: number): readonly string[] {
  const directory = `/proc/${pid}/fd`;
  return attempt(() => readdirSync(directory), []).flatMap((descriptor) => attempt(() => readlinkSync(join(directory, descriptor)), null) ?? []);
}

/**
 * Whether somebody serves this control socket. A supervisor that does not know our lock, such as systemg 0.33.0's, is known by that alone: its pid file may
 * name any process by now.
 */
export function isServed(socketPath: string, timeoutMs = 2000): Promise<boolean> {
  // Said before Node's module for sockets is loaded.
  if (!existsSync(socketPath)) return Promise.resolve(false);
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    const answer = (served: boolean) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(served);
    };
    // EAGAIN and silence: the queue of a server that is busy is full. ECONNRESET: it hung up at once, which Bun reports in the place of the connect.
    socket.once('connect', () => answer(true)).once('error', (error) => answer(hasCode(error, 'EAGAIN', 'ECONNRESET')));
    const timer = setTimeout(() => answer(true), timeoutMs);
  });
}

function hasOpen(pid: number, path: string): boolean {
  if (process.platform === 'darwin') return holdsByLsof(pid, path);
  // No such process, no such file, no /proc, or not for us to see: no proof.
  return attempt(() => {
    const file = statSync(path);
    return readdirSync(`/proc/${pid}/fd`).some((descriptor) => {
      const open = statSync(join(`/proc/${pid}/fd`, descriptor), { throwIfNoEntry: false });
      return open !== undefined && open.ino === file.ino && open.dev === file.dev;
    });
  }, false);
}

/** Those of the processes, by default of all, that are a guardian of this state directory: `sh -s -- DIRECTORY COMMAND...`. */
function guardiansOf(stateDir: string, among?: readonly number[]): readonly number[] {
  if (process.platform === 'darwin') return pidsByCommand(` -s -- ${stateDir} `).filter((pid) => among?.includes(pid) !== false);
  return (among ?? processIds()).filter((pid) => {
    const argv = readArguments(pid);
    return argv?.[1] === '-s' && argv[3] === stateDir;
  });
}
