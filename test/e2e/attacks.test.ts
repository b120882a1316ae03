import { spawn, spawnSync } from 'node:child_process';
import { appendFileSync, chmodSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { encodeRequest, type Request } from '../../src/wire/requests.ts';
import { loadNative } from '../../src/native/load.ts';
import { isAlive, makeHome, soon, type Home } from './rig.ts';

const isRoot = process.getuid?.() === 0;

/** All but the state directory itself is open to everybody: that alone has to hold. */
function openTo(home: Home): void {
  mkdirSync(home.state, { recursive: true });
  for (let path = home.state; path.startsWith(home.dir); path = dirname(path)) chmodSync(path, 0o755);
}

/** What a program of nobody's can reach: one word for each attack that came through. */
const reach = (home: Home, supervisor: number): string => [
  `ls ${home.state} && echo LISTED`, `ls ${home.state}/logs && echo LISTED`, `cat ${home.state}/logs/mine_stdout.log && echo READ-LOG`, `cat ${home.state}/ledger.ndjson && echo READ-LEDGER`,
  `cat ${home.state}/config.last.json && echo READ-CONFIG`, `timeout 1 sh -c 'echo x >${home.state}/fifo/mine.stdout' && echo WROTE-FIFO`, `touch ${home.state}/x && echo CREATED`,
  `kill -0 ${supervisor} && echo SIGNALLED`, `cat /proc/${supervisor}/environ && echo READ-ENVIRON`, `ls /proc/${supervisor}/fd && echo LISTED-FD`, `true >/proc/${supervisor}/mem && echo WROTE-MEM`,
  `true >/proc/self/fd/3 && echo HAS-A-DESCRIPTOR`, `[ "$(awk '/^CapEff/{print $2}' /proc/self/status)" = 0000000000000000 ] || echo HAS-CAPABILITIES`,
].join('; ');

const asNobody = (home: Home, command: string, ...args: readonly string[]) =>
  spawnSync('setpriv', ['--reuid=65534', '--regid=65534', '--clear-groups', command, ...args], { cwd: '/', encoding: 'utf8', env: { PATH: home.env['PATH'], HOME: home.dir } });

test.runIf(isRoot)('another uid, and a service that runs as one, reach nothing behind directories that are open to everybody', async () => {
  const home = makeHome();
  openTo(home);
  home.configure(`version: "1"\nservices:\n  mine: {command: "$PROGRAMS/forever"}\n`);
  expect(await home.sysg('start', '--daemonize', '-c', home.config)).toMatchObject({ code: 0 });
  const script = `${reach(home, home.supervisorPid())}; echo done; exec sleep 100000`;
  home.configure(`version: "1"\nservices:\n  mine: {command: "$PROGRAMS/forever"}\n  theirs: {command: ${JSON.stringify(script)}, user: nobody, working_dir: /}\n`);
  expect(await home.sysg('reload')).toMatchObject({ code: 0 });
  await soon('it has tried all', () => home.log('theirs').includes('done'));
  expect(home.log('theirs')).toBe('done\n');
  expect(asNobody(home, 'sh', '-c', `${reach(home, home.supervisorPid())}; echo done`).stdout).toBe('done\n');
  const connected = asNobody(home, process.execPath, '-e', `require('node:net').connect(${JSON.stringify(join(home.state, 'control.sock'))}).on('error',({code})=>console.log(code)).on('connect',()=>console.log('connected')&process.exit())`);
  expect(connected.stdout).toBe('EACCES\n');
});

test.runIf(isRoot && await loadNative() !== null)('another uid that finds directory and socket open is refused by the supervisor, whatever is asked', async () => {
  const home = makeHome('version: "1"\nservices:\n  talks: {command: "echo ready; exec sleep 100000"}\n');
  await home.sysg('start', '--daemonize', '-c', home.config);
  // The library is loaded before output is read.
  await soon('its output is read', () => home.log('talks').includes('ready'));
  const { process: of } = await home.unit('talks');
  const requests: Readonly<Record<Request['kind'], Request>> = {
    start: { kind: 'start', service: 'talks' }, stop: { kind: 'stop', service: 'talks' }, restart: { kind: 'restart', config: null, service: null }, shutdown: { kind: 'shutdown' },
    status: { kind: 'status' }, inspect: { kind: 'inspect', unit: 'talks', samples: 1 }, logs: { kind: 'logs', service: 'talks', lines: 5, logKind: 'stdout', follow: false },
    spawn: { kind: 'spawn', parentPid: of?.pid ?? 0, name: 'x', command: ['true'], ttl: null, logLevel: null }, history: { kind: 'history', unit: null, limit: 5, since: null },
    watch: { kind: 'watch', since: null, units: null }, reload: { kind: 'reload', config: null }, plan: { kind: 'plan', config: null }, signal: { kind: 'signal', unit: 'talks', signal: 'SIGKILL' },
    reveal: { kind: 'reveal' }, add: { kind: 'add', name: 'x', command: ['true'], directory: '/' }, handover: { kind: 'handover' },
  };
  const lines = Object.values(requests).map(encodeRequest);
  openTo(home);
  const socket = join(home.state, 'control.sock');
  const answers = await soon('all are answered', () => {
    // The supervisor closes its directory every five seconds.
    chmodSync(home.state, 0o755);
    chmodSync(socket, 0o666);
    const text = asNobody(home, process.execPath, '-e', `
      for (const line of ${JSON.stringify(lines)}) require('node:net').connect(${JSON.stringify(socket)}).on('error', ({ code }) => console.log(code)).on('data', (answer) => process.stdout.write(answer)).end(line + '\\n')`).stdout;
    return text.includes('EACCES') ? null : text.trimEnd().split('\n');
  });
  expect(answers).toHaveLength(lines.length);
  expect(answers.filter((answer) => !answer.includes('uid 65534 may not ask'))).toEqual([]);
  expect(await home.unit('talks')).toMatchObject({ phase: 'running', generation: 1 });
  expect(readFileSync(join(home.state, 'logs/supervisor.log'), 'utf8').match(/uid 65534 was refused/g)).toHaveLength(1);
});

test('a pid that is another program\'s now, in every file that names one, is neither signalled nor taken over', async () => {
  const home = makeHome('version: "1"\nservices:\n  web: {command: "sleep 100000"}\n');
  await home.sysg('start', '--daemonize', '-c', home.config);
  const { process: of } = await home.unit('web');
  const [guardian, supervisor] = [home.guardianPid(), home.supervisorPid()];
  for (const pid of [guardian, supervisor, of?.pid ?? 0]) process.kill(pid, 'SIGKILL');
  await soon('all are dead', () => [guardian, supervisor, of?.pid ?? 0].every((pid) => !isAlive(pid)));
  // As if the kernel had given the numbers to a program that looks the same.
  const stranger = spawn('sleep', ['100000'], { detached: true, stdio: 'ignore' });
  onTestFinished(() => void stranger.kill('SIGKILL'));
  const { pid = 0 } = stranger;
  for (const name of ['ledger.ndjson', 'pid.xml', 'state.xml', 'sysg.pid']) {
    const path = join(home.state, name);
    const lines = readFileSync(path, 'utf8').replaceAll(new RegExp(`(?<![0-9])(${of?.pid}|${supervisor})(?![0-9])`, 'g'), String(pid)).replaceAll(/,"crc":"[0-9a-f]+"/g, '');
    const { mtimeMs } = statSync(path);
    writeFileSync(path, lines);
    // Files that were written after the other program began would be somebody's who may order the supervisor anyway.
    utimesSync(path, mtimeMs / 1000 - 5, mtimeMs / 1000 - 5);
  }
  for (const args of [['stop'], ['start', '--daemonize', '-c', home.config], ['restart', '-s', 'web'], ['stop']]) {
    await home.sysg(...args);
    expect(isAlive(pid)).toBe(true);
  }
});

test('links in the place of the state directory, a log and the socket lead nobody astray', async () => {
  const home = makeHome('version: "1"\nservices:\n  web: {command: "while :; do echo line; sleep 0.05; done"}\n');
  // The owner may keep the state elsewhere.
  const elsewhere = join(home.dir, 'elsewhere');
  mkdirSync(elsewhere, { mode: 0o755 });
  mkdirSync(dirname(home.state), { recursive: true });
  symlinkSync(elsewhere, home.state);
  expect(await home.sysg('start', '--daemonize', '-c', home.config)).toMatchObject({ code: 0 });
  expect(spawnSync('stat', ['-c', '%a', elsewhere], { encoding: 'utf8' }).stdout).toBe('700\n');
  const victim = join(home.dir, 'victim');
  writeFileSync(victim, 'precious');
  // A log that has become a link to a file of the user's is not written through.
  const log = join(home.state, 'logs/web_stdout.log');
  await soon('it writes', () => existsSync(log));
  await home.sysg('stop', '-s', 'web');
  renameSync(log, `${log}.1`);
  symlinkSync(victim, log);
  await home.sysg('start', '-s', 'web');
  await soon('it runs', async () => (await home.unit('web')).phase === 'running');
  // A program that takes the place of the socket gets no order for longer than a look at the files takes.
  const orders: string[] = [];
  const socket = join(home.state, 'control.sock');
  const thief = createServer((client) => client.on('error', () => undefined).on('data', (bytes) => {
    orders.push(String(bytes));
    client.destroy();
  }));
  rmSync(socket);
  const stolen = join(home.dir, 'stolen.sock');
  await new Promise<void>((listening) => void thief.listen(stolen, listening));
  onTestFinished(() => void thief.close());
  symlinkSync(stolen, socket);
  await soon('it is bound again', async () => { const { Status } = JSON.parse(await home.exchange('"Status"').catch(() => '{}') || '{}'); return Status !== undefined; }, 15_000);
  const heard = orders.length;
  expect(await home.sysg('stop')).toMatchObject({ code: 0 });
  expect(orders.length).toBe(heard);
  expect(readFileSync(victim, 'utf8')).toBe('precious');
});

test('a log, a name and a command full of escapes reach no terminal as they are', async () => {
  const escape = '\u001b]0;owned\u0007\u001b[2J\u001b[?1049h\u001bP+q544e\u001b\\\u009b31m\u0008\u0008';
  const home = makeHome(`version: "1"\nservices:\n  web: {command: "cat $HOME/escapes; echo \\u001b[2Jlast >&2; exit 3"}\n`);
  writeFileSync(join(home.dir, 'escapes'), `${escape}text\n`.repeat(3));
  await home.sysg('start', '--daemonize', '-c', home.config);
  await home.until('web', ({ phase }) => phase === 'failed' || phase === 'stopped', 'has ended');
  await soon('it is logged', () => home.log('web').includes('text'));
  appendFileSync(join(home.state, 'logs/supervisor.log'), `2026-01-01T00:00:00.000000Z  INFO x: ${escape}\n`);
  const shown = await Promise.all([
    ['logs', '--no-follow', '-s', 'web'], ['logs', '--no-follow'], ['logs', '--no-follow', '--supervisor'], ['status'], ['inspect', 'web'], ['why', 'web'], ['events'], ['doctor'],
  ].map((args) => home.sysg(...args)));
  for (const { stdout, stderr } of shown) expect(stdout + stderr).not.toMatch(/[\u0000-\u0008\u000b\u000c\u000e-\u001a\u001b\u007f-\u009f]/);
  expect(shown[0]?.stdout).toContain('text');
  expect((await home.sysg('logs', '--no-follow', '-s', 'web', '--raw')).stdout).toContain('\u001b]0;owned');
});
