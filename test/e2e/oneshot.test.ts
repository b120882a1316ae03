import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { collect, commandOf, makeHome, soon, type Home } from './rig.ts';

function lines(home: Home, name: string): readonly string[] {
  const file = join(home.dir, name);
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
}

describe('a one-shot', () => {
  test('has completed with a clean exit, whatever its restart policy, and what waits for that starts then', async () => {
    const home = makeHome(`
version: "1"
services:
  migrate: {command: "until test -e go; do sleep 0.02; done; echo migrated >> events", oneshot: true, restart_policy: always}
  api: {command: "echo api >> events; exec $PROGRAMS/forever", depends_on: [migrate]}
  eager: {command: "exec $PROGRAMS/forever", depends_on: [{service: migrate, condition: started}]}
`);
    const starting = collect(home.open('start', '--daemonize', '-c', home.config));
    await home.until('eager', ({ phase }) => phase === 'running', 'runs beside it');
    expect(await home.unit('api')).toMatchObject({ phase: 'starting', generation: 0 });
    writeFileSync(join(home.dir, 'go'), '');
    expect(await starting).toMatchObject({ code: 0 });
    await soon('api has begun', () => lines(home, 'events').length === 2);
    expect(lines(home, 'events')).toEqual(['migrated', 'api']);
    expect(await home.unit('migrate')).toMatchObject({ phase: 'stopped', lifecycle: 'exited_successfully', health: 'healthy', generation: 1, last_exit: { exit_code: 0 } });
    expect((await home.sysg('status')).code).toBe(0);
  });

  test('that fails holds what waits for it, until it is run again with success', async () => {
    const home = makeHome(`
version: "1"
services:
  migrate: {command: "test -e mended || exit 9", oneshot: true}
  api: {command: "$PROGRAMS/forever", depends_on: [migrate]}
`);
    const { code, stderr } = await home.sysg('start', '--daemonize', '-c', home.config);
    expect(code).toBe(1);
    expect(stderr).toContain('migrate: process exited with status 9');
    expect(stderr).toContain("api: dependency 'migrate' failed");
    writeFileSync(join(home.dir, 'mended'), '');
    expect(await home.sysg('start', '--daemonize', '-s', 'migrate')).toMatchObject({ code: 0 });
    expect(await home.until('api', ({ phase }) => phase === 'running', 'came by itself')).toMatchObject({ generation: 1 });
  });
});

test('a restart of everything runs a completed one-shot again only where its definition has changed, or with --all', async () => {
  const yaml = (word: string): string => `
version: "1"
services:
  migrate: {command: "echo ${word} >> events", oneshot: true}
  # With a check a start waits for its end, however slow the machine is.
  fails: {command: "echo tried >> tries; exit 3", oneshot: true, health_check: {log: "^never$"}}
  api: {command: "exec $PROGRAMS/forever", depends_on: [migrate]}
`;
  const home = makeHome(yaml('one'));
  const restarted = async (...args: string[]): Promise<readonly [string, number]> => {
    const { code, stdout, stderr } = await home.sysg('restart', ...args);
    return [stdout + stderr.replace(/sysg: warning.*\n/, ''), code ?? -1];
  };
  await home.sysg('start', '--daemonize');
  await home.sysg('stop', 'fails');
  const before = (await home.unit('api')).process?.pid;
  expect(await restarted()).toEqual(['All services restarted\n', 0]);
  expect(lines(home, 'events')).toEqual(['one']);
  expect((await home.unit('api')).process?.pid).not.toBe(before);
  // As a client of systemg 0.33.0 sends it, and answered as it knows.
  expect(await home.exchange('{"Restart":{"config":null,"service":null}}')).toBe('{"Message":"All services restarted"}\n');
  home.configure(yaml('two'));
  expect(await restarted()).toEqual(['All services restarted\n', 0]);
  expect(await restarted('--json')).toEqual([expect.stringContaining('All services restarted (not run again, as completed: migrate; with --all they are)'), 0]);
  expect(await restarted('--all')).toEqual(['All services restarted\n', 0]);
  expect(await restarted('migrate')).toEqual(["Service 'migrate' restarted\n", 0]);
  expect(lines(home, 'events')).toEqual(['one', 'two', 'two', 'two']);
  // What has failed is no such thing.
  await home.sysg('start', 'fails');
  const tries = lines(home, 'tries').length;
  expect((await restarted())[1]).toBe(1);
  expect(lines(home, 'tries').length).toBe(tries + 1);
});

