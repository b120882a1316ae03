import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '../..');

function files(folder: string): readonly string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts')).map((name) => join(folder, name));
}

function importsOf(file: string): readonly string[] {
  const text = readFileSync(join(root, file), 'utf8');
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(([, name]) => name ?? '');
}

test('machines import xstate and each other, and know neither clock nor chance', () => {
  for (const file of files('machines')) {
    for (const name of importsOf(file)) {
      expect(name === 'xstate' || (name.startsWith('./') && !name.slice(2).includes('/')), `${file} imports ${name}`).toBe(true);
    }
    expect(readFileSync(join(root, file), 'utf8'), file).not.toMatch(/Date\.now|new Date\(|Math\.random|setTimeout|process\.(?:env|hrtime)/);
  }
});

test.each([
  ['yaml', 1], ['yargs', 1], ['systeminformation', 1],
])('%s is imported by one file', (library, count) => {
  const importers = files('src').filter((file) => importsOf(file).some((name) => name === library || name.startsWith(`${library}/`)));
  expect(importers, importers.join(', ')).toHaveLength(count);
});

test('the supervisor side never imports the command line', () => {
  const others = files('src').filter((file) => !relative('src', file).startsWith('cli/'));
  for (const file of others) {
    for (const name of importsOf(file)) expect(/(?:^|\/)cli\//.test(name), `${file} imports ${name}`).toBe(false);
  }
});
