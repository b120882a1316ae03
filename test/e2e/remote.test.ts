import { spawn } from 'node:child_process';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { expect, test } from 'vitest';
import { tempDir } from '../temp-dir.ts';
import { bin, collect, commandOf, makeHome, soon, type Ended } from './rig.ts';
import { startSshd } from './sshd.ts';

test('--host: the supervisor of another machine over a real ssh, and several machines in one list', async (context) => {
  const there = makeHome('version: "1"\nservices:\n  web: {command: "echo from there; exec $PROGRAMS/forever", restart_policy: always}\n  db: {command: "while :; do echo tick; sleep 0.1; done"}\n');
  const server = await startSshd(there.dir);
  if (typeof server === 'string') return context.skip(server);
  const here = tempDir();
  const env = { ...there.env, HOME: here, SYSG_TEST_HOME: here, TMPDIR: here, PATH: `${server.bin}${delimiter}${process.env['PATH'] ?? ''}` };
  const sysg = (...words: readonly string[]): Promise<Ended> => collect(spawn(bin, words, { cwd: here, env, stdio: ['ignore', 'pipe', 'pipe'] }));

  expect(await sysg('--host', 'box', 'status')).toMatchObject({ code: 1, stderr: expect.stringMatching(/no supervisor is running \(state directory .* on box\); start one with: ssh box sysg start --daemonize/) });
  await there.sysg('start', '--daemonize');
  const status = await sysg('status', '--json', '--host', 'box');
  expect([status.code, (JSON.parse(status.stdout) as { readonly units: readonly { readonly name: string }[] }).units.map(({ name }) => name).toSorted()]).toEqual([0, ['db', 'web']]);

  const before = (await there.unit('web')).process?.pid;
  expect(await sysg('--host', 'box', 'restart', 'web')).toMatchObject({ code: 0, stdout: "Service 'web' restarted\n" });
  expect((await there.unit('web')).process?.pid).not.toBe(before);
  expect(await sysg('--host', 'box', 'stop', 'db')).toMatchObject({ code: 0, stdout: "Service 'db' stopped\n" });
  expect(await sysg('--host', 'box', 'stop', 'dbb')).toMatchObject({ code: 1, stderr: expect.stringContaining("did you mean 'db'?") });
  expect(await sysg('--host', 'box', 'start', 'db')).toMatchObject({ code: 0 });
  expect(await sysg('--host', 'box', 'wait', 'db', '--for', 'running', '--timeout', '10s')).toMatchObject({ code: 0 });
  expect((await sysg('--host', 'box', 'why', 'db')).stdout).toContain('db has been running');
  expect((await sysg('--host', 'box', 'events', 'web', '--json')).stdout).toContain('"unit":"web"');
  expect((await sysg('--host', 'box', 'logs', 'web', '--no-follow')).stdout).toContain('from there');
  expect((await sysg('--host', 'box', 'inspect', 'web')).code).toBe(0);
  // A reader that leaves, and a signal, end the connection too.
  expect(await collect(spawn('sh', ['-c', '"$0" --host box logs db | head -n 1', bin], { cwd: here, env, stdio: ['ignore', 'pipe', 'pipe'] }))).toMatchObject({ code: 0 });
  const follower = spawn(bin, ['--host', 'box', 'logs', 'web'], { cwd: here, env, stdio: ['ignore', 'pipe', 'ignore'] });
  const ended = collect(follower);
  await soon('it is connected', () => connectionsIn(here).some((name) => existsSync(join(here, name, 'ssh'))));
  follower.kill('SIGTERM');
  expect([(await ended).code, follower.signalCode]).toEqual([null, 'SIGTERM']);
  await soon('nothing is left of both', () => connectionsIn(here).length === 0 && mastersOf(here).length === 0);

  there.configure('version: "1"\nservices:\n  web: {command: "echo from there; exec $PROGRAMS/forever", restart_policy: always}\n');
  expect(await sysg('--host', 'box', 'plan')).toMatchObject({ code: 0, stdout: expect.stringContaining('db') });
  expect(await sysg('--host', 'box', 'reload')).toMatchObject({ code: 0, stdout: expect.stringContaining('1 removed') });

  // What needs the files of the machine says where it is to be run; what cannot be reached is named.
  for (const words of [['doctor'], ['boot', 'status'], ['start'], ['restart', '--supervisor'], ['logs', '--since', '1m']]) {
    expect(await sysg('--host', 'box', ...words)).toMatchObject({ code: 2, stderr: expect.stringContaining('ssh box sysg') });
  }
  expect(await sysg('--host', '-oProxyCommand=x', 'status')).toMatchObject({ code: expect.toSatisfy((code: number) => code !== 0) });
  const hosts = join(here, 'machines');
  writeFileSync(hosts, '# mine\nbox\n\nnowhere.invalid # away\n');
  const list = await sysg('ps', '--hosts', 'machines', '--json');
  expect([list.code, JSON.parse(list.stdout)]).toEqual([1, [
    expect.objectContaining({ host: 'box', pid: there.supervisorPid(), config: there.config, units: 1, running: 1, health: 'healthy' }),
    expect.objectContaining({ host: 'nowhere.invalid', pid: null, problem: expect.stringContaining('nowhere.invalid') }),
  ]]);
  writeFileSync(hosts, 'box\na machine\n');
  expect(await sysg('ps', '--hosts', hosts)).toMatchObject({ code: 1, stderr: expect.stringContaining(`${hosts}:2: expected one machine`) });

  expect(await sysg('--host', 'box', 'stop')).toMatchObject({ code: 0, stdout: 'Supervisor shutting down\n' });
  // Neither a connection nor a directory is left of it.
  await soon('every connection is closed', () => connectionsIn(here).length === 0);
});

/** The directories of connections. */
function connectionsIn(directory: string): readonly string[] {
  return readdirSync(directory).filter((name) => name.startsWith('sysg-host-'));
}

/** Processes of ssh that hold a connection. */
function mastersOf(directory: string): readonly number[] {
  return readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name)).map(Number).filter((pid) => commandOf(pid).includes(`-M -N -S ${directory}/`));
}
