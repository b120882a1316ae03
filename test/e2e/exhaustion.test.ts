import { spawn } from 'node:child_process';
import { chownSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bin, collect, isAlive, makeHome, soon, type Ended, type Home } from './rig.ts';

/** As `home.sysg`, in a shell that has set its limits before. */
function limited(home: Home, limits: string, ...args: readonly string[]): Promise<Ended> {
  return collect(spawn('/bin/sh', ['-c', `${limits} && exec "$@"`, 'sh', bin, ...args], { cwd: home.dir, env: home.env, stdio: ['ignore', 'pipe', 'pipe'] }));
}

test('units that would use up every descriptor are refused; the supervisor, and one after it, can be asked, and what runs be restarted', async () => {
  const names = Array.from({ length: 20 }, (_, index) => `s${index}`);
  const home = makeHome(`version: "1"\nservices:\n${names.map((name) => `  ${name}: {command: "$PROGRAMS/forever"}\n`).join('')}`);
  const started = await limited(home, 'ulimit -n 60', 'start', '--daemonize', '-c', home.config);
  expect(started.code).toBe(1);
  expect(started.stderr).toMatch(/cannot be started: too few file descriptors are left: [0-9]+ of the 60 that the supervisor may have \(nofile\) are open/);
  const { units } = await home.status();
  const running = units.filter(({ phase }) => phase === 'running');
  expect(running.length).toBeGreaterThan(0);
  expect(units.filter(({ phase }) => phase === 'failed').length).toBe(20 - running.length);
  const [first] = running;
  if (first === undefined) throw new Error('nothing runs');
  for (let round = 0; round < 3; round += 1) {
    expect(await home.sysg('restart', '-s', first.name)).toMatchObject({ code: 0 });
    const all = await Promise.all(Array.from({ length: 5 }, () => home.status()));
    expect(all.map((status) => status.units.length)).toEqual([20, 20, 20, 20, 20]);
  }
  expect(readdirSync(`/proc/${home.supervisorPid()}/fd`).length).toBeLessThan(60 - 8);
  const killed = home.supervisorPid();
  process.kill(killed, 'SIGKILL');
  await soon('another supervisor serves', async () => home.supervisorPid() !== killed && (await home.status().catch(() => null))?.units.length === 20);
  // It watches what it found running.
  expect(readdirSync(`/proc/${home.supervisorPid()}/fd`).length).toBeLessThan(60 - 8);
  expect(await home.sysg('restart', '-s', first.name)).toMatchObject({ code: 0 });
  expect(await home.sysg('stop', '-s', first.name)).toMatchObject({ code: 0 });
  expect(await home.sysg('stop')).toMatchObject({ code: 0 });
  await home.allGone();
});

test('where descriptors are short an answer that a signal was sent is true', async () => {
  const names = ['s0', 's1', 's2', 's3', 's4'];
  const home = makeHome(`version: "1"\nservices:\n${names.map((name) => `  ${name}: {command: "$PROGRAMS/forever"}\n`).join('')}`);
  await home.sysg('start', '--daemonize', '-c', home.config);
  const first = home.supervisorPid();
  // Who is not a child of the supervisor has to be looked at before it gets a signal.
  process.kill(first, 'SIGKILL');
  const { units } = await soon('another supervisor serves', async () => (home.supervisorPid() === first ? null : home.status().catch(() => null)));
  const supervisor = home.supervisorPid();
  const refused: string[] = [];
  for (const [index, name] of names.entries()) {
    const pid = units.find((unit) => unit.name === name)?.process?.pid ?? 0;
    const open = readdirSync(`/proc/${supervisor}/fd`).length;
    await collect(spawn('prlimit', ['--pid', String(supervisor), `--nofile=${open - 1 + index}:`]));
    // One that cannot be accepted is closed without an answer.
    const text = await home.exchange(JSON.stringify({ Signal: { unit: name, signal: 'SIGKILL' } })).catch(() => '');
    await collect(spawn('prlimit', ['--pid', String(supervisor), '--nofile=4096:']));
    if (text.includes('SIGKILL sent to')) await soon(`${name} is dead`, () => !isAlive(pid));
    else if (text !== '') refused.push(text);
    if (text.includes('Error')) expect(text).toMatch(/SIGKILL was not sent to service 's[0-9]' \(pid [0-9]+\): it cannot be looked at: EMFILE/);
  }
  // There were too few for some and enough for others.
  expect(refused.length).toBeGreaterThan(0);
  expect(refused.length).toBeLessThan(names.length);
});

