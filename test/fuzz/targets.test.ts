import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { edited, targets, type Target } from './targets.ts';

const edits = fc.array(fc.tuple(fc.nat(300), fc.nat(8), fc.nat(400)), { maxLength: 6 });

/** Inputs that once broke something. */
function corpus({ name }: Target): Buffer[] {
  const directory = join(import.meta.dirname, 'corpus', name);
  return existsSync(directory) ? readdirSync(directory).map((file) => readFileSync(join(directory, file))) : [];
}

describe.each(targets)('$name', (target) => {
  test('the seeds are sound for it to read', () => {
    for (const seed of target.seeds) expect(() => target.check(Buffer.from(seed))).not.toThrow();
  });

  test('whatever is damaged is refused, or read as what it says', () => {
    for (const bytes of corpus(target)) target.check(bytes);
    fc.assert(fc.property(fc.constantFrom(...target.seeds), edits, (seed, changes) => target.check(edited(Buffer.from(seed), changes))), { numRuns: 1500 });
  });
});
