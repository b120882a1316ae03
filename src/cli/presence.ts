import { existsSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { refusals, textOf, type Refusal } from '../errors.ts';
import { isAlive } from '../process/identity.ts';
import { isLocked } from '../state/lock.ts';
import { findBereft, findGuardian, isServed, type LockOwner } from '../state/lock-owner.ts';
import { signalProcess } from '../process/signal.ts';
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
  const deadline = performance.now() + limitMs;
  const processes = [owner?.supervisor, owner?.guardian].filter((identity) => identity != null);
  for (let waitMs = 10; isRunning(call) === true || await isServed(call.paths.socket) || processes.some(isAlive); waitMs = Math.min(waitMs * 2, 200)) {
    if (performance.now() > deadline) return false;
    await pause(waitMs);
  }
  return true;
}

/**
 * Whether the socket that nobody serves now is served within 10 s: by a supervisor that begins, that its guardian is about to start again, or that puts back
 * what somebody removed. The socket of a dead systemg 0.33.0 is none.
 */
export async function isServedAgain(call: Call): Promise<boolean> {
  const deadline = performance.now() + BACK_WITHIN_MS;
  while (performance.now() < deadline) {
    if (await isServed(call.paths.socket)) return true;
    if (!isReturning(call)) return isServed(call.paths.socket);
    await pause(AGAIN_MS);
  }
  return false;
}

/** A supervisor that has died leaves its pid file, one that has ended does not; where a supervisor has ever been, its lock file stays. */
function isReturning(call: Call): boolean {
  const { lock, pidFile, stateDir } = call.paths;
  if (!existsSync(lock)) return findBereft(lock) !== null;
  return isRunning(call) === true || (existsSync(pidFile) && findGuardian(stateDir) !== null);
}

/** Ends the guardian of a supervisor that dies at each start, which would go on trying. */
export async function endGuardian(call: Call): Promise<void> {
  const guardian = findGuardian(call.paths.stateDir);
  if (guardian === null) return;
  signalProcess(guardian, 'SIGTERM');
  await untilReleased(call, ENDED_WITHIN_MS, { supervisor: guardian, guardian });
}

const ENDED_WITHIN_MS = 10_000;
const BACK_WITHIN_MS = 10_000;
const AGAIN_MS = 50;
