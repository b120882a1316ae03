import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { configDir, loaded } from './config-dir.ts';

interface Vector {
  readonly name: string;
  readonly yaml: string;
  readonly hashes: Readonly<Record<string, string>>;
}

/** Configurations and what systemg 0.33.0 answered to `status --json` for them. */
const vectors = JSON.parse(readFileSync(new URL('../fixtures/config/hash-vectors.json', import.meta.url), 'utf8')) as readonly Vector[];

test.each(vectors)('$name: every unit has the hash that systemg 0.33.0 gives it', ({ yaml, hashes }) => {
  const dir = configDir();
  dir.write('e.env', 'FOO=bar\n');
  expect(Object.fromEntries(loaded(yaml, { dir }).services.map(({ name, hash }) => [name, hash]))).toEqual(hashes);
});
