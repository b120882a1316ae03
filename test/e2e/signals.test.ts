import { spawn } from 'node:child_process';
import { existsSync, readFileSync, renameSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { bin, collect, isAlive, makeHome, soon, type Home } from './rig.ts';

const sleeping = 'version: "1"\nservices:\n  web: {command: "sleep 1000"}\n';
/** Does not end by itself for as long as `stop_timeout` lets it. */
const stubborn = `version: "1"
services:
  db: {exec: [node, -e, 'process.on("SIGTERM", () => {}); setInterval(() => {}, 1000); console.log("up")'], stop_timeout: 1h}
  web: {exec: [node, -e, 'process.on("SIGTERM", () => console.log("asked")); setInterval(() => {}, 1000); console.log("up")'], stop_timeout: 1h, depends_on: [db]}
`;

function supervisorLog(home: Home): string {
  const path = join(home.state, 'logs/supervisor.log');
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

/** A supervisor in the foreground of a terminal of its own: script(1) is the terminal, and its shell does `work` with the command. */
function inTerminal(home: Home, work: string): ReturnType<typeof spawn> {
  return spawn('script', ['-qec', work, '/dev/null'], { cwd: home.dir, env: { ...home.env, BIN: bin }, stdio: ['pipe', 'ignore', 'ignore'] });
}

describe('a supervisor in the background', () => {
  test('opens no debugger on USR1, and its log files anew; signals without a meaning are noted and change nothing', async () => {
    const home = makeHome(sleeping);
    await home.sysg('start', '--daemonize');
    const pid = home.supervisorPid();
    const log = join(home.state, 'logs/supervisor.log');
    renameSync(log, `${log}.moved`);
    process.kill(pid, 'SIGUSR1');
    await soon('the log was opened anew', () => supervisorLog(home).includes('SIGUSR1: log files are opened anew'));
    for (const signal of ['SIGUSR2', 'SIGALRM', 'SIGVTALRM', 'SIGPROF', 'SIGIO', 'SIGXCPU'] as const) {
      process.kill(pid, signal);
      await soon(`${signal} is noted`, () => supervisorLog(home).includes(`${signal} means nothing to the supervisor and is ignored`));
    }
    expect(readFileSync(`${log}.moved`, 'utf8')).not.toContain('Debugger');
    await expect(new Promise((open, refused) => void connect(9229, '127.0.0.1').on('connect', open).on('error', refused))).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    expect([home.supervisorPid(), isAlive(pid)]).toEqual([pid, true]);
  });
});

describe('a supervisor in the foreground', () => {
  test('that is asked to end while it takes up what a dead one left running ends that first', async () => {
    const home = makeHome(sleeping);
    await home.sysg('start', '--daemonize');
    const service = (await home.unit('web')).process?.pid ?? 0;
    const dead = [home.guardianPid(), home.supervisorPid()];
    for (const pid of dead) process.kill(pid, 'SIGKILL');
    await soon('both are dead', () => dead.every((pid) => !isAlive(pid)));
    const supervisor = home.open('start');
    const ended = collect(supervisor);
    const deadline = performance.now() + 30_000;
    // Without a pause: it handles signals some milliseconds later.
    while (readFileSync(join(home.state, 'sysg.pid'), 'utf8') !== String(supervisor.pid)) expect(performance.now()).toBeLessThan(deadline);
    supervisor.kill('SIGTERM');
    expect((await ended).code).toBe(0);
    expect(isAlive(service)).toBe(false);
  });

  test('a second INT kills at once what has not ended, in order, and says so', async () => {
    const home = makeHome(stubborn);
    const supervisor = home.open('start');
    const ended = collect(supervisor);
    await home.until('web', ({ phase }) => phase === 'running', 'runs');
    await soon('both have their handlers', () => home.log('db').includes('up') && home.log('web').includes('up'));
    supervisor.kill('SIGINT');
    await soon('web was asked to end', () => home.log('web').includes('asked'));
    await soon('it has ended', () => {
      supervisor.kill('SIGINT');
      return home.processes().length === 0;
    });
    const { code, stdout, stderr } = await ended;
    expect(code).toBe(0);
    expect(stdout).toContain('SIGINT again: SIGKILL for everything that has not ended');
    expect(stderr).toContain('SIGINT again: SIGKILL for everything that has not ended');
  });

  test('ends in order when its terminal is closed; a HUP that a person sends is a reload', async () => {
    const home = makeHome(sleeping);
    const terminal = inTerminal(home, 'exec "$BIN" start --log-level error');
    await home.until('web', ({ phase }) => phase === 'running', 'runs');
    home.configure(`${sleeping}  more: {command: "sleep 1000"}\n`);
    process.kill(home.supervisorPid(), 'SIGHUP');
    await home.until('more', ({ phase }) => phase === 'running', 'was brought by the reload');
    terminal.kill('SIGKILL');
    await soon('everything has ended', () => home.processes().length === 0);
    expect(existsSync(join(home.state, 'sysg.pid'))).toBe(false);
  });

  test('under nohup it goes on without the terminal, and HUP stays a reload', async () => {
    const home = makeHome(sleeping);
    const terminal = inTerminal(home, 'exec nohup "$BIN" start >/dev/null 2>&1');
    await home.until('web', ({ phase }) => phase === 'running', 'runs');
    const pid = home.supervisorPid();
    terminal.kill('SIGKILL');
    await soon('the terminal is gone', () => readFileSync(`/proc/${pid}/stat`, 'latin1').replace(/^.*\) /, '').split(' ')[4] === '0');
    home.configure(`${sleeping}  more: {command: "sleep 1000"}\n`);
    await soon('the reload was done', async () => {
      process.kill(pid, 'SIGHUP');
      return (await home.status()).units.some(({ name }) => name === 'more');
    });
    expect(home.supervisorPid()).toBe(pid);
  });
});

describe('a service', () => {
  test('that a signal has halted is shown so, and goes on when it is told to', async () => {
    const home = makeHome(sleeping);
    await home.sysg('start', '--daemonize');
    const pid = (await home.unit('web')).process?.pid ?? 0;
    process.kill(pid, 'SIGSTOP');
    await soon('it is halted', async () => (await home.unit('web')).process?.halted === true);
    const shown = await home.sysg('status');
    expect([shown.code, shown.stdout]).toEqual([1, expect.stringMatching(/^web +halted +\d+ .* degraded /m) as unknown]);
    expect(shown.stdout).toContain('Overall health: degraded (1 halted)');
    const told = (await home.sysg('why', 'web')).stdout;
    expect(told).toContain('A signal (SIGSTOP or SIGTSTP) has halted it: it does nothing until it is told to go on: sysg signal web CONT');
    expect((await home.sysg('signal', 'web', 'CONT')).code).toBe(0);
    await soon('it goes on', async () => (await home.unit('web')).process?.halted === undefined);
    expect((await home.sysg('status')).code).toBe(0);
  });
});
