import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { verbs } from '../../src/cli/verbs.ts';
import { jsonSchema } from '../../src/config/root.ts';

const root = resolve(import.meta.dirname, '../..');

test('the reference pages and the schema are what the definitions say', () => {
  const { status, stderr } = spawnSync(process.execPath, ['.build/docs.mjs', '--check'], { cwd: root, encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(status).toBe(0);
});

test('every command and every flag has its place in the reference', () => {
  const page = readFileSync(resolve(root, 'docs/cli.md'), 'utf8');
  for (const { name, options } of verbs) {
    const section = page.split(`\n## ${name}\n`)[1]?.split('\n## ')[0];
    expect([name, section === undefined]).toEqual([name, false]);
    for (const option of options) expect(section).toContain(`--${option.name}`);
  }
});

test('the schema that editors read is that of the program, and the example names it', () => {
  expect(JSON.parse(readFileSync(resolve(root, 'docs/schema/sysg.schema.json'), 'utf8'))).toEqual(JSON.parse(JSON.stringify(jsonSchema())));
  expect(readFileSync(resolve(root, 'sysg.config.example.yaml'), 'utf8').split('\n')[0]).toBe('# yaml-language-server: $schema=docs/schema/sysg.schema.json');
});
