import { setTimeout as pause } from 'node:timers/promises';
import { isControlError } from '../control/brief-client.ts';
import { refusals, textOf, type Refusal } from '../errors.ts';
import { isLocked } from '../state/lock.ts';
import { isAlive } from '../process/identity.ts';
import { isServed, type LockOwner } from '../state/lock-owner.ts';
import { askStatus, supervisorPid } from './ask.ts';
import type { Call } from './call.ts';

/** `foreign`: the supervisor serves the socket without our lock, as systemg 0.33.0's does. */
export type Supervision = 'none' | 'ours' | 'foreign';

/** Whose supervisor runs. A supervisor that is starting or ending is waited for, so that a start right after a stop starts one. */
export async function supervisionOf(call: Call): Promise<Supervision | Refusal> {
  const deadline = performance.now() + SETTLED_WITHIN_MS;
  for (;;) {
    const locked = isRunning(call);
    if (typeof locked !== 'boolean') return locked;
    if (!locked && !await isServed(call.paths.socket)) return 'none';
    if (await answers(call.paths.socket)) return locked ? 'ours' : 'foreign';
    if (performance.now() > deadline) {
      const pid = supervisorPid(call);
      return refusals.unresponsive(`a supervisor${pid === null ? '' : ` (pid ${pid})`} ${locked ? `holds ${call.paths.lock}` : `serves ${call.paths.socket}`} and does not answer; see sysg doctor`);
    }
    await pause(AGAIN_MS);
  }
}

/** By its lock: the pid file of a dead supervisor proves nothing. A refusal when that cannot be found out. */
export function isRunning(call: Call): boolean | Refusal {
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
  const deadline = performance.now() + limitMs;
  const processes = [owner?.supervisor, owner?.guardian].filter((identity) => identity != null);
  for (let waitMs = 10; isRunning(call) === true || await isServed(call.paths.socket) || processes.some(isAlive); waitMs = Math.min(waitMs * 2, 200)) {
    if (performance.now() > deadline) return false;
    await pause(waitMs);
  }
  return true;
}

/**
 * What keeps a command about a service from a supervisor of systemg 0.33.0: it starts a second copy of what runs, and claims to have stopped what does not
 * exist. Null: nothing, or the supervisor is ours and knows by itself.
 */
export async function foreignObstacle(call: Call, service: string): Promise<'unknown' | 'running' | null> {
  if (isRunning(call) !== false) return null;
  const status = await askStatus(call);
  if (!status.ok) return null;
  const unit = status.snapshot.units.find(({ name }) => name === service);
  if (unit === undefined) return 'unknown';
  return unit.process?.state === 'running' ? 'running' : null;
}

/** A busy supervisor does not answer in time and is there all the same: 0.33.0's answers no client while it starts services. */
async function answers(socket: string): Promise<boolean> {
  const { sendCommand } = await import('../control/client.ts');
  try {
    await sendCommand({ kind: 'status' }, { socket, signal: AbortSignal.timeout(BUSY_MS), health: null });
    return true;
  } catch (error) {
    if (isControlError(error)) return error.kind === 'server';
    if (error instanceof DOMException && error.name === 'TimeoutError') return true;
    throw error;
  }
}

const SETTLED_WITHIN_MS = 15_000;
const AGAIN_MS = 100;
const BUSY_MS = 2000;
