import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { identify } from '../../src/compat/identity.ts';
import { keptForm, recallConfig, type KeptConfig } from '../../src/config/kept.ts';
import { loadConfig, type LoadedConfig } from '../../src/config/load.ts';
import { openSecrets } from '../../src/secrets.ts';
import { tempDir } from '../temp-dir.ts';

const yaml = `
version: "1"
env: &shared {file: common.env, vars: {API_TOKEN: literal-one, PORT: 8080}}
defaults: {env: {DEFAULT_KEY: literal-two}}
services:
  web: {command: "run \${API_TOKEN} \${FILE_ONE} \${OUTSIDE}", env: {file: web.env, DB_PASSWORD: literal-three, URL: "db://me:literal-four@db", REFERS_TOKEN: "$OUTSIDE"}}
  job: {command: "run $DEFAULT_KEY", stop_command: "end \${API_TOKEN}", skip: "test \${API_TOKEN}"}
  all: {command: x, env: *shared}
`;
const env = { OUTSIDE: 'from-outside' };

let dir: string;
let path: string;
let before: LoadedConfig;
let kept: KeptConfig;

beforeEach(() => {
  dir = tempDir();
  path = join(dir, 'sysg.yaml');
  writeFileSync(path, yaml);
  writeFileSync(join(dir, 'common.env'), 'FILE_ONE=file-one\n');
  writeFileSync(join(dir, 'web.env'), 'FILE_TWO=file-two\n');
  const loaded = loadConfig(path, { env, identify });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  before = loaded.config;
  // As it comes back from the disk.
  kept = JSON.parse(JSON.stringify(keptForm(before)));
});

function recalled(running: Readonly<Record<string, Readonly<Record<string, string>>>> = {}): LoadedConfig {
  const loaded = recallConfig(kept, { env, identify, environmentOf: (unit) => (running[unit] === undefined ? null : new Map(Object.entries(running[unit]))) });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return loaded.config;
}

function environments(): Record<string, Record<string, string>> {
  return Object.fromEntries(before.services.map(({ name, env: own }) => [name, own]));
}

test('what is kept has texts and references, and no value of an environment, an env file or a secret name', () => {
  const text = JSON.stringify(kept);
  for (const value of ['literal-one', 'literal-two', 'literal-three', 'literal-four', 'file-one', 'file-two', 'from-outside']) expect(text).not.toContain(value);
  expect(text).toContain('${API_TOKEN}');
  expect(text).toContain('8080');
});

test('with everything as it was the same services come back', () => {
  expect(recalled().services).toEqual(before.services);
});

test('of a unit that runs the values are those of its process, whatever files say now', () => {
  writeFileSync(path, 'services: [');
  rmSync(join(dir, 'web.env'));
  writeFileSync(join(dir, 'common.env'), 'FILE_ONE=another\n');
  expect(recalled(environments()).services).toEqual(before.services);
});

test('of a unit that does not run they come from the file, as far as that can be read', () => {
  writeFileSync(path, `${yaml}unknown: key\nbroken: [`);
  expect(recalled().services).toEqual(before.services);
});

test('only what is secret comes from the file: the rest is as the supervisor read it, whatever the file says now', () => {
  writeFileSync(path, yaml.replace('PORT: 8080', 'PORT: 9090').replace('literal-three', 'renewed'));
  const [was, is] = [before, recalled()].map(({ services }) => services.find(({ name }) => name === 'web')?.env);
  expect(is).toEqual({ ...was, DB_PASSWORD: 'renewed' });
});

test('a unit whose values are nowhere does not start, and says which are missing; the rest is as it was', () => {
  rmSync(path);
  const { web, all } = environments();
  const services = recalled({ web: web ?? {}, all: all ?? {} }).services;
  expect(services.find(({ name }) => name === 'web')).toEqual(before.services.find(({ name }) => name === 'web'));
  const job = services.find(({ name }) => name === 'job');
  expect(job).toMatchObject({ skip: false, stopCommand: null, env: { PORT: '8080', FILE_ONE: 'file-one' }, restart: { mode: 'never' } });
  expect(job?.launch).toEqual({
    kind: 'shell', script: "echo 'the value of API_TOKEN, DEFAULT_KEY cannot be read again while the configuration is broken; mend the file and reload' >&2; exit 78",
  });
  expect(job?.hash).toBe(before.services.find(({ name }) => name === 'job')?.hash);
});

test.each([
  'services: {a: {command: x, env: {MY_TOKEN: [hunter2]}}}', 'services:\n  a: {command: x, env: {vars: {DB_PASSWORD: {hunter2: 1}}}}', 'services:\n  a:\n    command: x\n    env:\n      "API_KEY": [hunter2, x]\n',
])('what is said of %j shows nothing that stands under a secret name', (text) => {
  writeFileSync(path, `version: "1"\n${text}\n`);
  const loaded = loadConfig(path, { env, identify, secrets: openSecrets() });
  expect(loaded.ok).toBe(false);
  expect(JSON.stringify(loaded)).not.toContain('hunter2');
});

test('the default of a variable with a secret name is known from wherever it stands', () => {
  const path = join(dir, 'defaults.yaml');
  writeFileSync(path, 'version: "1"\nservices:\n  web: {exec: [run, "${API_TOKEN:-planted-one}", "${PORT:-planted-two}"], skip: "test ${DB_PASSWORD:-planted-three}", env: {URL: "db://${PGPASSWORD:-planted-four}@db"}}\n');
  const secrets = openSecrets();
  expect(loadConfig(path, { env: {}, identify, secrets }).ok).toBe(true);
  expect(secrets.mask('planted-one planted-two planted-three planted-four')).toBe('${API_TOKEN} planted-two ${DB_PASSWORD} ${PGPASSWORD}');
});
