import { spawn } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { bin, collect, isAlive, makeHome, removeDirectory, soon } from './rig.ts';

const yaml = 'version: "1"\nservices:\n  a: {command: "$PROGRAMS/forever", restart_policy: always, backoff: 50ms}\n  b: {command: "$PROGRAMS/forever"}\n';

test('a state directory that was removed comes back with all that is known; services go on, and kill -9 loses nothing', async () => {
  const home = makeHome(yaml);
  await home.sysg('start', '--daemonize', '-c', home.config);
  await home.sysg('stop', '-s', 'b');
  const [running, supervisor] = [(await home.unit('a')).process?.pid ?? 0, home.supervisorPid()];
  await removeDirectory(home.state);
  // A start right after the removal starts no second one.
  expect(await home.sysg('start', '--daemonize', '-c', home.config)).toMatchObject({ code: 0, stderr: expect.stringContaining(`already running (pid ${supervisor})`) });
  expect(home.supervisorPid()).toBe(supervisor);
  expect((await home.unit('a')).process?.pid).toBe(running);
  expect((await home.sysg('why', 'b')).stdout).toContain('stopped');
  await soon('the files are there', () => ['pid.xml', 'state.xml', 'config_hint'].every((name) => existsSync(join(home.state, name))));
  expect((await home.sysg('start', '-c', home.config)).stderr).toContain('supervisor already running');

  process.kill(supervisor, 'SIGKILL');
  await soon('another supervisor serves', async () => (await home.status().catch(() => null)) !== null && home.supervisorPid() !== supervisor);
  expect(await home.unit('a')).toMatchObject({ phase: 'running', process: { pid: running } });
  expect(await home.unit('b')).toMatchObject({ phase: 'stopped', wanted: 'down' });
  await home.sysg('restart', '-s', 'a');
  await soon('its output is kept again', () => home.log('a').includes('ready'));
  expect(await home.sysg('stop')).toMatchObject({ code: 0 });
  await home.allGone();
});

test.runIf(process.getuid?.() === 0)('a supervisor that is killed while its user may not enter its directory comes back when he may, and its logs are refused in a sentence', async () => {
  const home = makeHome(yaml);
  for (const path of [home.dir, home.config]) chownSync(path, 65534, 65534);
  const asUser = (...args: readonly string[]) => collect(spawn('setpriv', ['--reuid=65534', '--regid=65534', '--clear-groups', bin, ...args], { cwd: home.dir, env: home.env, stdio: ['ignore', 'pipe', 'pipe'] }));
  expect(await asUser('start', '--daemonize', '-c', home.config)).toMatchObject({ code: 0 });
  const [running, supervisor] = [(await home.unit('a')).process?.pid ?? 0, home.supervisorPid()];
  const logs = join(home.state, 'logs');
  chmodSync(logs, 0);
  expect(await asUser('logs', '-s', 'a', '--no-follow')).toEqual({ code: 1, stdout: '', stderr: `sysg: ${logs} may not be read by this user: run as its owner, or let this user in: chmod u+rx ${logs}\n` });
  chmodSync(logs, 0o700);

  chmodSync(home.state, 0);
  process.kill(supervisor, 'SIGKILL');
  await soon('the next one cannot begin', () => readFileSync(join(logs, 'supervisor.log'), 'utf8').includes('services go on, and nobody looks after them until the next try'));
  chmodSync(home.state, 0o700);
  await soon('another supervisor serves', async () => (await home.status().catch(() => null)) !== null && home.supervisorPid() !== supervisor);
  expect(await home.unit('a')).toMatchObject({ phase: 'running', process: { pid: running } });
  expect(await asUser('stop')).toMatchObject({ code: 0 });
  await home.allGone();
});

