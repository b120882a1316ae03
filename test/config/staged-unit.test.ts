import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import { identify } from '../../src/compat/identity.ts';
import { loadConfig } from '../../src/config/load.ts';
import { defaultName, plainName, stageUnit } from '../../src/config/staged-unit.ts';
import { tempDir } from '../temp-dir.ts';

const digest = (...argv: readonly string[]): string => createHash('sha256').update(argv.map((word) => `${word}\0`).join('')).digest('hex').slice(0, 12);

test('the file of a named unit is as systemg 0.33.0 writes it, and says where it runs', () => {
  const state = tempDir();
  const path = stageUnit(state, { command: ['sh', '-c', "echo it's $HOME", ''], cwd: '/srv/a $b', name: 'My Unit!' }, []);
  expect(path).toBe(join(state, 'units', `my-unit-${digest('sh', '-c', "echo it's $HOME", '')}.yaml`));
  expect(readFileSync(path, 'utf8')).toBe(
    `version: "1"\nservices:\n  my-unit:\n    command: 'sh -c ''echo it''"''"''s $HOME'' '''''\n    working_dir: '/srv/a $$b'\n`,
  );
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test('without a name it is called after its program and has the digest twice in its file name', () => {
  const path = stageUnit(tempDir(), { command: ['/usr/bin/sleep', '5'], cwd: '/', name: null }, []);
  const hash = digest('/usr/bin/sleep', '5');
  expect(defaultName(['/usr/bin/sleep', '5'])).toBe(`usr-bin-sleep-${hash}`);
  expect(basename(path)).toBe(`usr-bin-sleep-${hash}-${hash}.yaml`);
});

test.each([['Web_1', 'web_1'], ['--a b--', 'a-b'], ['ünit', 'nit'], ['', 'unit'], ['///', 'unit']])('the plain form of %j is %j', (text, plain) => {
  expect(plainName(text)).toBe(plain);
});

test.each([
  [['prog', 'a  b', "it's"]], [['prog', 'one\ntwo\n', '\t']], [['prog', '', '--flag=x', '"quoted"', '#not', 'key: value']], [['prog', '\\', '$1', '`id`']],
  [['prog', '${HOME}', '$${HOME}', "it's $$${HOME:-x} $HOME", '$${']], [['A=prog', 'A=b']],
])('%j is started as it was given', (argv) => {
  const path = stageUnit(tempDir(), { command: argv, cwd: '/a $b', name: 'unit' }, []);
  const loaded = loadConfig(path, { env: { HOME: '/home' }, identify });
  const [service] = loaded.ok ? loaded.config.services : [];
  const script = service?.launch.kind === 'shell' ? service.launch.script : null;
  expect(service?.workingDir).toBe('/a $b');
  if (script === null) expect(service?.launch).toEqual({ kind: 'exec', argv });
  // What a shell makes of the words is what they were.
  else expect(spawnSync('sh', ['-c', script.replace('prog', `printf '%s\\0'`)], { encoding: 'utf8' }).stdout).toBe(argv.slice(1).map((word) => `${word}\0`).join(''));
});

test('units of more than thirty days go, and all but the newest two hundred; the new one and the one in use stay', () => {
  const state = tempDir();
  const directory = join(state, 'units');
  mkdirSync(directory);
  const daysAgo = (name: string, days: number): string => {
    const path = join(directory, name);
    writeFileSync(path, '');
    utimesSync(path, Date.now() / 1000, Date.now() / 1000 - days * 86_400);
    return path;
  };
  daysAgo('ancient.yaml', 31);
  daysAgo('notes.txt', 90);
  const inUse = daysAgo('in-use.yaml', 60);
  for (let index = 0; index < 205; index += 1) daysAgo(`young-${index}.yaml`, 1 + index / 100);
  const staged = stageUnit(state, { command: ['true'], cwd: '/', name: 'new' }, [inUse]);
  const left = readdirSync(directory);
  expect(left.filter((name) => name.endsWith('.yaml'))).toHaveLength(200);
  expect(left).toEqual(expect.arrayContaining(['notes.txt', 'in-use.yaml', basename(staged), 'young-0.yaml', 'young-197.yaml']));
  expect(left).not.toContain('ancient.yaml');
  expect(left).not.toContain('young-198.yaml');
});
