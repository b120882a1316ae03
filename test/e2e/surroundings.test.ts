import { spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { canMount } from '../state/small-disk.ts';
import { bin, collect, commandOf, type Ended, type Home, makeHome, openFilesOf, soon } from './rig.ts';

const printing = `version: "1"
services:
  web: {exec: [node, -e, 'console.log(JSON.stringify({...process.env, cwd: process.cwd()})); setInterval(() => {}, 1000)'], working_dir: /usr}
`;

function within(home: Home, cwd: string, env: NodeJS.ProcessEnv, ...args: readonly string[]): Promise<Ended> {
  return collect(spawn(bin, args, { cwd, env: { ...home.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] }));
}

async function seenBy(home: Home, unit: string): Promise<Readonly<Record<string, string>>> {
  const line = await soon(`${unit} has printed its environment`, () => /^\{.*\}$/m.exec(home.log(unit))?.[0]);
  return JSON.parse(line) as Record<string, string>;
}

describe('variables that are meant for applications', () => {
  const meant = {
    NODE_OPTIONS: '--no-warnings --require=/nope.js', NODE_PATH: '/nope', NODE_DEBUG: 'net,fs', NODE_CHANNEL_FD: '77', NODE_UNIQUE_ID: '5', NODE_PENDING_DEPRECATION: '1',
    UV_THREADPOOL_SIZE: '1', OPENSSL_CONF: '/nope', LOG_TOKENS: '1', LOG_STREAM: '1', 'spring.profiles.active': 'prod', status: 'mine', state: 'mine', asked: 'TERM',
  };

  test.each([[['--daemonize']], [[]]])('change nothing of sysg and reach the services as they are: start %j', async (flags) => {
    // A shell shows what it gets before the runtime of a service could choke on it.
    const home = makeHome('version: "1"\nservices:\n  web: {exec: [cat, /proc/self/environ]}\n  rest: {command: "sleep 1000"}\n');
    const child = spawn(bin, ['start', ...flags], { cwd: home.dir, env: { ...home.env, ...meant }, stdio: ['ignore', 'pipe', 'pipe'] });
    const ended = collect(child);
    const text = await soon('the service has printed its environment', () => /SYSG_INSTANCE/.test(home.log('web')) && home.log('web'));
    const seen = new Map(text.split('\0').map((entry) => [entry.slice(0, entry.indexOf('=')), entry.slice(entry.indexOf('=') + 1)]));
    for (const [name, value] of Object.entries(meant)) expect([name, seen.get(name)]).toEqual([name, value]);
    expect([...seen.keys()].filter((name) => name.startsWith('SYSG_') && name !== 'SYSG_TEST_HOME')).toEqual(['SYSG_INSTANCE']);
    const { stdout, stderr } = await within(home, home.dir, meant, 'status');
    expect(stdout).toContain('web');
    expect(stderr.replaceAll(/^sysg: warning: .*\n/gm, '')).toBe('');
    await within(home, home.dir, meant, 'stop');
    await ended;
  });
});

describe('directories', () => {
  test('a service finds its working directory in PWD', async () => {
    const home = makeHome(printing);
    await home.sysg('start', '--daemonize');
    expect(await seenBy(home, 'web')).toMatchObject({ PWD: '/usr', cwd: '/usr' });
  });

  test('in a directory that was removed commands work, and say where they looked', async () => {
    const home = makeHome();
    const gone = join(home.dir, 'gone');
    const there = (...args: readonly string[]): ReturnType<typeof spawnSync> => {
      mkdirSync(gone, { recursive: true });
      return spawnSync('sh', ['-c', 'cd "$1" && rmdir "$1" && shift && exec "$@"', 'sh', gone, bin, ...args], { env: home.env, encoding: 'utf8' });
    };
    expect(there('--version')).toMatchObject({ status: 0, stdout: expect.stringMatching(/^sysg [0-9]/) });
    for (const args of [['start', '--daemonize'], ['validate']]) {
      const { status, stderr } = there(...args);
      expect(status).not.toBe(0);
      expect(String(stderr)).toContain(`in ${gone} and`);
      expect(String(stderr)).not.toContain('    at ');
    }
  });

  test('a home in which nothing can be made is refused at once', async () => {
    const home = makeHome('version: "1"\nservices: {}\n');
    expect(await within(home, home.dir, { HOME: '/proc/nope' }, 'start', '--daemonize')).toMatchObject({ code: 1, stderr: expect.stringContaining('/proc/nope/.local/share/systemg: cannot be prepared') });
  });

  test('a link to the current release is followed anew by a restart, and a file that is gone is looked for again', async () => {
    const home = makeHome();
    for (const [release, name] of [['1', 'sysg.yaml'], ['2', 'sysg.yaml'], ['3', 'systemg.yaml']] as const) {
      mkdirSync(join(home.dir, release));
      writeFileSync(join(home.dir, release, name), `version: "1"\nservices:\n  web: {exec: [node, -e, 'console.log(JSON.stringify({cwd: process.cwd(), release: "${release}"})); setInterval(() => {}, 1000)']}\n`);
    }
    const current = join(home.dir, 'current');
    const turnTo = (release: string): void => {
      rmSync(current, { force: true });
      symlinkSync(release, current);
    };
    turnTo('1');
    await within(home, current, { PWD: current }, 'start', '--daemonize');
    await soon('release 1 runs', () => home.log('web').includes('"release":"1"'));
    for (const release of ['2', '3']) {
      turnTo(release);
      expect(await within(home, home.dir, { PWD: home.dir }, 'restart')).toMatchObject({ code: 0 });
      await soon(`release ${release} runs`, () => home.log('web').includes(`{"cwd":"${join(home.dir, release)}","release":"${release}"}`));
    }
  });
});

test('guardian and supervisor keep no descriptor of the caller, whatever its number', async () => {
  const home = makeHome('version: "1"\nservices:\n  web: {command: "sleep 1000"}\n');
  const lock = join(home.dir, 'lock');
  writeFileSync(lock, '');
  const started = await collect(spawn('bash', ['-c', '"$0" start --daemonize 5<lock 9<lock 12<lock 63<lock 200<lock 12345<lock', bin], { cwd: home.dir, env: home.env, stdio: ['ignore', 'pipe', 'pipe'] }));
  expect(started.code).toBe(0);
  expect([home.supervisorPid(), home.guardianPid()].map((pid) => openFilesOf(pid).length > 0)).toEqual([true, true]);
  for (const pid of home.processes()) expect([commandOf(pid), openFilesOf(pid).includes(lock)]).toEqual([expect.anything(), false]);
});

test('the log of the supervisor has a record of what was asked for', async () => {
  const home = makeHome('version: "1"\nservices:\n  web: {command: "sleep 1000"}\n');
  expect(await home.sysg('start', '--daemonize')).toMatchObject({ code: 0 });
  expect(await home.sysg('restart', '-s', 'web')).toMatchObject({ code: 0 });
  expect(await home.sysg('stop', '-s', 'web')).toMatchObject({ code: 0 });
  const log = readFileSync(join(home.state, 'logs/supervisor.log'), 'utf8');
  for (const record of ['Restarting service: web', 'Stopping service: web']) expect(log).toContain(`INFO systemg::daemon: ${record}\n`);
});

test.runIf(existsSync('/dev/full'))('what a full disk does not take of the output is said and is a failure; what it does not take of the complaints changes nothing', () => {
  const home = makeHome('version: "1"\nservices:\n  web: {command: "sleep 1000"}\n');
  const full = openSync('/dev/full', 'w');
  const run = (stdout: number | 'pipe', stderr: number | 'pipe') => spawnSync(bin, ['export', 'systemd', '-c', home.config], { cwd: home.dir, env: home.env, encoding: 'utf8', stdio: ['ignore', stdout, stderr] });
  expect(run(full, 'pipe')).toMatchObject({ status: 1, stderr: 'sysg: stdout cannot be written: ENOSPC: no space left on device, write\n' });
  expect(run('pipe', full)).toMatchObject({ status: 0, stdout: expect.stringContaining('ExecStart=') });
  closeSync(full);
});

describe.runIf(canMount)('/proc', () => {
  const config = 'version: "1"\nservices:\n  web: {command: "exec sleep 1000", restart_policy: always, backoff: 100ms}\n  dyn: {command: "exec sleep 1001", spawn: {mode: dynamic}}\n';
  /** Commands of a shell in a namespace of processes of its own, which ends with them. `$SYSG` is the program. */
  const inside = (home: Home, script: string): Promise<Ended> => collect(spawn(
    'unshare', ['--mount', '--pid', '--fork', '--kill-child', 'sh', '-ec', script], { cwd: home.dir, env: { ...home.env, SYSG: bin }, stdio: ['ignore', 'pipe', 'pipe'] },
  ));

  test('may show processes alone, as under a unit of systemd with ProcSubset=pid', async () => {
    const home = makeHome(config);
    const ran = await inside(home, `mount -t proc -o subset=pid proc /proc
"$SYSG" start --daemonize
"$SYSG" start --parent-pid "$("$SYSG" status dyn --json | sed -n 's/.*"pid": \\([0-9]*\\).*/\\1/p')" --name kid -- sleep 1002 >/dev/null
pid=$("$SYSG" status web --json | sed -n 's/.*"pid": \\([0-9]*\\).*/\\1/p')
kill -9 "$(cat .local/share/systemg/sysg.pid)"
"$SYSG" wait web --for running --timeout 20s
"$SYSG" restart --supervisor
"$SYSG" status web --json | grep -q ": $pid,"
"$SYSG" doctor
"$SYSG" stop`);
    expect(ran, ran.stderr).toMatchObject({ code: 0, stdout: expect.stringContaining('Supervisor shutting down') });
  });

  test('that is covered while a supervisor runs costs the starts of that time, and leaves no process that nobody knows', async () => {
    const home = makeHome(config);
    const ran = await inside(home, `mount -t proc proc /proc
"$SYSG" start --daemonize
mount -t tmpfs sysg-test /proc
if "$SYSG" restart -s web; then exit 9; fi
umount /proc
"$SYSG" wait web --for running --timeout 20s
pgrep -fx 'sleep 1000'
"$SYSG" doctor
"$SYSG" stop`);
    expect(ran, ran.stdout + ran.stderr).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\d+\nok (?:.*\n)+Supervisor shutting down\n$/) });
    expect(ran.stderr).toMatch(/Failed to start service 'web': "exec sleep 1000" cannot be started: process \d+ was started, is not listed in \/proc, and was ended again/);
  });

  test('has to be there: without it nothing is started, and the refusal says what to do', async () => {
    const home = makeHome(config);
    const ran = await inside(home, 'mount -t tmpfs sysg-test /proc\n"$SYSG" validate\n"$SYSG" start && exit 9\n"$SYSG" start --daemonize');
    expect(ran).toMatchObject({ code: 1, stdout: expect.stringContaining('valid, 2 services') });
    expect(ran.stderr.match(/^sysg: .*$/gm)?.filter((line) => !line.includes('warning'))).toEqual(Array(2).fill(
      'sysg: /proc shows no processes, and sysg starts and ends none that it cannot see there: mount it, as by "mount -t proc proc /proc"',
    ));
  });
});
