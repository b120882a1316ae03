import { existsSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { findBereft } from '../state/lock-owner.ts';
import type { Call } from './call.ts';

/** Whether a supervisor whose state directory was removed lives, and has put its socket back meanwhile. */
export async function isServedAgain({ paths }: Call): Promise<boolean> {
  const deadline = performance.now() + BACK_WITHIN_MS;
  while (performance.now() < deadline) {
    if (existsSync(paths.socket)) return true;
    if (findBereft(paths.lock) === null) return existsSync(paths.socket);
    await pause(AGAIN_MS);
  }
  return false;
}

const BACK_WITHIN_MS = 10_000;
const AGAIN_MS = 50;
