import { expect, test } from 'vitest';
import { configDir, loaded, refusals, service } from './config-dir.ts';

test('root file < service file < root vars < service vars, over the inherited environment', () => {
  const dir = configDir();
  dir.write('root.env', 'A=rootfile\nB=rootfile\nC=rootfile\nD=rootfile\n');
  dir.write('web.env', 'B=webfile\nC=webfile\nD=webfile\n');
  const head = 'env: {file: root.env, vars: {C: rootvar, D: rootvar}}\n';
  const spec = service('command: "echo ${Z} ${A}"\nenv: {file: web.env, vars: {D: webvar}}', { dir, env: { A: 'inherited', Z: 'inherited' } }, head);
  expect(spec.env).toEqual({ A: 'rootfile', B: 'webfile', C: 'rootvar', D: 'webvar' });
  expect(spec.command).toBe('echo inherited rootfile');
});

test('the environment of this process is neither read nor changed', () => {
  const before = { ...process.env };
  expect(service('command: "echo ${PATH}"\nenv: {SYSG_TEST_ONLY: "1"}', { env: {} }).command).toBe('echo ${PATH}');
  expect(process.env).toEqual(before);
});

test('a line of an env file without an equals sign is ignored, saying so', () => {
  const dir = configDir();
  dir.write('.env', 'A=1\nnonsense\nB=2\n');
  const config = loaded('version: "1"\nservices: {web: {command: a, env: {file: .env}}}\n', { dir });
  expect(config.services[0]?.env).toEqual({ A: '1', B: '2' });
  expect(config.warnings.map(({ line, column, message }) => [line, column, message])).toEqual([
    [2, 42, `${dir.path}/.env:2: ignoring a line without '='`],
  ]);
});

test('an env file that is not there is named, at the place that names it', () => {
  const dir = configDir();
  expect(refusals('version: "1"\nenv: {file: none.env}\nservices: {}\n', { dir })).toEqual([
    'sysg.yaml:2:13: env.file: Failed to read env file: No such file or directory (os error 2) (none.env)',
  ]);
});

test('direct variables count, vars win over them, scalars are their text', () => {
  expect(service('command: a\nenv: {A: direct, B: 1.50, C: true, vars: {A: 0x1F}}').env).toEqual({ A: '0x1F', B: '1.50', C: 'true' });
});

test('what is written under vars counts as it stands, nothing and null included, with the hash of 0.33.0', () => {
  const { services, warnings } = loaded('version: "1"\nservices:\n  a: {command: sleep 1, env: {vars: {A: }}}\n  b: {command: sleep 2, env: {vars: {A: ~}}}\n  c: {command: sleep 3, env: {vars: {A: null}}}\n');
  expect(services.map(({ env, hash }) => [env['A'], hash])).toEqual([['', '6701c458eaf7d656'], ['~', '7ad7baa728c7cae4'], ['null', 'b778358d9af0cf88']]);
  expect(warnings.map(({ line, message }) => [line, message])).toEqual([[4, 'is the text "~"; write "" for an empty value'], [5, 'is the text "null"; write "" for an empty value']]);
});

test('a variable refers to lower layers, to its neighbours and, by its own name, to the layer below', () => {
  const spec = service('command: a\nenv: {URL: "http://$HOST:${PORT:-80}/", HOST: $NAME.local, PATH: "/opt/bin:$PATH"}', { env: { PATH: '/bin' } }, 'env: {NAME: box}\n');
  expect(spec.env).toEqual({ NAME: 'box', URL: 'http://box.local:80/', HOST: 'box.local', PATH: '/opt/bin:/bin' });
});

test('values of env files are not interpolated', () => {
  const dir = configDir();
  dir.write('.env', 'A=$HOME\n');
  expect(service('command: a\nenv: {file: .env, vars: {B: $A}}', { dir }).env).toEqual({ A: '$HOME', B: '$HOME' });
});

test('references that multiply are stopped before they fill the memory', () => {
  const vars = Array.from({ length: 40 }, (_, index) => `      V${index + 1}: "$V${index}$V${index}"`).join('\n');
  const problems = refusals(`version: "1"\nservices:\n  web:\n    command: a\n    env:\n      V0: "0123456789"\n${vars}\n`);
  expect(problems[0]).toContain('expected at most 131071 characters once variables are replaced');
});

test('a long chain of references is refused instead of overflowing the stack', () => {
  const vars = Array.from({ length: 5000 }, (_, index) => `      V${index}: "$V${index + 1}"`).join('\n');
  const problems = refusals(`version: "1"\nservices:\n  web:\n    command: a\n    env:\n${vars}\n      V5000: end\n`);
  expect(problems[0]).toContain('variables refer to each other more than 100 deep');
});
