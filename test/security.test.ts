import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';

const page = readFileSync(resolve(import.meta.dirname, '../docs/security.md'), 'utf8');

test('every claim of the page names a test that is there', () => {
  const named = [...page.matchAll(/`([\w/-]+\.test\.ts)`/g)].map(([, path = '']) => path);
  expect(named.length).toBeGreaterThan(30);
  expect(named.filter((path) => !existsSync(join(import.meta.dirname, path)))).toEqual([]);
  const claims = page.split('\n').filter((line) => line.startsWith('|') && !/^\| (claim|way in|---)|^\|---|^\| (the|signals)[^|]*\|[^|]*\|[^|]*\|$/.test(line));
  expect(claims.filter((line) => !/`[\w/-]+\.test\.ts`|npm run/.test(line))).toEqual([]);
});
