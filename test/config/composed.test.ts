import { expect, test } from 'vitest';
import { joinConfigPaths } from '../../src/config-path.ts';
import { identify } from '../../src/compat/identity.ts';
import { keptForm, recallConfig } from '../../src/config/kept.ts';
import { loadConfig, type LoadedConfig } from '../../src/config/load.ts';
import { chosenServices, unknownProfile } from '../../src/config/profiles.ts';
import { formatProblem } from '../../src/config/problem.ts';
import { configDir, loaded, type ConfigDir } from './config-dir.ts';

function read(dir: ConfigDir, ...names: readonly string[]): LoadedConfig {
  const result = loadConfig(joinConfigPaths(names.map((name) => `${dir.path}/${name}`)), { env: {}, identify });
  if (!result.ok) throw new Error(result.problems.map(formatProblem).join('\n'));
  return result.config;
}

function refusedOf(dir: ConfigDir, ...names: readonly string[]): readonly string[] {
  const result = loadConfig(joinConfigPaths(names.map((name) => `${dir.path}/${name}`)), { env: {}, identify });
  return result.ok ? [] : result.problems.map((problem) => formatProblem(problem).replaceAll(`${dir.path}/`, ''));
}

const named = (config: Pick<LoadedConfig, 'services'>, name: string) => config.services.find((spec) => spec.name === name);

test('merge keys: a key of the map itself wins, then that of the first map; maps within are not mixed', () => {
  const config = loaded(`version: "1"
x-base: &base
  restart_policy: always
  env: {A: "1", B: "2"}
x-slow: &slow {stop_timeout: 30s, restart_policy: never}
services:
  one: {<<: *base, command: sleep 1}
  two:
    <<: [*slow, *base]
    command: sleep 2
    env: {C: "3"}
`);
  expect(config.services.map(({ name, env, restart, stopTimeoutMs }) => [name, env, restart.mode, stopTimeoutMs])).toEqual([
    ['one', { A: '1', B: '2' }, 'always', 10_000], ['two', { C: '3' }, 'never', 30_000],
  ]);
});

test('keys that begin with x- are for others, at every level, and change neither hash nor definition', () => {
  const dir = configDir();
  const plain = loaded('version: "1"\nservices:\n  web: {command: sleep 1, limits: {nice: 5}}\n', { dir });
  const extended = loaded('version: "1"\nx-a: [1]\nservices:\n  web: {command: sleep 1, x-b: {c: d}, limits: {nice: 5, x-c: 1}}\n', { dir });
  expect(extended.services.map(({ hash, definition }) => [hash, definition])).toEqual(plain.services.map(({ hash, definition }) => [hash, definition]));
});

test('included files: each with its own directory, variables and defaults; dependencies across them', () => {
  const dir = configDir();
  dir.write('sysg.yaml', 'version: "1"\nenv: {A: main}\ninclude: [parts/db.yaml]\nservices:\n  web: {command: sleep 1, depends_on: [db, cache]}\n');
  dir.write('parts/db.yaml', 'version: "1"\ninclude: deeper/cache.yaml\nenv: {file: .env}\ndefaults: {stop_timeout: 3s}\nservices:\n  db: {command: sleep 2, working_dir: data}\n');
  dir.write('parts/.env', 'B=part\n');
  dir.write('parts/deeper/cache.yaml', 'version: "1"\nservices: {cache: {command: sleep 3}}\n');
  const config = read(dir, 'sysg.yaml');
  expect(config.services.map(({ name, env, workingDir, stopTimeoutMs }) => [name, env, workingDir, stopTimeoutMs])).toEqual([
    ['web', { A: 'main' }, dir.path, 10_000], ['db', { B: 'part' }, `${dir.path}/parts/data`, 3000], ['cache', {}, `${dir.path}/parts/deeper`, 10_000],
  ]);
  expect(named(config, 'web')?.dependsOn.map(({ service }) => service)).toEqual(['db', 'cache']);

  // A supervisor that is brought back while the parts cannot be read goes on with what they said.
  const kept = keptForm(config);
  dir.write('parts/db.yaml', 'services: {');
  const recalled = recallConfig(JSON.parse(JSON.stringify(kept)), { env: {}, identify, environmentOf: () => null });
  expect(recalled.ok && recalled.config.services.map(({ name, env }) => [name, env])).toEqual([['web', { A: 'main' }], ['db', { B: 'part' }], ['cache', {}]]);
});

