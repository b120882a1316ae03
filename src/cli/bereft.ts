import { setTimeout as pause } from 'node:timers/promises';
import { findBereft, isServed } from '../state/lock-owner.ts';
import type { Call } from './call.ts';

/** Whether a supervisor whose state directory was removed lives, and has put its socket back meanwhile. The socket of a dead systemg 0.33.0, which has no lock either, is none. */
export async function isServedAgain({ paths }: Call): Promise<boolean> {
  const deadline = performance.now() + BACK_WITHIN_MS;
  while (performance.now() < deadline) {
    if (await isServed(paths.socket)) return true;
    if (findBereft(paths.lock) === null) return isServed(paths.socket);
    await pause(AGAIN_MS);
  }
  return false;
}

const BACK_WITHIN_MS = 10_000;
const AGAIN_MS = 50;
