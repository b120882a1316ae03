import { spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { collect, isAlive, makeHome, soon, type Ended, type Home } from '../e2e/rig.ts';

const file = resolve(import.meta.dirname, '../../standalone/sysg');
const config = 'version: "1"\nservices:\n  web: {command: "exec sleep 1000"}\n  batch: {command: "exec sleep 1001"}\n';

/** Called with a home and the tools of the system alone. */
function client(home: Home, ...words: readonly string[]): Promise<Ended> {
  return collect(spawn(file, words, { cwd: home.dir, env: { HOME: home.dir, SYSG_TEST_HOME: home.dir, PATH: '/usr/bin:/bin' }, stdio: ['ignore', 'pipe', 'pipe'] }));
}

test.each([
  ['start -c sysg.yaml'], ['start --daemonize -c sysg.yaml'], ['restart --daemonize -c sysg.yaml'], ['start -- sleep 1000'], ['boot install -c sysg.yaml'], ['purge --yes'],
])('%s says that a supervisor takes Node.js, and leaves nothing behind', async (words) => {
  const home = makeHome(config);
  const { code, stdout, stderr } = await client(home, ...words.split(' '));
  expect(code).toBe(1);
  expect(stdout).toBe('');
  expect(stderr).toContain('this file is the client of sysg alone: it starts no supervisor');
  expect(existsSync(home.state)).toBe(false);
  expect(home.processes()).toEqual([]);
});

test('controls a supervisor of Node.js', async () => {
  const home = makeHome(config);
  expect(await home.sysg('start', '--daemonize')).toMatchObject({ code: 0 });
  const before = (await home.unit('web')).process?.pid;
  expect(await client(home, 'stop', '-s', 'batch')).toMatchObject({ code: 0 });
  expect((await home.unit('batch')).process).toBeUndefined();
  expect(await client(home, 'start', '-s', 'batch')).toMatchObject({ code: 0 });
  expect((await home.unit('batch')).process?.pid).toBeGreaterThan(1);
  expect(await client(home, 'restart', '-s', 'web')).toMatchObject({ code: 0, stdout: expect.stringContaining("Service 'web' restarted") });
  expect((await home.unit('web')).process?.pid).not.toBe(before);
  const status = await client(home, 'status', '--json');
  expect((JSON.parse(status.stdout) as { units: { name: string }[] }).units.map(({ name }) => name)).toEqual(['batch', 'web']);
  expect(await client(home, 'restart', '--supervisor')).toMatchObject({ code: 0 });
  expect(await client(home, 'stop')).toMatchObject({ code: 0 });
  await home.allGone();
});

test('leaves alone what a dead supervisor left running', async () => {
  const home = makeHome(config);
  expect(await home.sysg('start', '--daemonize')).toMatchObject({ code: 0 });
  const pid = (await home.unit('web')).process?.pid ?? 0;
  const [guardian, supervisor] = [home.guardianPid(), home.supervisorPid()];
  for (const one of [guardian, supervisor]) process.kill(one, 'SIGKILL');
  await soon('the supervisor is gone', () => !isAlive(supervisor));
  expect((await client(home, 'status')).stdout).toContain('No supervisor is running');
  expect(await client(home, 'stop')).toMatchObject({ code: 1, stderr: expect.stringContaining('ends nothing that a dead one has left') });
  expect(isAlive(pid)).toBe(true);
});

test('explains itself', async () => {
  const home = makeHome();
  expect(await client(home, '--help')).toMatchObject({ code: 0, stdout: expect.stringContaining('Commands:') });
  expect(await client(home, 'status', '--nonsense')).toMatchObject({ code: 2, stderr: expect.stringContaining("unknown option '--nonsense'") });
});

test('takes no settings of Bun from the directory in which it is called', async () => {
  const home = makeHome(config);
  writeFileSync(join(home.dir, '.env'), 'SYSG_PROJECT=other\n');
  writeFileSync(join(home.dir, 'bunfig.toml'), 'preload = ["./preload.js"]\n');
  writeFileSync(join(home.dir, 'preload.js'), 'console.log("loaded"); process.exit(9);\n');
  expect(await client(home, '--version')).toMatchObject({ code: 0, stdout: expect.stringMatching(/^sysg \d+\.\d+\.\d+\n$/) });
  const { code, stderr } = await client(home, 'status');
  expect(code).toBe(3);
  expect(stderr).not.toContain('other');
});
