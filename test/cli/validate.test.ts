import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { tempDir } from '../temp-dir.ts';
import { sysg } from './rig.ts';

function withConfig(yaml: string): { readonly env: { readonly HOME: string }; readonly path: string; readonly home: string } {
  const home = tempDir();
  writeFileSync(join(home, 'sysg.yaml'), yaml);
  return { env: { HOME: home }, path: join(home, 'sysg.yaml'), home };
}

test('a good file: its path and how many services it has, exit code 0', async () => {
  const { env, path } = withConfig('version: "1"\nservices:\n  web: {command: sleep 1}\n');
  expect(await sysg(['validate'], { env })).toEqual({ exitCode: 0, stdout: `${path}: valid, 1 service\n`, stderr: '' });
});

test('every error with its line and a caret under its place, exit code 1', async () => {
  const { env, path } = withConfig('version: "1"\nservices:\n  web:\n    comand: sleep 1\n    max_restarts: many\n');
  const { exitCode, stdout, stderr } = await sysg(['validate'], { env });
  expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
  expect(stderr).toContain(`${path}:4:5: services.web.comand: unknown key 'comand', did you mean 'command'?\n  4 |     comand: sleep 1\n    |     ^\n`);
  expect(stderr).toContain(`${path}:5:19: services.web.max_restarts: expected a whole number`);
  expect(stderr).toMatch(/\nsysg: 3 errors in .*sysg\.yaml\n$/);
});

test.each([
  [['validate'], 'services.'], [['validate', '-c', 'gone\u001b[31m\u202e'], 'gone'], [['sta\u001b[31m\u202etus'], 'status'], [['import', 'compose.yaml', '--force'], 'x-image'],
])('%s: nothing that steers a terminal comes from a file, a name or the words that were given', async (words, said) => {
  const { env, home } = withConfig('version: "1"\nservices:\n  "we\u009b31mb\u202e\u007f": {comand: sleep 1}\n');
  writeFileSync(join(home, 'compose.yaml'), 'services:\n  web: {image: a, command: b, "x\\e[31m-image\u202e": c}\n');
  const { stdout, stderr } = await sysg(words, { env, cwd: home });
  expect(stdout + stderr).toContain(said);
  expect(stdout + stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/u);
});

test('--json has errors, warnings and notes with their places, and nothing else', async () => {
  const bad = withConfig('version: "2"\nservices:\n  web: {command: sleep 1, backoff: soon}\n');
  const refused = await sysg(['validate', '--json'], { env: bad.env });
  expect(refused.exitCode).toBe(1);
  expect(JSON.parse(refused.stdout)).toEqual({
    ok: false, warnings: [], notes: [],
    errors: [{ file: bad.path, line: 3, column: 36, path: 'services.web.backoff', message: expect.stringContaining('got "soon"') }],
  });
  const good = withConfig('version: "2"\nservices:\n  web: {command: "echo $HOME; sleep 1"}\n');
  const accepted = await sysg(['validate', '--json'], { env: good.env });
  expect(accepted.exitCode).toBe(0);
  expect(JSON.parse(accepted.stdout)).toEqual({
    ok: true, errors: [],
    warnings: [expect.objectContaining({ line: 1, path: 'version' })],
    notes: [expect.objectContaining({ line: 3, path: 'services.web.command', message: expect.stringContaining('systemg 0.33.0 replaces $HOME here') })],
  });
});

test('without any file it says where it looked', async () => {
  const { exitCode, stderr, stdout } = await sysg(['validate', '--json']);
  expect(exitCode).toBe(1);
  expect(stderr).toContain('No config file found: looked for sysg.config.yaml, sysg.yaml, systemg.yaml');
  expect(JSON.parse(stdout)).toMatchObject({ ok: false, errors: [{ line: 0, message: expect.stringContaining('No config file found') }] });
});

test('a named file comes from the working directory, then from the config directory', async () => {
  const home = tempDir();
  mkdirSync(join(home, '.config/systemg'), { recursive: true });
  writeFileSync(join(home, '.config/systemg/app.yaml'), 'version: "1"\nservices: {}\n');
  expect((await sysg(['validate', '-c', 'app.yaml'], { env: { HOME: home } })).stdout).toContain('/.config/systemg/app.yaml: valid, 0 services');
  const missing = await sysg(['validate', '-c', 'none.yaml'], { env: { HOME: home } });
  expect(missing).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('No such file or directory') });
});