test('what is wrong with included files is said with the file', () => {
  const dir = configDir();
  dir.write('sysg.yaml', 'version: "1"\ninclude: [a.yaml, nowhere.yaml, {b: c}, a.yaml]\nservices:\n  web: {command: sleep 1}\n');
  dir.write('a.yaml', 'version: "1"\nproject: x\nmetrics: {}\ninclude: sysg.yaml\nservices:\n  web: {command: sleep 2}\n  b: {comand: sleep 2}\n');
  expect(refusedOf(dir, 'sysg.yaml')).toEqual([
    'sysg.yaml:2:19: include.1: Failed to read config file: No such file or directory (os error 2) (nowhere.yaml)',
    'sysg.yaml:2:33: include.2: expected the path of a file, got a map',
    'sysg.yaml:2:41: include.3: a.yaml is included already, or includes this file',
    'a.yaml:2:1: project: belongs to the file that includes this one',
    'a.yaml:3:1: metrics: belongs to the file that includes this one',
    'a.yaml:4:10: include: sysg.yaml is included already, or includes this file',
    "a.yaml:6:3: services.web: service 'web' is in sysg.yaml as well: a name may be used once",
    'a.yaml:7:3: services.b: missing field `command` (or `exec`)',
    "a.yaml:7:7: services.b.comand: unknown key 'comand', did you mean 'command'?",
  ]);
});

test('files over each other: services key by key, variables name by name, everything else replaced; paths are those of the first', () => {
  const dir = configDir();
  dir.write('base.yaml', 'version: "1"\nproject: shop\nenv: {A: "1", B: "2"}\nservices:\n  web: {command: sleep 1, restart_policy: always, env: {C: "3"}, health_check: {tcp: "127.0.0.1:1"}}\n  db: {command: sleep 2}\n');
  dir.write('over/live.yaml', 'version: "1"\nproject: live\nenv: {vars: {B: over}}\nservices:\n  web: {exec: [sleep, "9"], env: {vars: {D: "4"}}, health_check: {command: "true"}}\n  more: {command: sleep 3, working_dir: there}\n');
  const config = read(dir, 'base.yaml', 'over/live.yaml');
  expect(config.services.map(({ name, launch, env, workingDir, restart }) => [name, launch.kind === 'exec' ? launch.argv : [], env, workingDir, restart.mode])).toEqual([
    ['web', ['sleep', '9'], { A: '1', B: 'over', C: '3', D: '4' }, dir.path, 'always'],
    ['db', ['sleep', '2'], { A: '1', B: 'over' }, dir.path, 'never'], ['more', ['sleep', '3'], { A: '1', B: 'over' }, `${dir.path}/there`, 'never'],
  ]);
  expect([config.project, named(config, 'web')?.check?.probe.kind]).toEqual(['live', 'command']);
});

test('mistakes in files over each other are said with the file that they are in, each syntax apart', () => {
  const dir = configDir();
  dir.write('one.yaml', 'version: "1"\nservices:\n  web: {comand: sleep 1}\n');
  dir.write('two.yaml', 'services:\n  web: {restart_policy: sometimes}\n  b: {command: "x\n');
  const said = refusedOf(dir, 'one.yaml', 'two.yaml');
  expect(said).toContain("one.yaml:3:9: services.web.comand: unknown key 'comand', did you mean 'command'?");
  expect(said.some((line) => line.startsWith('two.yaml:3:') || line.startsWith('two.yaml:4:'))).toBe(true);
  expect(said.filter((line) => line.startsWith('two.yaml:2:'))).toEqual([expect.stringContaining('restart_policy')]);
  expect(refusedOf(dir, 'one.yaml', 'nowhere.yaml')).toEqual(['Failed to read config file: No such file or directory (os error 2) (nowhere.yaml)']);
});

test('profiles: without a choice nothing that has one; with one, by name, or where it is needed', () => {
  const config = loaded(`version: "1"
services:
  web: {command: sleep 1, depends_on: [db]}
  db: {command: sleep 2, profiles: [data]}
  admin: {command: sleep 3, profiles: [dev, test], depends_on: [mail]}
  mail: {command: sleep 4, profiles: [never]}
`);
  const chosen = (profiles: readonly string[], ...names: readonly string[]): readonly string[] => chosenServices(config, { profiles, names: new Set(names) }).map(({ name }) => name);
  expect([chosen([]), chosen(['dev']), chosen([], 'mail'), chosen(['test', 'never'])]).toEqual([
    ['web', 'db'], ['web', 'db', 'admin', 'mail'], ['web', 'db', 'mail'], ['web', 'db', 'admin', 'mail'],
  ]);
  expect([unknownProfile(config, ['dev']), unknownProfile(config, ['dve'])]).toEqual([null, "no service has the profile 'dve', did you mean 'dev'?; there are: data, dev, test, never"]);
});
