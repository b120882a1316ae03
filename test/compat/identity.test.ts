import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseSource } from '../../src/config/document.ts';
import { identityJson } from '../../src/compat/identity.ts';
import { loaded, service } from '../config/config-dir.ts';

const fixture = (name: string): string => readFileSync(new URL(`../fixtures/config/${name}`, import.meta.url), 'utf8');

describe('the hash is that of systemg 0.33.0', () => {
  test.each([['sleep 1002', '852ed13808e8ac85'], ['sleep 1000', '5a8b46e4ea2d7d8b'], ['"true"', '9a8353d88fed869a'], ['sleep 1001', '615a1179bde58149'], ['sleep 77', 'a38e37bdbecce977']])('%s', (command, hash) => {
    expect(service(`command: ${command}`).hash).toBe(hash);
  });

  test('for every unit of a recorded configuration', () => {
    const units = loaded(fixture('golden.yaml')).services.map(({ name, hash, command }) => [name, { hash, command }]);
    expect(Object.fromEntries(units)).toEqual(JSON.parse(fixture('golden-units.json')));
  });
});

test('absent keys are null, in the order of 0.33.0, variables sorted by name', () => {
  const { root } = parseSource('user: 7\nlimits: {nofile: 4K}\nhooks: {on_stop: {error: {command: a}}}', []);
  if (root === null) throw new Error('nothing was parsed');
  const env = { file: null, fromFile: new Map([['X', 'y']]), vars: new Map([['B', '2'], ['A', '1'], ['10', 'x']]) };
  expect(identityJson({ block: root, command: 'run', env: [env], scope: () => undefined })).toBe(
    '{"command":"run","env":{"file":null,"vars":{"10":"x","A":"1","B":"2"}},"user":"7","group":null,"supplementary_groups":null,'
    + '"limits":{"nofile":4096,"nproc":null,"memlock":null,"nice":null,"cpu_affinity":null,"cgroup":null},"capabilities":null,"isolation":null,'
    + '"restart_policy":null,"backoff":null,"max_restarts":null,"depends_on":null,"deployment":null,'
    + '"hooks":{"on_start":null,"on_stop":{"success":null,"error":{"command":"a","timeout":null}},"on_restart":null},"cron":null,"skip":null,"spawn":null}',
  );
});

test('an order of variables does not matter', () => {
  expect(service('command: a\nenv: {A: "1", B: "2"}').hash).toBe(service('command: a\nenv: {vars: {B: "2", A: "1"}}').hash);
});

test('of units with equal blocks the first by name keeps the hash', () => {
  const { services } = loaded('version: "1"\nservices:\n  b: {command: sleep 1000}\n  a: {command: sleep 1000}\n  c: {command: sleep 1000}\n');
  const hashes = Object.fromEntries(services.map(({ name, hash }) => [name, hash]));
  expect(hashes['a']).toBe('5a8b46e4ea2d7d8b');
  expect(new Set(Object.values(hashes)).size).toBe(3);
  const nulls = '"env":null,"user":null,"group":null,"supplementary_groups":null,"limits":null,"capabilities":null,"isolation":null,"restart_policy":null,"backoff":null,"max_restarts":null,"depends_on":null,"deployment":null,"hooks":null,"cron":null,"skip":null,"spawn":null';
  expect(hashes['b']).toBe(createHash('sha256').update(`{"command":"sleep 1000",${nulls}}\0b`).digest('hex').slice(0, 16));
});

test('exec is hashed as the quoted argument vector', () => {
  expect(service('exec: [sleep, "1000"]').hash).toBe(service('command: sleep 1000').hash);
});

test('keys that 0.33.0 does not know leave the hash alone', () => {
  expect(service('command: sleep 1000\nstop_timeout: 3s\nessential: true').hash).toBe('5a8b46e4ea2d7d8b');
});
