import { existsSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { collect, makeHome, soon } from './rig.ts';

const bad: readonly (readonly [what: string, yaml: string, place: string, message: string])[] = [
  ['a misspelt key', '  web: {command: sleep 9, restart_polcy: always}', '3:27', "services.web.restart_polcy: unknown key 'restart_polcy', did you mean 'restart_policy'?"],
  ['an unknown value', '  web: {command: sleep 9, restart_policy: sometimes}', '3:43', 'services.web.restart_policy: expected \'always\', \'on-failure\' or \'never\', got "sometimes"'],
  ['an unknown dependency', '  web: {command: sleep 9, depends_on: [nope]}', '3:', "Service 'web' declares unknown dependency 'nope'"],
  ['a circle', '  a: {command: sleep 9, depends_on: [b]}\n  b: {command: sleep 9, depends_on: [a]}', '4:38', 'Detected dependency cycle'],
  ['a bad duration', '  web: {command: sleep 9, stop_timeout: soon}', '3:41', 'services.web.stop_timeout: expected a duration'],
  ['a number in quotes', '  web: {command: sleep 9, max_restarts: "5"}', '3:41', 'services.web.max_restarts: expected a whole number'],
  ['a missing variable', '  web: {command: sleep 9, working_dir: $NOT_SET_ANYWHERE}', '3:40', 'Missing environment variable: NOT_SET_ANYWHERE'],
  ['no command', '  web: {}', '3:', 'missing field `command`'],
  ['broken YAML', '  web: {command: [', '', ''],
];

test.each(bad)('%s: validate and start say where, nothing is started', async (_what, services, place, message) => {
  const home = makeHome(`version: "1"\nservices:\n${services}\n`);
  const validated = await home.sysg('validate');
  expect({ code: validated.code, stdout: validated.stdout }).toEqual({ code: 1, stdout: '' });
  const started = await home.sysg('start', '--daemonize');
  expect({ code: started.code, stdout: started.stdout }).toEqual({ code: 1, stdout: '' });
  for (const { stderr } of [validated, started]) {
    expect(stderr).toContain(`${home.config}:${place}`);
    expect(stderr).toContain(message);
  }
  expect(existsSync(join(home.state, 'sysg.pid'))).toBe(false);
  await soon('guardian and supervisor have gone', () => home.processes().length === 0);
});

test.each([
  ['what systemg 0.33.0 writes', 'web: {command: "sleep 9", restart_policy: on-failure, backoff: "5s", max_restarts: 3}'],
  ['all of ours', 'web: {exec: [sleep, "9"], backoff: {initial: 100ms, max: 2s}, stop_signal: SIGINT, stop_timeout: 500ms, success_exit_codes: [0, 143], stable_after: 1s}'],
  ['a name that needs quotes', '"a b": {command: sleep 9}'],
])('%s: valid, and it runs', async (_what, service) => {
  const home = makeHome(`version: "1"\nservices:\n  ${service}\n`);
  expect(await home.sysg('validate')).toMatchObject({ code: 0, stdout: expect.stringContaining(`${home.config}: valid, 1 service`) });
  expect(await home.sysg('start', '--daemonize')).toMatchObject({ code: 0 });
  expect((await home.status()).units.map(({ phase }) => phase)).toEqual(['running']);
});

test('without a file, start says where it looked', async () => {
  const { code, stderr } = await makeHome().sysg('start', '--daemonize');
  expect({ code, found: stderr.includes('No config file found: looked for sysg.config.yaml, sysg.yaml, systemg.yaml') }).toEqual({ code: 1, found: true });
});

test('a file that is named and not there is refused, in the background and in the foreground, whatever else its directory has', async () => {
  const home = makeHome('version: "1"\nservices:\n  web: {command: sleep 1000}\n');
  const missing = { code: 1, stdout: '', stderr: expect.stringContaining(`No such file or directory (os error 2) (${join(dirname(home.config), 'other.yaml')})`) };
  expect(await home.sysg('start', '--daemonize', '-c', 'other.yaml')).toMatchObject(missing);
  expect(await home.sysg('start', '-c', 'other.yaml')).toMatchObject(missing);
});

test('in the foreground each line goes to its own stream, after the name of its unit', async () => {
  const home = makeHome('version: "1"\nservices:\n  web: {command: "echo out; echo err >&2; sleep 1000"}\n  longer: {command: "echo mine; sleep 1000"}\n');
  const foreground = home.open('start');
  const ended = collect(foreground);
  await soon('all has been written', () => home.log('web', 'stderr') === 'err\n' && home.log('longer') === 'mine\n');
  await home.sysg('stop');
  const { code, stdout, stderr } = await ended;
  expect(code).toBe(0);
  expect(stdout.split('\n')).toEqual(expect.arrayContaining(['web    | out', 'longer | mine']));
  expect(stderr.split('\n')).toContain('web    | err');
});

test('a stopped service is started as the file and its env files are now; a broken file is refused, and the definition is kept', async () => {
  const home = makeHome('version: "1"\nservices:\n  other: {command: sleep 1000}\n  web: {command: "echo $A; sleep 1000", env: {file: web.env}, restart_policy: never}\n  odd: {exec: [sh, -c, "echo \\"$1\\" $__proto__", sh, "$${HOME}"], env: {file: web.env}}\n');
  const writeEnv = (text: string): void => writeFileSync(join(home.dir, 'web.env'), text);
  writeEnv('A="x\\"y"\n__proto__=z\n');
  await home.sysg('start', '--daemonize');
  await soon('the value arrives', () => home.log('web') === 'x"y\n' && home.log('odd') === '${HOME} z\n');
  const pid = (await home.unit('other')).process?.pid;
  await home.sysg('stop', '-s', 'web');
  writeEnv('A=two\n__proto__=z2\n');
  expect(await home.sysg('start', '--daemonize', '-s', 'web')).toMatchObject({ code: 0 });
  await soon('the new value arrives', () => home.log('web') === 'x"y\ntwo\n');
  expect(await home.sysg('start', '--daemonize', '-s', 'odd')).toMatchObject({ code: 0 });
  await soon('the new value arrives', () => home.log('odd') === '${HOME} z\n${HOME} z2\n');
  await home.sysg('stop', '-s', 'web');
  writeEnv('A="three\n');
  const refused = await home.sysg('start', '--daemonize', '-s', 'web');
  expect(refused.code).not.toBe(0);
  expect(refused.stderr).toContain('web.env:1: the quote before the value of A is never closed');
  writeEnv('A=four\n');
  expect(await home.sysg('start', '--daemonize', '-s', 'web')).toMatchObject({ code: 0 });
  await soon('the last value arrives', () => home.log('web').endsWith('four\n'));
  expect((await home.unit('other')).process?.pid).toBe(pid);
});

test('in a locale without Unicode our own lines and arrows are ASCII in pipes too; JSON is as ever', async () => {
  const home = makeHome('version: "1"\nservices:\n  web: {command: "echo → sleep 1", depends_on: [db]}\n  db: {command: sleep 1}\n');
  home.env['LC_ALL'] = 'C';
  for (const args of [['chart'], ['chart', '--graph'], ['simulate']]) {
    const { code, stdout } = await home.sysg(...args);
    expect({ code, foreign: stdout.match(/[^\n\x20-\x7e]/g) }).toEqual({ code: 0, foreign: null });
  }
  const { stdout } = await home.sysg('chart', '--graph', '--format', 'json');
  expect(() => JSON.parse(stdout) as unknown).not.toThrow();
});