test('a home that is gone is not made again by what services say; when it is back everything goes on', async () => {
  const home = makeHome('version: "1"\nservices:\n  talks: {command: "while :; do date; sleep 0.05; done"}\n');
  await home.sysg('start', '--daemonize', '-c', home.config);
  const [pid, supervisor] = [(await home.unit('talks')).process?.pid, home.supervisorPid()];
  const away = `${home.dir}.away`;
  renameSync(home.dir, away);
  const log = join(away, relative(home.dir, home.state), 'logs/supervisor.log');
  await soon('that is said', () => readFileSync(log, 'utf8').includes(`${home.dir} is gone, and with it the socket`));
  expect(existsSync(home.dir)).toBe(false);
  renameSync(away, home.dir);
  expect([(await home.unit('talks')).process?.pid, home.supervisorPid()]).toEqual([pid, supervisor]);
  const before = home.log('talks').length;
  await soon('what it says is kept again', () => home.log('talks').length > before);
});

test('a stop right after the removal ends the supervisor and its services', async () => {
  const home = makeHome(yaml);
  await home.sysg('start', '--daemonize', '-c', home.config);
  const [running, supervisor] = [(await home.unit('a')).process?.pid ?? 0, home.supervisorPid()];
  await removeDirectory(home.state);
  expect(await home.sysg('stop')).toMatchObject({ code: 0, stdout: 'Supervisor shutting down\n' });
  expect([isAlive(running), isAlive(supervisor)]).toEqual([false, false]);
  await removeDirectory(home.state);
  expect((await home.sysg('stop')).stderr).toContain('no supervisor is running');
});

test('a removed socket comes back; requests under way are answered', async () => {
  const home = makeHome(`version: "1"\nservices:\n  slow: {command: "trap 'sleep 7; exit' TERM; while :; do sleep 0.1; done", stop_timeout: 20s}\n`);
  await home.sysg('start', '--daemonize', '-c', home.config);
  const stop = home.sysg('stop', '-s', 'slow');
  await home.until('slow', ({ phase }) => phase === 'stopping', 'is being stopped');
  rmSync(join(home.state, 'control.sock'));
  expect(await home.sysg('start', '--daemonize', '-c', home.config)).toMatchObject({ code: 0, stderr: expect.stringContaining('already running') });
  expect(await stop).toMatchObject({ code: 0 });
  expect(readFileSync(join(home.state, 'logs/supervisor.log'), 'utf8')).toContain('control.sock: was removed by somebody and has been put back');
});

test('a supervisor whose directory another one has taken over ends with its services and leaves the other alone', async () => {
  const home = makeHome('version: "1"\nservices:\n  a: {command: "$PROGRAMS/forever"}\n');
  await home.sysg('start', '--daemonize', '-c', home.config);
  const [old, supervisor] = [(await home.unit('a')).process?.pid ?? 0, home.supervisorPid()];
  renameSync(home.state, `${home.state}.old`);
  mkdirSync(home.state, { mode: 0o700 });
  // A client would wait for the first one to come back.
  const daemon = [resolve(import.meta.dirname, '../../dist/daemon.js'), '--config', home.config, '--mode', 'user', '--foreground'];
  const second = spawn(process.execPath, daemon, { env: home.env, stdio: 'ignore' });
  await soon('the first one has ended', () => !isAlive(supervisor) && !isAlive(old));
  await soon('the second one serves', async () => (await home.status().catch(() => null)) !== null);
  expect(await home.until('a', ({ phase }) => phase === 'running', 'runs')).toMatchObject({ phase: 'running' });
  expect(home.supervisorPid()).toBe(second.pid);
});

test('stop returns when supervisor and guardian are gone: what is removed right then brings nothing back', async () => {
  const home = makeHome('version: "1"\nservices:\n  a: {command: "echo run >> $HOME/runs; exec $PROGRAMS/forever"}\n');
  for (let round = 1; round <= 5; round += 1) {
    await home.sysg('start', '--daemonize', '-c', home.config);
    const supervisor = home.supervisorPid();
    const guardian = home.guardianPid();
    expect(await home.sysg('stop')).toMatchObject({ code: 0 });
    expect([isAlive(supervisor), isAlive(guardian)]).toEqual([false, false]);
    await removeDirectory(home.state);
    expect(readFileSync(join(home.dir, 'runs'), 'utf8')).toBe('run\n'.repeat(round));
  }
});
