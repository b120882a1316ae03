import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { kill } from '../kill.ts';
import { collect, isAlive, makeHome, soon, type Home } from './rig.ts';

/** A hook that adds a line to the file `hooks`: what it is told, and where. */
const noted = '{command: "echo \\"$SYSG_EVENT $SYSG_SERVICE_NAME pid=${SYSG_PID:--} code=${SYSG_EXIT_CODE:--} signal=${SYSG_SIGNAL:--} attempt=$SYSG_ATTEMPT cause=${SYSG_CAUSE:--} $COLOUR\\" >> hooks"}';
const allHooks = `{${['on_start', 'on_stop', 'on_restart'].map((stage) => `${stage}: {success: ${noted}, error: ${noted}}`).join(', ')}}`;

function ran(home: Home): readonly string[] {
  const file = join(home.dir, 'hooks');
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
}

test('hooks run in the project directory and get the facts of the event, through a start, a crash and a stop', async () => {
  const home = makeHome(`
version: "1"
services:
  web:
    command: "exec $PROGRAMS/forever"
    working_dir: /
    env: {COLOUR: blue}
    restart_policy: on-failure
    backoff: 100ms
    hooks: ${allHooks}
`);
  await home.sysg('start', '--daemonize', '-c', home.config);
  const first = (await home.unit('web')).process?.pid;
  await soon('the hook ran', () => ran(home).length === 1);
  kill(first, 'SIGSEGV');
  const back = await home.until('web', ({ phase, generation }) => phase === 'running' && generation === 2, 'is back');
  await soon('the hooks ran', () => ran(home).length === 4);
  expect(await home.sysg('stop', '-s', 'web')).toMatchObject({ code: 0 });
  await soon('the hook ran', () => ran(home).length === 5);
  expect(ran(home)).toEqual([
    `on_start.success web pid=${first} code=- signal=- attempt=1 cause=- blue`,
    `on_stop.error web pid=${first} code=- signal=SIGSEGV attempt=1 cause=- blue`,
    `on_start.success web pid=${back.process?.pid} code=- signal=- attempt=2 cause=- blue`,
    `on_restart.success web pid=${back.process?.pid} code=- signal=- attempt=2 cause=- blue`,
    `on_stop.success web pid=${back.process?.pid} code=- signal=SIGTERM attempt=2 cause=command blue`,
  ]);
});

test('a start that fails runs on_start.error, and each attempt of the restart policy on_restart.error too', async () => {
  const home = makeHome(`
version: "1"
services:
  # Without a check it would count as started where the machine is too busy to let it end within a moment.
  web: {command: "exit 6", health_check: {log: "^never$"}, restart_policy: on-failure, backoff: 100ms, max_restarts: 1, hooks: ${allHooks}}
`);
  expect((await home.sysg('start', '--daemonize', '-c', home.config)).code).toBe(1);
  await home.until('web', ({ phase }) => phase === 'failed', 'has failed');
  await soon('the hooks ran', () => ran(home).length === 3);
  expect(ran(home).map((line) => line.replace(/pid=[0-9]+/, 'pid=N').trim())).toEqual([
    'on_start.error web pid=N code=6 signal=- attempt=1 cause=-',
    'on_start.error web pid=N code=6 signal=- attempt=2 cause=-',
    'on_restart.error web pid=N code=6 signal=- attempt=2 cause=-',
  ]);
});

