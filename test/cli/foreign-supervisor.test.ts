import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { identify, isAlive } from '../../src/process/identity.ts';
import { tempDir } from '../temp-dir.ts';
import { readGolden } from '../wire/golden.ts';
import { sysg, type Ran } from './rig.ts';

interface Foreign {
  readonly state: string;
  readonly requests: readonly string[];
  run(...argv: readonly string[]): Promise<Ran>;
}

/** A supervisor of systemg 0.33.0, as recorded: it serves the socket without our lock. */
async function foreign(answer = answerTo): Promise<Foreign> {
  const recorded = readGolden('status').find(({ name }) => name === 'status-running-mixed')?.response ?? '';
  const home = tempDir();
  const state = join(home, '.local/share/systemg');
  mkdirSync(state, { recursive: true, mode: 0o700 });
  const requests: string[] = [];
  const server = createServer((socket) => socket.once('data', (data) => {
    const request = data.toString('utf8').trim();
    requests.push(request);
    if (request === '"Shutdown"') server.close();
    socket.end(request === '"Status"' ? recorded : answer(request));
  }).on('error', () => undefined));
  await new Promise<void>((listening) => server.listen(join(state, 'control.sock'), listening));
  onTestFinished(() => new Promise((closed) => void server.close(() => closed())));
  return { state, requests, run: (...argv) => sysg(argv, { env: { HOME: home, PATH: process.env['PATH'] } }) };
}

function answerTo(request: string): string {
  if (request === '"Shutdown"') return '{"Message":"Supervisor shutting down"}\n';
  const variant = Object.keys(JSON.parse(request) as object)[0] ?? '';
  if (['Start', 'Stop', 'Restart'].includes(variant)) return '{"Message":"Service \'web\' done"}\n';
  return `{"Error":"failed to serialise control message: unknown variant \`${variant}\`, expected one of \`Start\`, \`Stop\`, \`Restart\`, \`Shutdown\`, \`Status\`, \`Inspect\`, \`Logs\`, \`Spawn\` at line 1 column 9"}\n`;
}

test.each([
  ['/srv/my app/sysg.yaml:3:9: services.web.commnd: unknown key', '/srv/my app/sysg.yaml:3:9: services.web.commnd: unknown key'],
  ['services: invalid type: sequence, expected a map at line 2 column 11', 'Invalid YAML format: services: invalid type: sequence, expected a map at line 2 column 11'],
])('a problem with its place is printed without the prefix of the wire: %s', async (sent, printed) => {
  const { run } = await foreign(() => `${JSON.stringify({ Error: `Invalid YAML format: ${sent}` })}\n`);
  for (const command of ['reload', 'restart', 'plan']) expect((await run(command)).stderr).toBe(`sysg: ${printed}\n`);
});

test.each([
  ['web', 'running', 0], ['failing', 'failed', 0], ['oneshot', 'completed', 0], ['web', 'stopped', 124], ['failing', 'running', 124],
] as const)('wait knows without a phase whether %s is %s', async (unit, goal, exitCode) => {
  const { run } = await foreign();
  expect((await run('wait', unit, '--for', goal, '--timeout', '0s')).exitCode).toBe(exitCode);
});

test('start of a running service is not sent: that supervisor would start a second copy', async () => {
  const { run, requests } = await foreign();
  expect(await run('start', '--daemonize', '-s', 'web')).toMatchObject({ exitCode: 0, stdout: "Service 'web' is already running\n" });
  expect(requests.filter((request) => request.includes('Start'))).toEqual([]);
});

test('start of a service that does not run is sent', async () => {
  const { run, requests } = await foreign();
  expect(await run('start', '--daemonize', '-s', 'failing')).toMatchObject({ exitCode: 0 });
  expect(requests).toContain('{"Start":{"service":"failing"}}');
});

