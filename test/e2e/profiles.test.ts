import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { makeHome, soon, type Home } from './rig.ts';

const names = async (home: Home): Promise<readonly string[]> => (await home.status()).units.map(({ name }) => name).toSorted();

test('profiles: left out, chosen, started by name; a supervisor that is brought back knows what was started', async () => {
  const home = makeHome(`version: "1"
services:
  web: {command: $PROGRAMS/forever}
  debugger: {command: $PROGRAMS/forever, profiles: [dev], depends_on: [tools]}
  tools: {command: $PROGRAMS/forever, profiles: [never]}
  load: {command: $PROGRAMS/forever, profiles: [test]}
  other: {command: $PROGRAMS/forever, profiles: [other]}
  one: {command: $PROGRAMS/forever, profiles: [numbers]}
  two: {command: $PROGRAMS/forever, profiles: [numbers]}
`);
  expect(await home.sysg('start', '--daemonize', '--profile', 'tset')).toMatchObject({ code: 1, stderr: expect.stringContaining("no service has the profile 'tset', did you mean 'test'?") });
  expect(await home.sysg('start', '--daemonize', '--profile', 'test')).toMatchObject({ code: 0 });
  expect(await names(home)).toEqual(['load', 'web']);
  expect(await home.sysg('start', 'debugger')).toMatchObject({ code: 0, stdout: "Service 'debugger' started\n" });
  expect(await names(home)).toEqual(['debugger', 'load', 'tools', 'web']);
  const pid = (await home.unit('debugger')).process?.pid;
  expect(await home.sysg('start', 'debuger')).toMatchObject({ code: 1, stderr: expect.stringContaining("did you mean 'debugger'?") });
  // A reload, another supervisor and one that died change nothing about what is there.
  expect(await home.sysg('reload')).toMatchObject({ code: 0, stdout: expect.stringMatching(/unchanged|nothing/) });
  expect(await home.sysg('restart', '--supervisor')).toMatchObject({ code: 0 });
  expect([await names(home), (await home.unit('debugger')).process?.pid]).toEqual([['debugger', 'load', 'tools', 'web'], pid]);
  const before = home.supervisorPid();
  process.kill(before, 'SIGKILL');
  await soon('another supervisor answers', () => home.status().then(() => home.supervisorPid() !== before).catch(() => false));
  expect([await names(home), (await home.unit('debugger')).process?.pid]).toEqual([['debugger', 'load', 'tools', 'web'], pid]);
  expect(await home.sysg('start', '--daemonize', '--profile', 'other')).toMatchObject({ code: 0 });
  expect(await names(home)).toEqual(['debugger', 'load', 'other', 'tools', 'web']);
  // Several names, and what a pattern stands for, are names as well.
  expect(await home.sysg('start', 'web', 'tw[ox]')).toMatchObject({ code: 0, stdout: expect.stringContaining("Service 'two' started\n") });
  expect(await home.sysg('up', 'two', 'one')).toMatchObject({ code: 0, stdout: expect.stringContaining("Service 'one' started\n") });
  expect(await names(home)).toEqual(['debugger', 'load', 'one', 'other', 'tools', 'two', 'web']);
});

test('files over each other: the supervisor goes on with all of them', async () => {
  const home = makeHome('version: "1"\nservices:\n  web: {command: $PROGRAMS/forever, env: {A: base}}\n');
  const over = join(home.dir, 'over.yaml');
  writeFileSync(over, 'services:\n  web: {env: {A: over}}\n  more: {command: $PROGRAMS/forever}\n');
  expect(await home.sysg('start', '--daemonize', '-c', 'sysg.yaml', '-c', 'over.yaml')).toMatchObject({ code: 0 });
  expect(await names(home)).toEqual(['more', 'web']);
  expect(await home.sysg('start', '--daemonize', '-c', 'sysg.yaml', '-c', 'over.yaml')).toMatchObject({ code: 0, stderr: expect.stringContaining('already running') });
  expect(await home.sysg('start', '--daemonize')).toMatchObject({ code: 1, stderr: expect.stringContaining(`${home.config} + ${over}`) });
  expect((await home.sysg('validate')).stdout).toContain('2 services');
  writeFileSync(over, 'services:\n  more: {command: $PROGRAMS/forever}\n  third: {command: $PROGRAMS/forever}\n');
  expect(await home.sysg('reload')).toMatchObject({ code: 0 });
  expect(await names(home)).toEqual(['more', 'third', 'web']);
  const before = home.supervisorPid();
  process.kill(before, 'SIGKILL');
  await soon('another supervisor answers', () => home.status().then(() => home.supervisorPid() !== before).catch(() => false));
  expect(await names(home)).toEqual(['more', 'third', 'web']);
  expect(await home.sysg('reload', '-c', 'sysg.yaml')).toMatchObject({ code: 0 });
  await soon('what the upper file added is gone', async () => (await names(home)).join() === 'web');
});

test('a service that its profiles leave out of a project is started by name beside the configuration of another', async () => {
  const home = makeHome('version: "1"\nservices:\n  web: {command: $PROGRAMS/forever}\n');
  writeFileSync(join(home.dir, 'two.yaml'), 'version: "1"\nproject: two\nservices:\n  api: {command: $PROGRAMS/forever}\n  tool: {command: $PROGRAMS/forever, profiles: [dev]}\n');
  onTestFinished(async () => void await home.sysg('stop', '-p', 'two'));
  expect(await home.sysg('start', '--daemonize', '-c', 'two.yaml')).toMatchObject({ code: 0 });
  const { stderr } = await home.sysg('-p', 'two', 'stop', 'tool');
  expect(stderr).toContain('to start it: sysg -p two start tool\n');
  expect(await home.sysg('-p', 'two', 'start', 'tool')).toMatchObject({ code: 0, stdout: "Service 'tool' started\n" });
});
