import { spawn, spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { version } from '../../package.json';
import freshDist from '../../.build/fresh-dist.mjs';
import { tempDir } from '../temp-dir.ts';
import { until } from './rig.ts';

const root = resolve(import.meta.dirname, '../..');
let installed = '';

beforeAll(() => {
  installed = tempDir();
  freshDist();
  cpSync(join(root, 'dist'), installed, { recursive: true });
  // In the place of the daemon: says what it was given, and shows the signals it gets.
  writeFileSync(join(installed, 'daemon.js'), `
    const { writeFileSync, readFileSync } = require('node:fs');
    const argv = process.argv.slice(2);
    const directory = process.env.HOME + '/.local/share/systemg';
    const { env, pid, ppid, execArgv } = process;
    process.on('SIGTERM', () => process.exit(41)).on('SIGINT', () => process.exit(42));
    if (env.SYSG_LIFELINE_FD) new (require('node:net').Socket)({ fd: Number(env.SYSG_LIFELINE_FD) }).resume().on('close', () => {
      writeFileSync(directory + '/orphaned', '');
      process.exit(43);
    });
    if (env.SYSG_READY_FD) {
      const say = (event) => require('node:fs').writeSync(Number(env.SYSG_READY_FD), JSON.stringify(event) + '\\n');
      if (argv.includes('refuse')) {
        writeFileSync(directory + '/guardian', String(ppid));
        process.kill(Number(env.SYSG_GUARDIAN.split('.').at(-1)), 'SIGURG');
        say({ event: 'refused', message: 'no, because' });
        process.exit(1);
      }
      say({ event: 'listening', pid });
      say({ event: 'settled', units: [{ name: 'a', phase: 'running', pid: 1 }, ...(argv.includes('b') ? [{ name: 'b', phase: 'backoff', error: 'exit 3' }] : []), ...(argv.includes('c') ? [{ name: 'c', phase: 'starting' }] : [])] });
    }
    require('node:fs').mkdirSync(directory, { recursive: true });
    writeFileSync(directory + '/daemon.tmp', JSON.stringify({ argv, env, pid, ppid, execArgv }));
    require('node:fs').renameSync(directory + '/daemon.tmp', directory + '/daemon.json');
    setInterval(() => {}, 1000);
  `);
}, 60_000);

interface Facts {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly pid: number;
  readonly ppid: number;
  readonly execArgv: readonly string[];
}

interface Place {
  readonly home: string;
  readonly stateDir: string;
  readonly config: string;
  readonly env: NodeJS.ProcessEnv;
  daemon(): Promise<Facts>;
}

function place(): Place {
  const home = tempDir();
  const stateDir = join(home, '.local/share/systemg');
  mkdirSync(stateDir, { recursive: true });
  const config = join(home, 'it.yaml');
  writeFileSync(config, 'version: "1"\nservices: {}\n');
  const path = join(stateDir, 'daemon.json');
  const daemon = async (): Promise<Facts> => {
    await until(() => existsSync(path));
    const facts: Facts = JSON.parse(readFileSync(path, 'utf8'));
    return facts;
  };
  return { home, stateDir, config, env: { HOME: home, PATH: process.env['PATH'] }, daemon };
}

function call(command: string, args: readonly string[], env: NodeJS.ProcessEnv): SpawnSyncReturns<string> {
  return spawnSync(command, args, { encoding: 'utf8', env, timeout: 20_000 });
}

function launch(command: string, args: readonly string[], at: Place): { readonly pid: number; readonly ended: Promise<number | NodeJS.Signals | null> } {
  const child = spawn(command, args, { env: at.env, stdio: 'ignore', cwd: at.home });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  if (child.pid === undefined) throw new Error(`${command} did not start`);
  return { pid: child.pid, ended: new Promise((settle) => child.once('exit', (code, signal) => settle(code ?? signal))) };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return process.platform !== 'linux' || !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    // ESRCH or ENOENT: gone and reaped.
    return false;
  }
}

