import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { kill } from '../kill.ts';
import { collect, isAlive, makeHome, soon } from './rig.ts';

describe('start and stop', () => {
  test('start --daemonize returns when the units run; stop when they and the supervisor are gone', async () => {
    const home = makeHome(`
version: "1"
services:
  db: {command: "$PROGRAMS/forever"}
  api: {command: "$PROGRAMS/forever", depends_on: [db]}
`);
    const started = await home.sysg('start', '--daemonize', '-c', home.config);
    expect(started).toMatchObject({ code: 0, stdout: '' });
    const { units } = await home.status();
    expect(units.map(({ name, phase, lifecycle, health }) => [name, phase, lifecycle, health]).sort()).toEqual([
      ['api', 'running', 'running', 'healthy'], ['db', 'running', 'running', 'healthy'],
    ]);
    const pids = units.map(({ process }) => process?.pid ?? 0);
    const supervisor = home.supervisorPid();
    expect(await home.sysg('stop')).toMatchObject({ code: 0, stdout: 'Supervisor shutting down\n' });
    expect([supervisor, ...pids].map(isAlive)).toEqual([false, false, false]);
    for (const file of ['control.sock', 'sysg.pid', 'config_hint']) expect(existsSync(join(home.state, file))).toBe(false);
    await home.allGone();
  });

  test('the foreground shows what services write, and TERM ends everything in order', async () => {
    const home = makeHome(`
version: "1"
services:
  talker: {command: "$PROGRAMS/prints-lines 2"}
`);
    const child = home.open('start', '-c', home.config);
    const ended = collect(child);
    await soon('the service runs', async () => (await home.unit('talker').catch(() => null))?.phase === 'running');
    await soon('its output was logged', () => home.log('talker').includes('ready'));
    child.kill('SIGTERM');
    const { code, stdout } = await ended;
    expect(code).toBe(0);
    expect(stdout).toContain('talker | line 1\ntalker | line 2\n');
    await home.allGone();
  });

  test('a command about a unit that does not exist, and one without a supervisor, say so and fail', async () => {
    const home = makeHome('version: "1"\nservices:\n  a: {command: "$PROGRAMS/forever"}\n');
    const alone = await home.sysg('stop', '-s', 'a');
    expect(alone.stderr).toMatch(/^sysg: no supervisor is running/m);
    // First that nobody supervises, then what the configuration and the files say.
    expect(await home.sysg('status')).toMatchObject({ code: 3, stdout: expect.stringMatching(/^No supervisor is running[^]*^ *a +stopped/m) });
    await home.sysg('start', '--daemonize', '-c', home.config);
    for (const verb of ['stop', 'restart'] as const) {
      expect(await home.sysg(verb, '-s', 'nope')).toMatchObject({ code: 1, stderr: expect.stringMatching(/^sysg: Service 'nope' not found in configuration$/m) });
    }
    expect(await home.sysg('start', '-c', home.config)).toMatchObject({
      code: 1, stderr: expect.stringContaining(`sysg: supervisor already running (pid ${home.supervisorPid()})\n`),
    });
  });

  test('start of a running service starts no second one', async () => {
    const home = makeHome('version: "1"\nservices:\n  a: {command: "$PROGRAMS/forever"}\n');
    await home.sysg('start', '--daemonize', '-c', home.config);
    const before = await home.unit('a');
    expect(await home.sysg('start', '--daemonize', '-s', 'a')).toMatchObject({ code: 0, stdout: "Service 'a' is already running\n" });
    expect((await home.unit('a')).process?.pid).toBe(before.process?.pid);
  });

  test('twenty starts at once make one supervisor and each service once', async () => {
    const home = makeHome('version: "1"\nservices:\n  a: {command: "echo begun; exec $PROGRAMS/forever"}\n');
    const ends = await Promise.all(Array.from({ length: 20 }, () => home.sysg('start', '--daemonize', '-c', home.config)));
    // There was no supervisor for one of them only. The others found one, at first or when the lock was refused.
    expect(ends.map(({ code }) => code)).toEqual(ends.map(() => 0));
    expect(ends.filter(({ stderr }) => !stderr.includes('supervisor already running (pid '))).toHaveLength(1);
    await home.until('a', ({ phase }) => phase === 'running', 'runs');
    await soon('its output was logged', () => home.log('a').includes('ready'));
    expect(home.log('a').match(/begun/g)).toHaveLength(1);
  });
});

describe('a broken configuration', () => {
  test('is reported with file, line and column before anything starts', async () => {
    const home = makeHome('version: "1"\nservices:\n  a:\n    command: "x"\n    restart_polcy: always\n    max_restarts: many\n');
    for (const args of [['start', '--daemonize'], ['start']] as const) {
      const { code, stderr } = await home.sysg(...args, '-c', home.config);
      expect(code).toBe(1);
      expect(stderr).toContain(`${home.config}:5:5: services.a.restart_polcy: unknown key 'restart_polcy', did you mean 'restart_policy'?`);
      expect(stderr).toContain(`${home.config}:6:19: services.a.max_restarts: expected a whole number ≥ 0, got "many"`);
    }
    expect(existsSync(join(home.state, 'control.sock'))).toBe(false);
  });

  test('on a restart changes nothing', async () => {
    const home = makeHome('version: "1"\nservices:\n  a: {command: "$PROGRAMS/forever"}\n');
    await home.sysg('start', '--daemonize', '-c', home.config);
    const before = (await home.unit('a')).process?.pid;
    home.configure('version: "1"\nservices:\n  a: {comand: "x"}\n');
    const { code, stderr } = await home.sysg('restart');
    expect(code).toBe(1);
    expect(stderr).toContain("unknown key 'comand', did you mean 'command'?");
    expect((await home.unit('a')).process?.pid).toBe(before);
  });
});

