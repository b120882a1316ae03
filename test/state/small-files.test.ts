import { existsSync, mkdirSync, readFileSync, rmSync, rmdirSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openSmallFiles } from '../../src/state/small-files.ts';
import { tempDir } from '../temp-dir.ts';

test('a file is for its owner alone, and is written again when somebody has removed or cut it', () => {
  const path = join(tempDir(), 'sysg.pid');
  const problems: string[] = [];
  const files = openSmallFiles((text) => problems.push(text));
  files.put(path, '4711');
  expect([readFileSync(path, 'utf8'), statSync(path).mode & 0o777]).toEqual(['4711', 0o600]);
  expect(files.mend()).toBe(false);
  rmSync(path);
  expect([files.mend(), files.mend(), readFileSync(path, 'utf8')]).toEqual([true, false, '4711']);
  truncateSync(path, 1);
  expect([files.mend(), files.mend(), readFileSync(path, 'utf8')]).toEqual([true, false, '4711']);
  expect([problems, files.unwritten]).toEqual([[], []]);
});

test('what the disk does not take is said once, named as long as it lasts, and written in its newest form as soon as it does', () => {
  const path = join(tempDir(), 'config_hint');
  const problems: string[] = [];
  const files = openSmallFiles((text) => problems.push(text));
  // A directory in the place of the temporary file: nothing can be written.
  mkdirSync(`${path}.tmp`);
  files.put(path, '/etc/one.yaml');
  files.put(path, '/etc/two.yaml');
  // Nobody has removed anything.
  expect([files.mend(), files.mend()]).toEqual([false, false]);
  expect(problems).toEqual([expect.stringMatching(/config_hint: cannot be written: .*; it is tried again every 5 s$/)]);
  expect(files.unwritten).toEqual([expect.stringContaining(`${path}: cannot be written: `)]);
  expect(existsSync(`${path}.tmp`)).toBe(true);
  rmdirSync(`${path}.tmp`);
  expect([files.mend(), files.unwritten, readFileSync(path, 'utf8')]).toEqual([false, [], '/etc/two.yaml']);
});