describe('one file that is a shell script and a JavaScript program', () => {
  test('runs by itself, through sh and through node', () => {
    const { env } = place();
    const file = join(installed, 'sysg');
    for (const [command, ...args] of [[file], ['sh', file], [process.execPath, file]] as const) {
      expect(call(command ?? '', [...args, '--version'], env)).toMatchObject({ stdout: `sysg ${version}\n`, stderr: '', status: 0 });
    }
  });

  test('runs through a chain of symbolic links, and from a path with blanks and quotes', () => {
    const { env, home } = place();
    const odd = join(home, 'a "b" \'c\' $d');
    mkdirSync(odd);
    for (const file of ['sysg', 'sysg-main.js', 'package.json']) copyFileSync(join(installed, file), join(odd, file));
    symlinkSync(join(odd, 'sysg'), join(home, 'one'));
    symlinkSync('one', join(home, 'sysg'));
    expect(call(join(home, 'sysg'), ['--version'], env).stdout).toBe(`sysg ${version}\n`);
    expect(call('sysg', ['--version'], { ...env, PATH: `${home}:${env['PATH']}` }).stdout).toBe(`sysg ${version}\n`);
  });

  test('hands arguments on as they are', () => {
    const { env } = place();
    const { stderr, status } = call(join(installed, 'sysg'), ['plan', 'a  b*$HOME'], env);
    expect(stderr).toContain("unexpected argument 'a  b*$HOME'");
    expect(status).toBe(2);
  });

  test('helps without an installation around it', () => {
    const { env } = place();
    expect(call(join(installed, 'sysg'), ['--help'], env)).toMatchObject({ status: 0, stderr: '', stdout: expect.stringContaining('sysg <command>') });
  });

  test.runIf(existsSync('/dev/full'))('what cannot be written is said, exit code 1; a reader that has left is none of its business', () => {
    const { env } = place();
    const { status, stderr } = call('sh', ['-c', `'${join(installed, 'sysg')}' help >/dev/full`], env);
    expect([status, stderr]).toEqual([1, 'sysg: stdout cannot be written: ENOSPC: no space left on device, write\n']);
    const piped = call('sh', ['-c', `'${join(installed, 'sysg')}' help | head -n 1`], env);
    expect([piped.stdout, piped.stderr]).toEqual(['sysg <command> [options]\n', '']);
  });

  test('says so when there is no node', () => {
    const empty = tempDir();
    const { stderr, status } = call('/bin/sh', [join(installed, 'sysg'), 'status'], { PATH: empty });
    expect(stderr).toMatch(/^sysg: node was not found on PATH: sysg needs Node\.js 20\.19 or newer/);
    expect(status).toBe(127);
  });
});

describe('start in the foreground', () => {
  test.each([['polyglot', true], ['plain node', false]])('by %s: with the arguments, the limits and the environment it is to have', async (_, direct) => {
    const at = place();
    const env = { ...at.env, NODE_EXTRA_CA_CERTS: '/none', SYSG_GUARDIAN: '/outer', KEPT: 'it' };
    const args = ['start', '-c', 'it.yaml', '--log-level', 'WARNING', '-s', "o'neil", '--stderr', '--wait-timeout', '1m'];
    const file = join(installed, 'sysg');
    const { pid, ended } = direct ? launch(file, args, { ...at, env }) : launch(process.execPath, [file, ...args], { ...at, env });
    const facts = await at.daemon();
    expect(facts.argv).toEqual([
      '--config', at.config, '--mode', 'user', '--service', "o'neil", '--foreground', '--stderr', '--log-level', 'warn',
    ]);
    // One where Node has it, and none of V8's: with those Node would compile its own modules anew.
    expect(facts.execArgv.filter((flag) => flag !== '--disable-sigusr1')).toEqual([]);
    expect(facts.env).toMatchObject({ SYSG_ASIDE_NODE_EXTRA_CA_CERTS: '/none', KEPT: 'it' });
    expect(Object.keys(facts.env)).not.toContain('NODE_EXTRA_CA_CERTS');
    expect(Object.keys(facts.env)).not.toContain('SYSG_EXEC_FD');
    expect(Object.keys(facts.env)).not.toContain('SYSG_GUARDIAN');
    if (direct) {
      expect(facts.pid).toBe(pid);
      expect(facts.env['SYSG_NOFILE']).toMatch(/^([0-9]+|unlimited)$/);
    } else {
      expect(facts.ppid).toBe(pid);
    }
    process.kill(pid, 'SIGTERM');
    expect(await ended).toBe(41);
  });

  test('by plain node: INT is handed on, and the exit code passed on', async () => {
    const at = place();
    const { pid, ended } = launch(process.execPath, [join(installed, 'sysg'), 'start', '-c', at.config], at);
    await at.daemon();
    process.kill(pid, 'SIGINT');
    expect(await ended).toBe(42);
  });

  test('by plain node: the supervisor learns of the death of the command', async () => {
    const at = place();
    const { pid } = launch(process.execPath, [join(installed, 'sysg'), 'start', '-c', at.config], at);
    await at.daemon();
    process.kill(pid, 'SIGKILL');
    await until(() => existsSync(join(at.stateDir, 'orphaned')));
  });

  test.each([['>&-'], ['<&- >&- 2>&-']])('goes on with standard descriptors that the caller has closed: %s', async (closed) => {
    const at = place();
    const { pid, ended } = launch('/bin/sh', ['-c', `exec "$0" start -c "$1" ${closed}`, join(installed, 'sysg'), at.config], at);
    expect((await at.daemon()).pid).toBe(pid);
    process.kill(pid, 'SIGTERM');
    expect(await ended).toBe(41);
  });

  test('a command whose shell has ended meanwhile ends without a word', () => {
    const { config, env } = place();
    // A reader that is gone before anything is written.
    const program = '"$0" -- "$1" start -c "$2" 3>&1 1>&4 | :';
    const { stdout, stderr } = call('/bin/sh', ['-c', `exec 4>&1; ${program}`, process.execPath, join(installed, 'sysg'), config], { ...env, SYSG_EXEC_FD: '3' });
    expect([stdout, stderr.replace(/^sysg: warning: Running as root.*\n/, '')]).toEqual(['', '']);
  });

  test('a usage error says the same as ever', () => {
    const { env } = place();
    expect(call(join(installed, 'sysg'), ['start', '--nope'], env)).toMatchObject({ status: 2, stderr: expect.stringContaining("unknown option '--nope'") });
  });
});