describe('an essential service', () => {
  test.each([
    ['that has failed for good ends everything with its exit code', 'command: "exit 7"', 7],
    ['that a signal ended ends everything with 128 and its number', "command: \"kill -ABRT $$\"", 134],
    ['that is a one-shot ends everything when it is done', 'command: "true", oneshot: true', 0],
    ['that never ran ends everything with 1', 'exec: ["./no-such-program"]', 1],
  ])('%s', async (_, keys, code) => {
    const home = makeHome(`
version: "1"
services:
  other: {command: "$PROGRAMS/notes other", health_check: {command: "test -e other.up", interval: 50ms}}
  main: {${keys}, essential: true, depends_on: [other]}
`);
    expect((await home.sysg('start', '-c', home.config)).code).toBe(code);
    expect(lines(home, 'events')).toEqual(['other up', 'other down']);
    await home.allGone();
  });
});

describe('skip', () => {
  test('by a flag, or by a command that says so, counts as there for those who need it', async () => {
    const home = makeHome(`
version: "1"
services:
  never: {command: "touch started.never", skip: true}
  today: {command: "touch started.today", skip: "echo asked >> asked; test \\"$REASON\\" = holiday", env: {REASON: holiday}}
  unless: {command: "exec $PROGRAMS/forever", skip: "echo asked >> asked; false"}
  api: {command: "$PROGRAMS/forever", depends_on: [never, today, unless]}
`);
    expect(await home.sysg('start', '--daemonize', '-c', home.config)).toMatchObject({ code: 0 });
    for (const name of ['never', 'today']) expect(await home.unit(name)).toMatchObject({ phase: 'stopped', lifecycle: 'skipped', health: 'healthy' });
    for (const name of ['unless', 'api']) expect(await home.unit(name)).toMatchObject({ phase: 'running' });
    expect(existsSync(join(home.dir, 'started.never')) || existsSync(join(home.dir, 'started.today'))).toBe(false);
    expect(lines(home, 'asked')).toEqual(['asked', 'asked']);
  });
});

describe('pre_start', () => {
  test("runs once before each start, with the unit's environment, in its directory, its output in the unit's log", async () => {
    const home = makeHome(`
version: "1"
services:
  web:
    command: "echo main >> events; exec $PROGRAMS/forever"
    working_dir: .
    env: {COLOUR: blue}
    deployment: {pre_start: "echo \\"pre $COLOUR\\" >> events; echo preparing"}
`);
    expect(await home.sysg('start', '--daemonize', '-c', home.config)).toMatchObject({ code: 0 });
    await soon('it has begun', () => lines(home, 'events').length === 2);
    expect(lines(home, 'events')).toEqual(['pre blue', 'main']);
    await soon('its output was logged', () => home.log('web').includes('preparing\n'));
    expect(await home.sysg('restart', '-s', 'web')).toMatchObject({ code: 0 });
    await soon('it has begun again', () => lines(home, 'events').length === 4);
    expect(lines(home, 'events')).toEqual(['pre blue', 'main', 'pre blue', 'main']);
  });

  test('that fails is a failed start, with what it left behind ended, and is tried again by the restart policy', async () => {
    const home = makeHome(`
version: "1"
services:
  web: {command: "$PROGRAMS/forever", restart_policy: on-failure, backoff: 100ms, deployment: {pre_start: "echo tried >> tries; sleep 100000 & test -e ready-now"}}
`);
    const { code, stderr } = await home.sysg('start', '--daemonize', '-c', home.config);
    expect(code).toBe(1);
    expect(stderr).toContain('web: pre_start exited with status 1');
    await soon('it was tried again', () => lines(home, 'tries').length > 2);
    writeFileSync(join(home.dir, 'ready-now'), '');
    await home.until('web', ({ phase }) => phase === 'running', 'runs');
    const own = await soon('the service has begun', () => Number(/^ready (\d+)$/m.exec(home.log('web'))?.[1]) || null);
    await soon('it has become sleep', () => commandOf(own) === 'sleep 100000 ');
    expect(home.processes().filter((pid) => commandOf(pid) === 'sleep 100000 ')).toEqual([own]);
  });

  test('is ended with all of it when the start is called off', async () => {
    const home = makeHome(`
version: "1"
services:
  web: {command: "$PROGRAMS/forever", deployment: {pre_start: "touch begun; setsid sleep 100000 & sleep 100000"}}
`);
    const starting = collect(home.open('start', '--daemonize', '-c', home.config));
    await soon('it has begun', () => existsSync(join(home.dir, 'begun')));
    expect(await home.sysg('stop', '-s', 'web')).toMatchObject({ code: 0 });
    expect(home.processes().filter((pid) => commandOf(pid).startsWith('sleep 100000'))).toEqual([]);
    expect(await starting).toMatchObject({ code: 1, stderr: expect.stringContaining('superseded by stop') });
  });
});
