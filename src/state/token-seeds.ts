import { randomBytes } from 'node:crypto';
import type { Ledger } from './ledger.ts';

/** What the tokens of one run of the supervisor begin with. Noted, so that what holds such a token can be told from other supervisors' processes later on. */
export function noteTokenSeed(ledger: Pick<Ledger, 'meta' | 'note'>): string {
  const seed = randomBytes(6).toString('hex');
  ledger.note(noteKey, [...tokenSeeds(ledger.meta), seed].slice(-KEPT));
  return seed;
}

/** Of earlier runs in the same state directory, oldest first. */
export function tokenSeeds(meta: ReadonlyMap<string, unknown>): readonly string[] {
  const value = meta.get(noteKey);
  return Array.isArray(value) ? value.filter((seed) => typeof seed === 'string') : [];
}

const noteKey = 'token seeds';
const KEPT = 64;