describe('start --daemonize', () => {
  async function background(at: Place, ...more: readonly string[]): Promise<SpawnSyncReturns<string> & { readonly facts: Facts }> {
    const started = call(join(installed, 'sysg'), ['start', '--daemonize', '-c', at.config, ...more, '--log-level', 'error'], at.env);
    const facts = await at.daemon();
    // The guardian first: it would start another one.
    onTestFinished(() => [facts.ppid, facts.pid].forEach((pid) => void process.kill(pid, 'SIGKILL')));
    return { ...started, facts };
  }

  test('returns when the units are settled, and leaves a guardian with the supervisor', async () => {
    const at = place();
    const { status, stdout, stderr, facts } = await background(at);
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
    expect(facts.argv).not.toContain('--foreground');
    expect(facts.env['SYSG_GUARDIAN']).toBe(join(at.stateDir, `guardian.${facts.ppid}`));
    expect(facts.env['SYSG_NOFILE']).toMatch(/^([0-9]+|unlimited)$/);
  });

  test('names the units that did not come up, exit code 1', async () => {
    const at = place();
    const { status, stdout, stderr, facts } = await background(at, '-s', 'b', '--json');
    expect(status).toBe(1);
    expect(stderr).toBe(`sysg: 1 of 2 services did not start; the supervisor runs (pid ${facts.pid})\n  b: exit 3; see sysg why b\n`);
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, units: [{ name: 'a', phase: 'running', pid: 1 }, { name: 'b', phase: 'backoff', error: 'exit 3' }] });
  });

  test('names what came up and ended before the others were through, which is no matter of the wait timeout', async () => {
    const at = place();
    const { status, stderr, facts } = await background(at, '-s', 'c');
    expect([status, stderr]).toEqual([1, `sysg: 1 of 2 services did not start; the supervisor runs (pid ${facts.pid})\n  c: came up, and is starting again; see sysg why c\n`]);
  });

  test('says why a supervisor refused, exit code 1, and leaves nothing running', async () => {
    const at = place();
    const { status, stderr } = call(join(installed, 'sysg'), ['start', '--daemonize', '-c', at.config, '-s', 'refuse', '--log-level', 'error'], at.env);
    expect({ status, stderr }).toEqual({ status: 1, stderr: 'sysg: no, because\n' });
    const guardian = Number(readFileSync(join(at.stateDir, 'guardian'), 'utf8'));
    await until(() => !isAlive(guardian));
  });
});