test('stop of an unknown service is refused, though that supervisor would claim to have done it', async () => {
  const { run, requests } = await foreign();
  expect(await run('stop', '-s', 'nope')).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("Service 'nope' not found in configuration") });
  expect(requests.filter((request) => request.includes('Stop'))).toEqual([]);
});

test.each([['plan'], ['reload'], ['events'], ['signal', '-s', 'web', 'HUP'], ['why', 'web']])('%s says that this supervisor cannot do it, and what can be done', async (...argv) => {
  const { run } = await foreign();
  const { exitCode, stderr } = await run(...argv);
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(/does not know the request \w+: it is systemg 0\.33\.0 or an older sysg; .*sysg stop, then sysg start/);
});

test('purge has that supervisor shut down before it removes what it lives on', async () => {
  const { run, requests, state } = await foreign();
  expect(await run('purge')).toMatchObject({ exitCode: 0, stdout: 'Supervisor shutting down\nAll systemg state has been purged\n' });
  expect(requests).toContain('"Shutdown"');
  expect(existsSync(state)).toBe(false);
});

test.each([['start', '--daemonize', '-c', 'sysg.yaml'], ['stop'], ['status'], ['purge']])('%s names that supervisor when its socket was removed, and does nothing beside it', async (...argv) => {
  const { run, state, requests } = await foreign();
  rmSync(join(state, 'control.sock'));
  // One that is about to end takes this away too.
  writeFileSync(join(state, 'sysg.pid'), String(process.pid));
  const { exitCode, stderr } = await run(...argv);
  expect([exitCode === 0, stderr]).toEqual([false, expect.stringContaining(`control.sock was removed while a supervisor (pid ${process.pid}) listens there; it is systemg 0.33.0`)]);
  expect(requests).toEqual([]);
});

test.each([['status', 3], ['stop', 0], ['start --daemonize -c none.yaml', 1]])('%s waits for the end of one that has been stopped: its files go before it does', async (words, code) => {
  const home = tempDir();
  const state = join(home, '.local/share/systemg');
  mkdirSync(state, { recursive: true, mode: 0o700 });
  writeFileSync(join(home, 'sysg.yaml'), 'version: "1"\nservices:\n  web: {command: sleep 60}\n');
  const program = `require('net').createServer().listen(process.argv[1], () => {
    require('fs').rmSync(process.argv[1]);
    console.log('ends');
    setTimeout(() => process.exit(), 1000);
  })`;
  const child = spawn(process.execPath, ['-e', program, join(state, 'control.sock')], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const ended = once(child, 'exit');
  await once(child.stdout, 'data');
  const identity = identify(child.pid ?? 0);
  const { exitCode, stderr } = await sysg(words.split(' '), { env: { HOME: home, PATH: process.env['PATH'] } });
  expect([exitCode, identity !== null && isAlive(identity)]).toEqual([code, false]);
  expect(stderr).not.toContain('was removed while');
  await ended;
});

test.each([['stop'], ['purge']])('%s returns when the process of that supervisor has ended, which is after its answer and its socket', async (command) => {
  const home = tempDir();
  const state = join(home, '.local/share/systemg');
  mkdirSync(state, { recursive: true, mode: 0o700 });
  const program = `require('net').createServer((socket) => socket.once('data', () => socket.end('{"Message":"Supervisor shutting down"}\\n')
    .once('close', () => { require('fs').rmSync(process.argv[1]); setTimeout(() => process.exit(), 1000); }))).listen(process.argv[1], () => console.log('serves'))`;
  const child = spawn(process.execPath, ['-e', program, join(state, 'control.sock')], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const ended = once(child, 'exit');
  await once(child.stdout, 'data');
  const identity = identify(child.pid ?? 0);
  writeFileSync(join(state, 'sysg.pid'), `${child.pid}\n`);
  expect(await sysg([command], { env: { HOME: home, PATH: process.env['PATH'] } })).toMatchObject({ exitCode: 0 });
  expect(identity !== null && isAlive(identity)).toBe(false);
  await ended;
});