test('a command that may open too few files is refused in a sentence', async () => {
  const home = makeHome('version: "1"\nservices:\n  a: {command: "$PROGRAMS/forever"}\n');
  for (const limit of [31, 20, 12]) {
    expect(await limited(home, `ulimit -n ${limit}`, 'start', '--daemonize', '-c', home.config)).toEqual({
      code: 1, stdout: '', stderr: `sysg: the hard limit of open files (ulimit -Hn) is ${limit}: sysg needs 32 or more\n`,
    });
  }
  await home.allGone();
});

test('a low soft limit of open files does not keep the supervisor from running, and is that of its services', async () => {
  const home = makeHome('version: "1"\nservices:\n  a: {command: "ulimit -n; exec sleep 1000"}\n');
  expect(await limited(home, 'ulimit -Sn 12', 'start', '--daemonize', '-c', home.config)).toMatchObject({ code: 0 });
  await soon('it said its limit', () => home.log('a') === '12\n');
});

test('a limit of file sizes holds no supervisor up: what is behind is named, also when its own log has reached it', async () => {
  const home = makeHome('version: "1"\nservices:\n  a: {command: "echo up; exec sleep 1000"}\n');
  expect(await limited(home, 'ulimit -f 1', 'start', '--daemonize', '-c', home.config)).toMatchObject({ code: 0 });
  const supervisor = home.supervisorPid();
  const log = join(home.state, 'logs/supervisor.log');
  await soon('the log is full', () => (process.kill(supervisor, 'SIGUSR2'), statSync(log).size === 512));
  expect(await home.sysg('restart', '-s', 'a')).toMatchObject({ code: 0 });
  expect((await home.status()).unwritten).toContainEqual(expect.stringMatching(/ledger\.ndjson: cannot be written: .*(EFBIG|limit of file sizes)/));
  expect([isAlive(supervisor), await home.sysg('stop')]).toMatchObject([true, { code: 0 }]);
  await home.allGone();
});

// A uid that nobody else has: the limit counts all processes and threads of a user.
const stranger = 64_123;

test.runIf(process.getuid?.() === 0)('a unit for which there is no process to be had is refused and tried again; nothing else suffers', async () => {
  const names = Array.from({ length: 30 }, (_, index) => `s${index}`);
  const home = makeHome(`version: "1"\nservices:\n${names.map((name) => `  ${name}: {command: "sleep 100000", restart_policy: always, backoff: 1s}\n`).join('')}`);
  chownSync(home.dir, stranger, stranger);
  chownSync(home.config, stranger, stranger);
  const user = ['--nproc=40', 'setpriv', `--reuid=${stranger}`, `--regid=${stranger}`, '--clear-groups'];
  const started = await collect(spawn('prlimit', [...user, bin, 'start', '--daemonize', '-c', home.config], { cwd: home.dir, env: home.env, stdio: ['ignore', 'pipe', 'pipe'] }));
  expect(started).toMatchObject({ code: 1, stderr: expect.stringContaining('cannot be executed: the limit of processes is reached') });
  const { units } = await home.status();
  const running = units.filter(({ phase }) => phase === 'running');
  expect(running.length).toBeGreaterThan(0);
  expect(units.filter(({ phase }) => !['running', 'backoff', 'starting'].includes(phase ?? ''))).toEqual([]);
  expect(await home.exchange(JSON.stringify({ Stop: { service: running[0]?.name } }))).toContain('stopped');
  // What became free is taken by one that was refused.
  await soon('another one runs', async () => (await home.status()).units.filter(({ phase }) => phase === 'running').length >= running.length);
  await home.exchange('"Shutdown"');
  await soon('all are gone', () => home.processes().length === 0);
});
