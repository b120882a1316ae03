import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A new directory, in that of the test file (`own-tmpdir.ts`), with which it goes. */
export function tempDir(): string {
  return mkdtempSync(join(tmpdir(), 't-'));
}
