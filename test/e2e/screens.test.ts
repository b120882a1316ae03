import { spawn, type ChildProcess } from 'node:child_process';
import { describe, expect, onTestFinished, test } from 'vitest';
import { bin, makeHome, soon, type Home } from './rig.ts';

interface Screen {
  /** All that was written to the terminal so far. */
  readonly output: string;
  readonly exitCode: number | null | undefined;
  type(keys: string): void;
}

/** The built command on a terminal of its own, by script(1), 100 columns wide. */
function onTerminal(home: Home, args: string, env: NodeJS.ProcessEnv = {}): Screen {
  const child: ChildProcess = spawn('script', ['-qefc', `stty cols 100 rows 30; exec '${bin}' ${args}`, '/dev/null'], {
    cwd: home.dir, stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, HOME: home.dir, TERM: 'xterm-256color', LANG: 'C.UTF-8', LC_ALL: '', SYSG_TEST_HOME: home.dir, ...env },
  });
  let output = '';
  let exitCode: number | null | undefined;
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.once('close', (code) => {
    exitCode = code;
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return {
    get output() {
      return output;
    },
    get exitCode() {
      return exitCode;
    },
    type: (keys) => void child.stdin?.write(keys),
  };
}

// eslint-disable-next-line no-control-regex
const plain = (text: string): string => text.replace(/\u001b\[[0-9;]*m/g, '');

const YAML = 'version: "1"\nservices:\n  web:\n    command: echo hello from web; echo oops >&2; exec sleep 1000\n  api:\n    command: sleep 1001\n';

async function shows(screen: Screen, what: string | RegExp, from = 0): Promise<void> {
  await soon(`the screen shows ${String(what)}`, () => (typeof what === 'string' ? screen.output.slice(from).includes(what) : what.test(plain(screen.output.slice(from)))));
}

test('Ctrl-C while units come up ends the wait, and says that the supervisor goes on', async () => {
  const home = makeHome('version: "1"\nservices:\n  slow: {command: sleep 1000, health_check: {command: "false", timeout: 1m}}\n');
  const screen = onTerminal(home, 'up');
  await shows(screen, /slow +starting/);
  screen.type('\u0003');
  await soon('it has ended', () => screen.exitCode !== undefined);
  expect(plain(screen.output)).toContain('sysg: the supervisor goes on with the start; to end it and all services: sysg stop');
  expect(screen.exitCode).toBe(130);
  expect((await home.unit('slow')).phase).toBe('starting');
});

describe('the live table', () => {
  test('shows at once what another command does, outlives the supervisor, and never asks for the mouse', async () => {
    const home = makeHome(YAML);
    expect((await home.sysg('start', '--daemonize')).code).toBe(0);
    const screen = onTerminal(home, 'status');
    await shows(screen, 'healthy');
    await home.sysg('stop', '-s', 'web');
    await shows(screen, /web[^\n]*○ stopped/);
    let from = screen.output.length;
    await home.sysg('stop');
    await shows(screen, 'The supervisor is gone; this is of', from);
    from = screen.output.length;
    await home.sysg('start', '--daemonize');
    await shows(screen, /web[^\n]*● running/, from);
    // The other one may come up a moment later, and until then the health, and with it the exit code, is another.
    await shows(screen, /Overall health: healthy/, from);
    screen.type('q');
    await soon('it has ended', () => screen.exitCode !== undefined);
    expect(screen.exitCode).toBe(0);
    // eslint-disable-next-line no-control-regex
    expect(screen.output).not.toMatch(/\u001b\[\?(9|100\d|1015|1016)h/);
  }, 60_000);

  test('stops a unit after a yes, and Ctrl-C ends it with 130', async () => {
    const home = makeHome(YAML);
    await home.sysg('start', '--daemonize');
    const screen = onTerminal(home, 'status');
    await shows(screen, 'web');
    screen.type('jp');
    await shows(screen, /── logs of web ─+[\s\S]*stdout \| hello from web/);
    let from = screen.output.length;
    screen.type('lt');
    await shows(screen, /logs of web [^\n]*following[\s\S]*\d\d:\d\d:\d\d\.\d{3} stderr \| oops/, from);
    screen.type('a');
    await shows(screen, /logs of all units[\s\S]*web stdout \| hello from web/, from);
    from = screen.output.length;
    screen.type('q');
    await shows(screen, 'Overall health', from);
    screen.type('s');
    await shows(screen, 'stop web? y / n');
    screen.type('y');
    await shows(screen, "Service 'web' stopped");
    expect((await home.unit('web')).phase).toBe('stopped');
    screen.type('\u0003');
    await soon('it has ended', () => screen.exitCode !== undefined);
    expect(screen.exitCode).toBe(130);
  }, 60_000);
});

describe('a command that changes units', () => {
  test('shows a line for each of them on a terminal, and the plain message in a pipe', async () => {
    const home = makeHome(YAML);
    const started = onTerminal(home, 'start --daemonize');
    await soon('it has ended', () => started.exitCode !== undefined);
    expect(plain(started.output)).toMatch(/● api +running +[\d.]+s[\s\S]*● web +running/);
    expect(started.output).toContain('supervisor started');
    const restarted = onTerminal(home, 'restart', { NO_COLOR: '1', LANG: 'C' });
    await soon('it has ended', () => restarted.exitCode !== undefined);
    expect(restarted.exitCode).toBe(0);
    expect(restarted.output).toMatch(/\* api +running[\s\S]*\* web +running/);
    expect(restarted.output).toContain('All services restarted');
    // eslint-disable-next-line no-control-regex
    expect(restarted.output).not.toMatch(/\u001b\[[0-9;]*m|[^\x00-\x7f]/);
    expect(await home.sysg('restart')).toMatchObject({ code: 0, stdout: 'All services restarted\n' });
    const stopped = onTerminal(home, 'stop');
    await soon('it has ended', () => stopped.exitCode !== undefined);
    expect(plain(stopped.output)).toMatch(/○ api +stopped[\s\S]*○ web +stopped[\s\S]*Supervisor shutting down/);
  }, 60_000);

  test('gives programs each unit, and the reason of those that failed', async () => {
    const home = makeHome('version: "1"\nservices:\n  bad:\n    command: sh -c "exit 3"\n    health_check: {log: ^never$}\n  good:\n    command: sleep 1000\n');
    await home.sysg('start', '--daemonize');
    const one = await home.sysg('restart', '-s', 'bad', '--json');
    expect(one.code).toBe(1);
    expect(JSON.parse(one.stdout)).toMatchObject({ ok: false, units: [{ name: 'bad', phase: 'failed', error: expect.stringContaining('status 3') as unknown }] });
    const all = JSON.parse((await home.sysg('restart', '--json')).stdout) as { ok: boolean; units: { name: string; error?: string; pid?: number }[] };
    expect(all.ok).toBe(false);
    expect(all.units.find(({ name }) => name === 'good')).toEqual({ name: 'good', phase: 'running', pid: expect.any(Number) as unknown });
    expect(all.units.find(({ name }) => name === 'bad')?.error).toContain('status 3');
  }, 60_000);
});
