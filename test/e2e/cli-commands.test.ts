import { existsSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { stageUnit } from '../../src/config/staged-unit.ts';
import { isAlive, makeHome, soon } from './rig.ts';

const two = `version: "1"
services:
  web: {command: sleep 1000}
  db: {command: sleep 1001}
`;

/** Everything but the warning that root gets in every command. */
const said = (stderr: string): string => stderr.replace(/^sysg: warning: Running as root.*\n/, '');

describe('a command without a configuration', () => {
  test('is run as a service of its own in the caller\'s directory, from a file in the state directory', async () => {
    const home = makeHome();
    expect(await home.sysg('start', '--daemonize', '--name', 'Ticker', '--', 'sh', '-c', 'echo "$0 $1"; pwd; sleep 1000', 'one', 'two  words')).toMatchObject({ code: 0, stdout: '' });
    await home.until('ticker', ({ phase }) => phase === 'running', 'runs');
    await soon('it wrote', () => home.log('ticker') === `one two  words\n${home.dir}\n`);
    expect(readdirSync(join(home.state, 'units'))).toEqual([expect.stringMatching(/^ticker-[0-9a-f]{12}\.yaml$/)]);
  });

  test('that a client of systemg 0.33.0 has staged is applied by the restart that this client shows', async () => {
    const home = makeHome(two);
    await home.sysg('start', '--daemonize');
    const path = stageUnit(home.state, { command: ['sleep', '2000'], cwd: home.dir, name: null }, []);
    expect(await home.exchange(JSON.stringify({ Restart: { config: path, service: null } }))).toContain('All services restarted');
    expect((await home.status()).units).toEqual([expect.objectContaining({ name: expect.stringMatching(/^sleep-/), phase: 'running' })]);
  });

  test.each([
    [['--name', 'x'], '--name requires a unit command or child mode'],
    [['-s', 'web', 'sleep', '1'], '--service cannot be used with unit commands; use --name for units'],
    [['--ttl', '5'], 'child start mode requires a command; use `sysg start --parent-pid <pid> --name <name> -- <command...>`'],
    [['--child', '--', 'sleep', '1'], '--child requires --parent-pid'],
    [['--parent-pid', '1', '--', 'sleep', '1'], 'Failed to communicate with supervisor: control socket not available'],
  ])('start %j is refused with exit code 1', async (argv, sentence) => {
    const { code, stdout, stderr } = await makeHome(two).sysg('start', ...argv);
    expect({ code, stdout, stderr: said(stderr) }).toEqual({ code: 1, stdout: '', stderr: `sysg: ${sentence}\n` });
  });
});

test('plan says what reload then does, and only that', async () => {
  const home = makeHome(`${two}  old: {command: sleep 1002}\n  same: {command: sleep 1003}\n`);
  await home.sysg('start', '--daemonize');
  const pids = async (): Promise<Record<string, number | undefined>> => Object.fromEntries((await home.status()).units.map(({ name, process }) => [name, process?.pid]));
  const before = await pids();
  home.configure(two.replace('sleep 1000}', 'sleep 1000, env: {A: "1"}}').replace('sleep 1001}', 'sleep 1001, stop_timeout: 3s}') + '  same: {command: sleep 1003}\n  new: {command: sleep 1004}\n');
  const plan = await home.sysg('plan', '--json');
  expect(JSON.parse(plan.stdout)).toEqual({
    unchanged: [{ unit: 'same', why: 'same definition' }],
    start: [{ unit: 'new', why: 'new in the configuration' }],
    stop: [{ unit: 'old', why: 'no longer configured' }],
    restart: [{ unit: 'web', why: 'changed: env' }],
    update: [{ unit: 'db', why: 'changed: stop_timeout; taken over live' }],
  });
  expect(await pids()).toEqual(before);
  const reloaded = await home.sysg('reload', '--json');
  expect(JSON.parse(reloaded.stdout)).toMatchObject({ ok: true, message: 'Configuration reloaded: 1 added, 1 removed, 1 restarted, 1 updated, 1 unchanged' });
  await soon('the old unit is gone', async () => !(await home.status()).units.some(({ name }) => name === 'old'));
  await home.until('web', ({ phase, process }) => phase === 'running' && process?.pid !== before['web'], 'runs anew');
  await home.until('new', ({ phase }) => phase === 'running', 'runs');
  expect(await pids()).toMatchObject({ db: before['db'], same: before['same'] });
  expect((await home.sysg('plan')).stdout).toBe('nothing would change: 4 units unchanged\n');
});

test('a reload of a broken file changes nothing and names the place', async () => {
  const home = makeHome(two);
  await home.sysg('start', '--daemonize');
  const { process } = await home.unit('web');
  home.configure(`${two}  bad: {comand: x}\n`);
  for (const verb of ['plan', 'reload', 'validate']) {
    const refused = await home.sysg(verb);
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toContain(`${home.config}:5:9: services.bad.comand: unknown key 'comand', did you mean 'command'?`);
  }
  expect((await home.unit('web')).process?.pid).toBe(process?.pid);
});

test('wait ends when it is so, with 124 and what is missing when the time is over, and with 1 for a unit that nobody knows', async () => {
  const home = makeHome(`${two}  slow: {command: "sleep 1; exit 0", oneshot: true}\n`);
  await home.sysg('start', '--daemonize');
  expect(await home.sysg('wait', 'web', 'db', '--for', 'running', '--timeout', '10s')).toMatchObject({ code: 0, stdout: '' });
  expect(await home.sysg('wait', 'slow', '--for', 'completed', '--timeout', '15s')).toMatchObject({ code: 0 });
  const late = await home.sysg('wait', 'web', 'slow', '--for', 'stopped', '--timeout', '100ms', '--json');
  expect(late.code).toBe(124);
  expect(said(late.stderr)).toBe('sysg: not stopped after 100ms: web is running\n');
  expect(JSON.parse(late.stdout)).toMatchObject({ ok: false, units: [{ name: 'web', phase: 'running', error: 'is running' }, { name: 'slow', phase: 'stopped' }] });
  expect(await home.sysg('wait', 'nope', '--for', 'stopped')).toMatchObject({ code: 1, stderr: expect.stringContaining("Service 'nope' not found in configuration") });
});

test('wait ends with 1 and the reason when nothing is under way that could bring a unit to the state', async () => {
  const home = makeHome(`
version: "1"
services:
  bad: {command: "exit 3", oneshot: true}
  job: {command: "exit 0", oneshot: true, depends_on: [bad]}
  later: {command: "exit 0", oneshot: true, depends_on: [job]}
  web: {command: "exec $PROGRAMS/forever"}
  gone: {command: "no-such-program"}
  slow: {command: "sleep 1; exit 4", oneshot: true}
  yearly: {command: "exit 3", cron: "0 0 1 1 *"}
`);
  const waits = async (unit: string, goal: string): Promise<string> => {
    const { code, stderr } = await home.sysg('wait', unit, '--for', goal);
    return `${code} ${said(stderr)}`;
  };
  await home.sysg('start', '--daemonize');
  expect(await waits('slow', 'completed')).toMatch(/^1 sysg: not completed, and nothing is under way that would change that: slow has failed .* because it exited with code 4 /);
  expect(await waits('bad', 'completed')).toMatch(/bad has failed .* because it exited with code 3 /);
  expect(await waits('later', 'completed')).toContain("dependency 'job' cannot start: its dependency 'bad' failed (exit 3)");
  expect(await waits('gone', 'ready')).toMatch(/^1 sysg: not ready, .*no-such-program/);
  expect(await waits('job', 'running')).toMatch(/^1 /);
  await home.sysg('start', '-s', 'yearly');
  expect(await waits('yearly', 'completed')).toMatch(/^1 sysg: not completed: Its last run .* failed: Process exited with code 3\. yearly waits for its next run at /);
  await home.sysg('stop', '-s', 'web');
  expect(await waits('web', 'running')).toMatch(/^1 sysg: not running, .*web was stopped by the command 'stop -s web' (.*) at /);
  expect(await waits('web', 'stopped')).toBe('0 ');
  const { code, stdout } = await home.sysg('wait', 'web', 'bad', '--for', 'failed', '--json');
  expect(code).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({ ok: false, units: [{ name: 'web', phase: 'stopped', error: 'is stopped (last signal 15)' }, { name: 'bad', phase: 'failed' }] });
});

test('signal reaches the main process and says so; a unit without one, or that nobody knows, is refused', async () => {
  const home = makeHome('version: "1"\nservices:\n  web: {command: "trap \'echo got it\' USR1; echo ready; while :; do sleep 0.05; done"}\n');
  await home.sysg('start', '--daemonize');
  await soon('it is ready', () => home.log('web').includes('ready'));
  const { process } = await home.unit('web');
  expect(await home.sysg('signal', '-s', 'web', 'usr1')).toMatchObject({ code: 0, stdout: `SIGUSR1 sent to service 'web' (pid ${process?.pid})\n` });
  await soon('it was told', () => home.log('web').includes('got it'));
  await home.sysg('stop', '-s', 'web');
  expect(await home.sysg('signal', '-s', 'web', '10')).toMatchObject({ code: 1, stderr: expect.stringContaining("Service 'web' has no process to signal") });
  expect(await home.sysg('signal', '-s', 'nope', 'HUP')).toMatchObject({ code: 1, stderr: expect.stringContaining("Service 'nope' not found in configuration") });
});

describe('purge', () => {
  test('ends everything of this state directory, removes it, and leaves the supervisor of another one alone', async () => {
    const home = makeHome(two);
    const other = makeHome(two);
    await Promise.all([home.sysg('start', '--daemonize'), other.sysg('start', '--daemonize')]);
    expect(await home.sysg('purge')).toMatchObject({ code: 0, stdout: 'Supervisor shutting down\nAll systemg state has been purged\n' });
    expect(existsSync(home.state)).toBe(false);
    await home.allGone();
    expect((await other.unit('web')).phase).toBe('running');
    expect(await home.sysg('purge')).toMatchObject({ code: 0, stdout: 'All systemg state has been purged\n' });
  });

  test('ends what a supervisor that was killed left running', async () => {
    const home = makeHome(two);
    const foreground = home.open('start');
    const { process: web } = await home.until('web', ({ phase }) => phase === 'running', 'runs');
    process.kill(home.supervisorPid(), 'SIGKILL');
    await soon('the supervisor is gone', () => foreground.exitCode !== null || foreground.signalCode !== null);
    expect(isAlive(web?.pid ?? 0)).toBe(true);
    expect(await home.sysg('purge')).toMatchObject({ code: 0, stdout: 'All systemg state has been purged\n' });
    await home.allGone();
    expect(existsSync(home.state)).toBe(false);
  });

  test('ends a supervisor that answers nobody, and its services', async () => {
    const home = makeHome(two);
    await home.sysg('start', '--daemonize');
    process.kill(home.supervisorPid(), 'SIGSTOP');
    expect(await home.sysg('purge')).toMatchObject({ code: 0, stdout: 'All systemg state has been purged\n' });
    await home.allGone();
    expect(existsSync(home.state)).toBe(false);
  });
});

test('-c that names another file than the one in use: what ends something refuses, what shows something warns, restart takes it', async () => {
  const home = makeHome(two);
  await home.sysg('start', '--daemonize');
  const other = join(home.dir, 'other.yaml');
  writeFileSync(other, 'version: "1"\nservices:\n  web: {command: sleep 3000}\n');
  const stopped = await home.sysg('stop', '-s', 'db', '-c', other);
  const why = `sysg: the supervisor (pid ${home.supervisorPid()}) runs ${home.config}, not ${other}: nothing was done. To mean what runs, leave out -c, or name that file: -c ${home.config}\n`;
  expect([said(stopped.stderr), stopped.code]).toEqual([why, 1]);
  expect(await home.sysg('down', '-c', 'other.yaml')).toMatchObject({ code: 1, stderr: expect.stringContaining(why) });
  expect(await home.sysg('signal', 'web', 'TERM', '-c', other)).toMatchObject({ code: 1, stderr: expect.stringContaining(why) });
  expect(await home.sysg('purge', '--yes', '-c', other)).toMatchObject({ code: 1, stderr: expect.stringContaining(why) });
  for (const command of [['why'], ['events', '-n', '1'], ['wait', 'web', '--for', 'running'], ['chart', 'web'], ['status']]) {
    expect(await home.sysg(...command, '-c', other)).toMatchObject({ code: 0, stderr: expect.stringContaining(`runs ${home.config}; -c ${other} is ignored here`) });
  }
  expect((await home.status()).units.map(({ phase }) => phase)).toEqual(['running', 'running']);
  // A file that is not there cannot be meant, and a link to the one in use is that.
  expect(await home.sysg('stop', '-s', 'db', '-c', 'gone.yaml')).toMatchObject({ code: 0, stderr: expect.stringContaining('-c gone.yaml is ignored here') });
  symlinkSync(home.dir, join(home.dir, 'current'));
  expect(await home.sysg('stop', '-s', 'db', '-c', 'current/sysg.yaml')).toMatchObject({ code: 0 });
  expect(await home.sysg('restart', '-c', 'other.yaml')).toMatchObject({ code: 0, stdout: 'All services restarted\n' });
  expect((await home.unit('web')).command).toBe('sleep 3000');
  expect(readFileSync(join(home.state, 'config_hint'), 'utf8')).toBe(other);
});

test('restart with another file waits for the units that the file adds', async () => {
  const home = makeHome(two);
  await home.sysg('start', '--daemonize');
  const other = join(home.dir, 'other.yaml');
  writeFileSync(other, 'version: "1"\nservices:\n  fresh: {command: sleep 3000, health_check: {command: "test -e up", interval: 100ms, timeout: 30s}}\n');
  const restarted = home.sysg('restart', '-c', 'other.yaml');
  await soon('the new unit starts', async () => (await home.status()).units.some(({ name, phase }) => name === 'fresh' && phase === 'starting'));
  writeFileSync(join(home.dir, 'up'), '');
  expect(await restarted).toMatchObject({ code: 0, stdout: 'All services restarted\n' });
  expect((await home.unit('fresh')).phase).toBe('running');
});

test('logs --purge empties files while they are written, and what comes later is shown', async () => {
  const home = makeHome('version: "1"\nservices:\n  web: {command: "while :; do echo tick $((n += 1)); sleep 0.05; done"}\n');
  await home.sysg('start', '--daemonize');
  await soon('it wrote', () => home.log('web').includes('tick 3\n'));
  expect(await home.sysg('logs', '-s', 'web', '--purge')).toMatchObject({ code: 0, stdout: '' });
  await soon('it goes on', () => home.log('web').includes('tick'));
  const shown = await home.sysg('logs', '-s', 'web', '-k', 'stdout', '-l', '1000', '--no-follow');
  expect(shown.stdout).not.toContain('tick 1\n');
  expect(shown.stdout).toMatch(/^(tick \d+\n)+$/);
});

test('a client that asks for settlements gets one of each unit beside the sentence, any other the sentence alone', async () => {
  const home = makeHome(`version: "1"
services:
  web: {command: sleep 1000}
  bad: {command: "exit 3", restart_policy: never, health_check: {log: "^never$"}}
`);
  await home.sysg('start', '--daemonize');
  await home.until('bad', ({ phase }) => phase === 'failed', 'failed');
  const answer = async (line: string): Promise<unknown> => JSON.parse(await home.exchange(line));
  expect(await answer('{"Start":{"service":"web","settlements":true}}'))
    .toEqual({ Settled: { message: "Service 'web' is already running", units: [{ unit: 'web', result: 'already-running' }] } });
  const sentence = expect.stringMatching(/^Failed to start service 'bad': /);
  for (const line of ['{"Start":{"service":null}}', '{"Restart":{"service":"bad"}}', '{"Restart":{}}']) expect(await answer(line)).toEqual({ Error: sentence });
  expect(await answer('{"Start":{"service":null,"settlements":true}}')).toEqual({
    Settled: {
      error: sentence,
      units: expect.toSatisfy((units: readonly { unit: string; error?: string }[]) => (
        units.map(({ unit, error }) => `${unit} ${error === undefined}`).sort().join() === 'bad false,web true')),
    },
  });
});

test('pid.xml and state.xml are up to date when a command returns', async () => {
  const home = makeHome(two);
  const files = (): string => ['pid.xml', 'state.xml'].map((name) => readFileSync(join(home.state, name), 'utf8')).join('');
  await home.sysg('start', '--daemonize');
  for (let round = 0; round < 3; round += 1) {
    const before = (await home.unit('web')).process?.pid;
    expect(files()).toContain(`<pid>${before}</pid>`);
    await home.sysg('restart', '-s', 'web');
    expect(files()).not.toContain(`<pid>${before}</pid>`);
    expect(files()).toContain(`<name>web</name><pid>${(await home.unit('web')).process?.pid}</pid>`);
    await home.sysg('stop', '-s', 'db');
    expect(files()).toContain('<status>stopped</status>');
    await home.sysg('start', '--daemonize', '-s', 'db');
    expect(files()).not.toContain('<status>stopped</status>');
  }
  await home.sysg('stop');
  expect(files()).toContain('<PidFile/>');
  expect(files()).not.toContain('<status>running</status>');
});