describe('crashes', () => {
  test('a service that crashes comes back after its backoff, at most max_restarts times, and then has failed', async () => {
    const home = makeHome(`
version: "1"
services:
  crash: {command: "echo run; exit 3", restart_policy: on-failure, backoff: 100ms, max_restarts: 3}
  calm: {command: "$PROGRAMS/forever"}
`);
    const started = await home.sysg('start', '--daemonize', '-c', home.config);
    expect(started.code).toBe(1);
    expect(started.stderr).toContain('crash');
    const failed = await home.until('crash', ({ phase }) => phase === 'failed', 'has failed');
    expect(failed).toMatchObject({ lifecycle: 'exited_with_error', health: 'failing', last_exit: { exit_code: 3 }, restarts: 3, generation: 4 });
    expect(failed.process).toBeUndefined();
    await soon('four runs were logged', () => home.log('crash').match(/run/g)?.length === 4);
    expect(await home.unit('calm')).toMatchObject({ phase: 'running', restarts: 0 });
    expect((await home.sysg('status')).code).toBe(2);
  });

  test('backoff grows, and status says when the next attempt is', async () => {
    const home = makeHome(`
version: "1"
services:
  crash: {command: "exit 7", restart_policy: on-failure, backoff: {initial: 200ms, max: 1h, factor: 30, jitter: 0}}
`);
    await home.sysg('start', '--daemonize', '-c', home.config);
    const waiting = await home.until('crash', ({ phase, restarts, next_at: next }) => phase === 'backoff' && restarts === 1 && next !== undefined, 'waits longer');
    const wait = Date.parse(waiting.next_at ?? '') - Date.parse(waiting.since ?? '');
    expect(wait).toBe(6000);
  });

  test('a program that does not exist is a failure that names it', async () => {
    const home = makeHome('version: "1"\nservices:\n  a: {command: "no-such-program --x", restart_policy: never}\n');
    const { code, stderr } = await home.sysg('start', '--daemonize', '-c', home.config);
    expect(code).toBe(1);
    expect(stderr).toContain('no-such-program');
    expect(await home.unit('a')).toMatchObject({ phase: 'failed', health: 'failing' });
  });

  test('a dependent is held while its dependency is away and comes back with it', async () => {
    const home = makeHome(`
version: "1"
services:
  db: {command: "$PROGRAMS/forever", restart_policy: always, backoff: 300ms}
  api: {command: "$PROGRAMS/forever", depends_on: [db]}
`);
    await home.sysg('start', '--daemonize', '-c', home.config);
    const [db, api] = [await home.unit('db'), await home.unit('api')];
    kill(db.process?.pid);
    const back = await home.until('api', ({ phase, generation }) => phase === 'running' && generation === 2, 'came back');
    expect(back.process?.pid).not.toBe(api.process?.pid);
    expect(await home.unit('db')).toMatchObject({ phase: 'running', generation: 2, restarts: 1 });
  });
});

describe('stopping a tree', () => {
  test('that ignores TERM, and a process that daemonised: all of it is dead when stop returns', async () => {
    const home = makeHome(`
version: "1"
services:
  stubborn: {command: "$PROGRAMS/forks-child ignores-term stays", stop_timeout: 300ms}
  escaped: {command: "$PROGRAMS/daemonises $HOME/escaped.pid ignores-term", stop_timeout: 300ms}
`);
    await home.sysg('start', '--daemonize', '-c', home.config);
    await soon('the escaped process is there', () => existsSync(join(home.dir, 'escaped.pid')) && home.log('escaped').includes('ready'));
    await soon('the child is there', () => home.log('stubborn').includes('ready'));
    const escaped = Number(readFileSync(join(home.dir, 'escaped.pid'), 'utf8'));
    const child = Number(/child ([0-9]+)/.exec(home.log('stubborn'))?.[1]);
    expect([escaped, child].map(isAlive)).toEqual([true, true]);
    expect(await home.sysg('stop', '-s', 'escaped')).toMatchObject({ code: 0 });
    expect(isAlive(escaped)).toBe(false);
    expect(await home.sysg('stop', '-s', 'stubborn')).toMatchObject({ code: 0 });
    expect(isAlive(child)).toBe(false);
    expect((await home.status()).units.map(({ phase }) => phase)).toEqual(['stopped', 'stopped']);
  });

  test('one that hangs delays nobody else', async () => {
    const home = makeHome(`
version: "1"
services:
  stubborn: {command: "exec $PROGRAMS/ignores-term", stop_timeout: 1m}
  quick: {command: "$PROGRAMS/forever"}
`);
    await home.sysg('start', '--daemonize', '-c', home.config);
    await soon('it ignores TERM', () => home.log('stubborn').includes('ready'));
    const hanging = home.open('stop', '-s', 'stubborn');
    await home.until('stubborn', ({ phase }) => phase === 'stopping', 'is stopping');
    expect(await home.sysg('restart', '-s', 'quick')).toMatchObject({ code: 0, stdout: "Service 'quick' restarted\n" });
    expect(await home.unit('quick')).toMatchObject({ phase: 'running', generation: 2 });
    expect(await home.unit('stubborn')).toMatchObject({ phase: 'stopping' });
    kill((await home.unit('stubborn')).process?.pid);
    expect((await collect(hanging)).code).toBe(0);
  });
});