test('a hook that hangs holds up the next start of its unit only, and all of it is dead at its timeout', async () => {
  const home = makeHome(`
version: "1"
services:
  web:
    command: "exec $PROGRAMS/forever"
    restart_policy: always
    backoff: 50ms
    hooks: {on_stop: {error: {command: "echo $$ > hook.pid; setsid sh -c 'echo $$ > escaped.pid; exec sleep 100000' & sleep 100000", timeout: 5s}}}
  other: {command: "exec $PROGRAMS/forever"}
`);
  await home.sysg('start', '--daemonize', '-c', home.config);
  kill((await home.unit('web')).process?.pid);
  await soon('the hook runs', () => ['hook.pid', 'escaped.pid'].every((name) => existsSync(join(home.dir, name)) && readFileSync(join(home.dir, name), 'utf8') !== ''));
  const hook = ['hook.pid', 'escaped.pid'].map((name) => Number(readFileSync(join(home.dir, name), 'utf8')));
  await home.until('web', ({ phase }) => phase === 'starting', 'waits for the hook');
  expect(await home.sysg('restart', '-s', 'other')).toMatchObject({ code: 0 });
  expect(await home.unit('web')).toMatchObject({ phase: 'starting', generation: 1 });
  expect(hook.map(isAlive)).toEqual([true, true]);
  await home.until('web', ({ phase, generation }) => phase === 'running' && generation === 2, 'is back');
  expect(hook.map(isAlive)).toEqual([false, false]);
  expect(readFileSync(join(home.state, 'logs/supervisor.log'), 'utf8')).toContain("on_stop.error hook for 'web' took longer than 5 s");
});

test('a stop does not wait for a hook that runs, the next start does', async () => {
  const home = makeHome(`
version: "1"
services:
  web:
    command: "echo main >> events; exec $PROGRAMS/forever"
    hooks: {on_start: {success: {command: "touch begun; until test -e go; do sleep 0.02; done; echo hook >> events"}}}
`);
  await home.sysg('start', '--daemonize', '-c', home.config);
  await soon('the hook runs', () => existsSync(join(home.dir, 'begun')));
  expect(await home.sysg('stop', '-s', 'web')).toMatchObject({ code: 0 });
  const starting = collect(home.open('start', '--daemonize', '-s', 'web'));
  await home.until('web', ({ phase, wanted }) => phase === 'starting' && wanted === 'up', 'waits');
  writeFileSync(join(home.dir, 'go'), '');
  expect(await starting).toMatchObject({ code: 0 });
  await soon('both were noted', () => (readFileSync(join(home.dir, 'events'), 'utf8').match(/main/g) ?? []).length === 2);
  expect(readFileSync(join(home.dir, 'events'), 'utf8')).toMatch(/^main\nhook\nmain\n/);
});

test('the end of the supervisor waits for hooks, and leaves none behind', async () => {
  const home = makeHome(`
version: "1"
services:
  web: {command: "exec $PROGRAMS/forever", hooks: {on_stop: {success: {command: "sleep 0.5; touch stopped"}}}}
  hung: {command: "exec $PROGRAMS/forever", hooks: {on_stop: {success: {command: "touch hung; sleep 100000"}}}}
`);
  await home.sysg('start', '--daemonize', '-c', home.config);
  expect(await home.sysg('stop')).toMatchObject({ code: 0 });
  expect(['stopped', 'hung'].map((name) => existsSync(join(home.dir, name)))).toEqual([true, true]);
  await home.allGone();
});

test('a hook that fails changes nothing but is reported', async () => {
  const home = makeHome(`
version: "1"
services:
  web: {command: "exec $PROGRAMS/forever", hooks: {on_start: {success: {command: "no-such-program"}}}}
`);
  expect(await home.sysg('start', '--daemonize', '-c', home.config)).toMatchObject({ code: 0 });
  await soon('it was told', () => readFileSync(join(home.state, 'logs/supervisor.log'), 'utf8')
    .includes("on_start.success hook for 'web' exited with status 127 (command not found)"));
  expect((await home.sysg('events', 'web')).stdout).toMatch(/ web +hook\.failed +hook=on_start\.success {2}reason="exited with status 127 \(command not found\)"/);
  expect((await home.sysg('why', 'web')).stdout).toMatch(/\nIts hook on_start\.success failed at \S+: the command exited with status 127 \(command not found\)\.\n$/);
  expect(await home.unit('web')).toMatchObject({ phase: 'running', health: 'healthy' });
});
