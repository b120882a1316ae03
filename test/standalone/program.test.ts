import { spawn } from 'node:child_process';
import { existsSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { collect, isAlive, makeHome, soon, type Ended, type Home } from '../e2e/rig.ts';

const file = resolve(import.meta.dirname, '../../standalone/sysg');
const nodes = resolve(import.meta.dirname, '../../dist/sysg');
const config = 'version: "1"\nservices:\n  web: {command: "exec sleep 1000"}\n  batch: {command: "exec sleep 1001"}\n';

const bare = (home: Home): NodeJS.ProcessEnv => ({ HOME: home.dir, SYSG_TEST_HOME: home.dir, PATH: '/usr/bin:/bin' });

/** Called with a home and the tools of the system alone. */
function program(home: Home, ...words: readonly string[]): Promise<Ended> {
  return collect(spawn(file, words, { cwd: home.dir, env: bare(home), stdio: ['ignore', 'pipe', 'pipe'] }));
}

function nodesProgram(home: Home, ...words: readonly string[]): Promise<Ended> {
  return collect(spawn(nodes, words, { cwd: home.dir, env: home.env, stdio: ['ignore', 'pipe', 'pipe'] }));
}

test('is its own supervisor, under a guardian that starts it again', async () => {
  const home = makeHome(config);
  expect(await program(home, 'start', '--daemonize')).toMatchObject({ code: 0 });
  const [supervisor, guardian, pid] = [home.supervisorPid(), home.guardianPid(), (await home.unit('web')).process?.pid];
  expect(readlinkSync(`/proc/${supervisor}/exe`)).toBe(file);
  process.kill(supervisor, 'SIGKILL');
  await soon('another one serves', async () => home.supervisorPid() !== supervisor && (await home.status().catch(() => null)) !== null);
  expect(home.guardianPid()).toBe(guardian);
  expect((await home.unit('web')).process?.pid).toBe(pid);
  expect(await program(home, 'stop')).toMatchObject({ code: 0 });
  await home.allGone();
});

test('hears of the ends of what it starts, and its guardian too, where the caller ignores or blocks signals', async () => {
  const home = makeHome(config);
  const deaf = ['--ignore-signal=CHLD', '--block-signal=CHLD', '--block-signal=TERM', file];
  const asDeaf = (...words: readonly string[]): Promise<Ended> => collect(spawn('env', [...deaf, ...words], { cwd: home.dir, env: bare(home), stdio: ['ignore', 'pipe', 'pipe'] }));
  expect(await asDeaf('start', '--daemonize')).toMatchObject({ code: 0 });
  const supervisor = home.supervisorPid();
  process.kill(supervisor, 'SIGKILL');
  await soon('another one serves', async () => home.supervisorPid() !== supervisor && (await home.status().catch(() => null)) !== null);
  expect(await asDeaf('stop')).toMatchObject({ code: 0 });
  await home.allGone();
});

test('becomes the supervisor in the foreground, and ends with Ctrl-C', async () => {
  const home = makeHome('version: "1"\nservices:\n  web: {command: "echo here; exec sleep 1000"}\n');
  const foreground = spawn(file, ['start'], { cwd: home.dir, env: bare(home), stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = collect(foreground);
  await soon('it runs', () => home.log('web') === 'here\n');
  expect(home.supervisorPid()).toBe(foreground.pid);
  foreground.kill('SIGINT');
  expect(await ended).toMatchObject({ code: 0, stdout: expect.stringContaining('web | here') });
  await home.allGone();
});

test.runIf(process.getuid?.() === 0)('as process 1 is the guardian of its supervisor, and ends in order', async () => {
  const home = makeHome(config);
  const container = spawn('unshare', ['--pid', '--fork', '--mount', '--mount-proc', '--kill-child', file, 'start'], { cwd: home.dir, env: bare(home), stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = collect(container);
  const first = await soon('it serves', async () => (await home.status().catch(() => null))?.units.length === 2 && home.supervisorPid());
  expect(first).not.toBe(1);
  const inside = (...words: readonly string[]): Promise<Ended> => collect(spawn('nsenter', ['--target', String(initOf(container.pid)), '--pid', '--mount', ...words], { stdio: ['ignore', 'pipe', 'pipe'] }));
  expect(await inside('kill', '-KILL', String(first))).toMatchObject({ code: 0 });
  await soon('another one serves', async () => home.supervisorPid() !== first && (await home.status().catch(() => null)) !== null);
  process.kill(initOf(container.pid), 'SIGTERM');
  expect(await ended).toMatchObject({ code: 0 });
});

/** Process 1 of the namespace, as this one sees it. */
function initOf(unshare: number | undefined): number {
  return Number(readFileSync(`/proc/${unshare}/task/${unshare}/children`, 'latin1').trim());
}

test('without the calls of the kernel that it waits with, output arrives all the same', async () => {
  const home = makeHome('version: "1"\nservices:\n  web: {command: "for i in 1 2 3; do echo $i; sleep 0.1; done; seq 1 50000; echo end; exec sleep 1000"}\n');
  await collect(spawn(file, ['start', '--daemonize'], { cwd: home.dir, env: { ...bare(home), SYSG_NATIVE: '0' }, stdio: ['ignore', 'pipe', 'pipe'] }));
  await soon('all of it is in the log', () => home.log('web').endsWith('end\n'));
  expect(home.log('web').split('\n').length).toBe(50_005);
});

test.each([['this program', program, nodesProgram], ['the one on Node.js', nodesProgram, program]])('a supervisor of %s is controlled by the other', async (_name, its, other) => {
  const home = makeHome(config);
  expect(await its(home, 'start', '--daemonize')).toMatchObject({ code: 0 });
  const before = (await home.unit('web')).process?.pid;
  expect(await other(home, 'stop', '-s', 'batch')).toMatchObject({ code: 0 });
  expect((await home.unit('batch')).process).toBeUndefined();
  expect(await other(home, 'start', '-s', 'batch')).toMatchObject({ code: 0 });
  expect((await home.unit('batch')).process?.pid).toBeGreaterThan(1);
  expect(await other(home, 'restart', '-s', 'web')).toMatchObject({ code: 0, stdout: expect.stringContaining("Service 'web' restarted") });
  expect((await home.unit('web')).process?.pid).not.toBe(before);
  const status = await other(home, 'status', '--json');
  expect((JSON.parse(status.stdout) as { units: { name: string }[] }).units.map(({ name }) => name)).toEqual(['batch', 'web']);
  expect(await other(home, 'restart', '--supervisor')).toMatchObject({ code: 0 });
  expect(await other(home, 'stop')).toMatchObject({ code: 0 });
  await home.allGone();
});

test.each([['taken over', 'start'], ['ended', 'stop']])('what a supervisor of Node.js left is %s', async (_what, verb) => {
  const home = makeHome(config);
  expect(await nodesProgram(home, 'start', '--daemonize')).toMatchObject({ code: 0 });
  const pid = (await home.unit('web')).process?.pid ?? 0;
  const [guardian, supervisor] = [home.guardianPid(), home.supervisorPid()];
  for (const one of [guardian, supervisor]) process.kill(one, 'SIGKILL');
  await soon('the supervisor is gone', () => !isAlive(supervisor));
  expect((await program(home, 'status')).stdout).toContain('No supervisor is running');
  expect(await program(home, ...(verb === 'start' ? ['start', '--daemonize'] : ['stop']))).toMatchObject({ code: 0 });
  if (verb === 'start') expect((await home.unit('web')).process?.pid).toBe(pid);
  else expect(isAlive(pid)).toBe(false);
  expect(await program(home, 'purge', '--yes')).toMatchObject({ code: 0 });
  expect(existsSync(home.state)).toBe(false);
});

test('explains itself', async () => {
  const home = makeHome();
  expect(await program(home, '--help')).toMatchObject({ code: 0, stdout: expect.stringContaining('Commands:') });
  expect(await program(home, 'status', '--nonsense')).toMatchObject({ code: 2, stderr: expect.stringContaining("unknown option '--nonsense'") });
});

test('takes no settings of Bun from the directory in which it is called', async () => {
  const home = makeHome(config);
  writeFileSync(join(home.dir, '.env'), 'SYSG_PROJECT=other\n');
  writeFileSync(join(home.dir, 'bunfig.toml'), 'preload = ["./preload.js"]\n');
  writeFileSync(join(home.dir, 'preload.js'), 'console.log("loaded"); process.exit(9);\n');
  expect(await program(home, '--version')).toMatchObject({ code: 0, stdout: expect.stringMatching(/^sysg \d+\.\d+\.\d+\n$/) });
  const { code, stderr } = await program(home, 'status');
  expect(code).toBe(3);
  expect(stderr).not.toContain('other');
});
