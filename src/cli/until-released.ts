import { setTimeout as pause } from 'node:timers/promises';
import { isServed } from '../state/occupied.ts';
import type { Call } from './call.ts';
import { isRunning } from './supervision.ts';

/** Waits until no supervisor holds the lock or serves the socket (systemg 0.33.0's knows no lock); false when one still does after `limitMs`. */
export async function untilReleased(call: Call, limitMs: number): Promise<boolean> {
  const deadline = performance.now() + limitMs;
  for (let waitMs = 10; isRunning(call) === true || await isServed(call.paths.socket); waitMs = Math.min(waitMs * 2, 200)) {
    if (performance.now() > deadline) return false;
    await pause(waitMs);
  }
  return true;
}
