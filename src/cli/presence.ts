import { existsSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { refusals, textOf, type Refusal } from '../errors.ts';
import { isAlive } from '../process/identity.ts';
import { isLocked } from '../state/lock.ts';
import { findBereft, findGuardian, isServed, type Bereft, type LockOwner } from '../state/lock-owner.ts';
import { signalProcess } from '../process/signal.ts';
import type { RuntimePaths } from '../runtime-paths.ts';
import type { Call } from './call.ts';

/** By its lock: the pid file of a dead supervisor proves nothing. A refusal when that cannot be found out. */
export function isRunning(call: Call): boolean | Refusal {
  if (call.host !== null) return true;
  try {
    return isLocked(call.paths.lock);
  } catch (error) {
    return refusals.runtime(textOf(error));
  }
}

/**
 * Waits until no supervisor holds the lock or serves the socket (systemg 0.33.0's knows no lock), and until the processes of `owner` are gone: a guardian
 * outlives its supervisor by a moment. False when one is still there after `limitMs`.
 */
export async function untilReleased(call: Call, limitMs: number, owner: LockOwner | null = null): Promise<boolean> {
  // Of another machine nobody here waits for it to be gone.
  if (call.host !== null) return true;
  const processes = [owner?.supervisor, owner?.guardian].filter((identity) => identity != null);
  return untilOver(async () => isRunning(call) === true || await isServed(call.paths.socket) || processes.some(isAlive), limitMs);
}

/** Waits as long as `goesOn` says so. False when that is still so after `limitMs`. */
export async function untilOver(goesOn: () => boolean | Promise<boolean>, limitMs: number): Promise<boolean> {
  const deadline = performance.now() + limitMs;
  for (let waitMs = 10; await goesOn(); waitMs = Math.min(waitMs * 2, 200)) {
    if (performance.now() > deadline) return false;
    await pause(waitMs);
  }
  return true;
}

/**
 * Whether a supervisor serves the socket, now or within 10 s: one that begins, that its guardian is about to start again, or that puts back what somebody
 * removed. A refusal when one lives that does not put it back, unless it ends within that time: systemg 0.33.0 answers a stop, takes its files away, and ends
 * two seconds later. The socket of a dead one is none.
 */
export async function lookForServer(call: Call): Promise<'served' | 'none' | Refusal> {
  const { paths } = call;
  const deadline = performance.now() + PATIENCE_MS;
  while (!await isServed(paths.socket)) {
    const bereft = findBereft(paths);
    const isOver = performance.now() > deadline;
    const isEnding = bereft?.isOurs === false && !existsSync(paths.pidFile);
    if (bereft !== null && (isOver || !(bereft.isOurs || isEnding))) return refusals.unresponsive(notPutBack(paths, bereft));
    if (isOver || (bereft === null && !isReturning(call))) return await isServed(paths.socket) ? 'served' : 'none';
    await pause(AGAIN_MS);
  }
  return 'served';
}

/** Whether a supervisor began between a look for one and the use of its files that was refused with this: that supervisor is to be asked. */
export async function hasBegun(call: Call, refusal: Refusal): Promise<boolean> {
  return refusal.code === 'unserved' && await lookForServer(call) === 'served';
}

/** A supervisor that has died leaves its pid file, one that has ended does not. */
function isReturning(call: Call): boolean {
  const { pidFile, stateDir } = call.paths;
  return isRunning(call) === true || (existsSync(pidFile) && findGuardian(stateDir) !== null);
}

function notPutBack({ socket, supervisorLog }: RuntimePaths, { pid, isOurs }: Bereft): string {
  const removed = `${socket} was removed while a supervisor (pid ${pid}) listens there`;
  return isOurs
    ? `${removed}, and the supervisor has not put the socket back; see ${supervisorLog}, or end the supervisor: kill ${pid}`
    : `${removed}; it is systemg 0.33.0, which does not put the socket back: end that supervisor first: kill ${pid}`;
}

/**
 * Ends the guardian of a supervisor that dies at each start, which would go on trying. Its supervisor ends before it does; the lock is not waited for: of
 * several starts at once another one may have got it.
 */
export async function endGuardian({ stateDir }: Pick<RuntimePaths, 'stateDir'>): Promise<void> {
  const guardian = findGuardian(stateDir);
  if (guardian === null) return;
  signalProcess(guardian, 'SIGTERM');
  await untilOver(() => isAlive(guardian), PATIENCE_MS);
}

/** A supervisor may take so long to be back, and a guardian to end. */
const PATIENCE_MS = 10_000;
const AGAIN_MS = 50;