test.runIf(process.getuid?.() === 0)('under --sys, what its start would refuse: a file, or one that it includes, into which others may write', async () => {
  const { env, path, home } = withConfig('version: "1"\ninclude: [more.yaml]\nservices:\n  web: {command: sleep 1}\n');
  const more = join(home, 'more.yaml');
  writeFileSync(more, 'version: "1"\nservices:\n  api: {command: sleep 2}\n');
  const systemWide = (): ReturnType<typeof sysg> => sysg(['--sys', 'validate', '-c', path], { env, uid: 0 });
  expect(await systemWide()).toMatchObject({ exitCode: 0, stdout: `${path}: valid, 2 services\n` });
  for (const file of [path, more]) {
    chmodSync(file, 0o666);
    expect(await systemWide()).toMatchObject({ exitCode: 1, stderr: expect.stringContaining(`${file}: everybody may write to it`) });
    expect(await sysg(['validate'], { env })).toMatchObject({ exitCode: 0 });
    chmodSync(file, 0o644);
  }
});

test('what this machine does not have is warned of: directory, user, group, program', async () => {
  const { env, home } = withConfig(`version: "1"
services:
  a: {command: sleep 1, working_dir: none}
  b: {command: no-such-program x, user: no-such-user, group: no-such-group}
  c: {exec: [./tool]}
  d: {command: mine, env: {PATH: "$HOME/bin"}}
  e: {command: "no-such-program; true"}
`);
  mkdirSync(join(home, 'bin'));
  writeFileSync(join(home, 'bin/mine'), '#!/bin/sh\n', { mode: 0o755 });
  const { exitCode, stdout } = await sysg(['validate', '--json'], { env: { ...env, PATH: process.env['PATH'] ?? '' } });
  expect(exitCode).toBe(0);
  const { warnings } = JSON.parse(stdout) as { warnings: readonly { line: number; column: number; path: string; message: string }[] };
  expect(warnings.map(({ line, column }) => [line, column])).toEqual([[3, 38], [4, 41], [4, 62], [4, 16], [5, 13]]);
  expect(warnings.map(({ path, message }) => `${path}: ${message}`)).toEqual([
    `services.a.working_dir: working directory "${home}/none" does not exist`,
    "services.b.user: there is no user 'no-such-user' here", "services.b.group: there is no group 'no-such-group' here",
    expect.stringContaining('services.b.command: program "no-such-program" was not found on PATH'),
    expect.stringMatching(/^services\.c\.exec: .*tool/),
  ]);
});

test('so is a program of its other commands, where these are a name and words', async () => {
  const { env } = withConfig(`version: "1"
services:
  a: {command: sleep 1, stop_command: no-stop, skip: no-skip x, health_check: {command: no-check}, hooks: {on_start: {success: {command: no-hook}}}, deployment: {pre_start: no-pre}}
  b: {command: sleep 1, stop_command: "kill $PID", skip: "./gone", health_check: {command: "test -e x && no-check"}, hooks: {on_stop: {error: {command: sleep 1}}}}
`);
  const { stdout } = await sysg(['validate', '--json'], { env: { ...env, PATH: process.env['PATH'] ?? '' } });
  const { warnings } = JSON.parse(stdout) as { warnings: readonly { path: string; message: string }[] };
  expect(warnings.map(({ path, message }) => `${path} ${/program "(.*)" was not found on PATH/.exec(message)?.[1]}`)).toEqual([
    'services.a.stop_command no-stop', 'services.a.skip no-skip', 'services.a.deployment no-pre', 'services.a.health_check no-check', 'services.a.hooks no-hook',
  ]);
});

test('the example is valid, without a warning or a note', async () => {
  const example = resolve(import.meta.dirname, '../../sysg.config.example.yaml');
  const { exitCode, stdout, stderr } = await sysg(['validate', '-c', example], { env: { HOME: tempDir(), PATH: process.env['PATH'] ?? '' } });
  expect({ exitCode, stdout, stderr }).toEqual({ exitCode: 0, stdout: `${example}: valid, 6 services\n`, stderr: '' });
});

test.each([[1000, 2], [0, 0]])('a user other than the one who starts takes root: for uid %i %i warnings', async (uid, count) => {
  const spy = vi.spyOn(process, 'getuid').mockReturnValue(uid);
  onTestFinished(() => spy.mockRestore());
  const { env } = withConfig('version: "1"\nservices:\n  a: {command: sleep 1, user: root}\n  b: {command: sleep 1, supplementary_groups: [root]}\n  c: {command: sleep 1}\n');
  const { exitCode, stderr } = await sysg(['validate'], { env });
  expect([exitCode, [...stderr.matchAll(/services\.[ab]\.(?:user|supplementary_groups): only a supervisor of root starts /g)].length]).toEqual([0, count]);
});
