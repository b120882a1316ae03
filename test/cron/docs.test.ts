import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';

test('the tables of docs/cron.md are what the code says', () => {
  const script = resolve(import.meta.dirname, '../../.build/docs-cron.mjs');
  expect(execFileSync(process.execPath, [script, '--check'], { encoding: 'utf8' })).toBe('');
});
