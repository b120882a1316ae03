import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { kill } from '../kill.ts';
import { bin, makeHome, soon, type Home } from './rig.ts';

/** A command that asks the supervisor, and notes the answer and the exit code in a file. */
const asks = (words: string, file: string): string => `${bin} ${words} > ${file}.part 2>/dev/null; echo "code $?" >> ${file}.part; mv ${file}.part ${file}`;
const noted = (home: Home, file: string): Promise<string> => soon(`${file} was written`, () => existsSync(join(home.dir, file)) && readFileSync(join(home.dir, file), 'utf8'));

test('a hook that restarts its own service gets its answer at once, and the service comes up when the hook has ended', async () => {
  const home = makeHome(`
version: "1"
services:
  web: {command: "exec $PROGRAMS/forever", hooks: {on_stop: {error: {command: '${asks('restart -s web', 'answer')}', timeout: 1h}}}}
`);
  await home.sysg('start', '--daemonize', '-c', home.config);
  kill((await home.unit('web')).process?.pid);
  expect(await noted(home, 'answer')).toBe("Restart of service 'web' accepted\ncode 0\n");
  await home.until('web', ({ phase, generation }) => phase === 'running' && generation === 2, 'is back');
});

test('a preparation that starts what needs its service does not wait for it', async () => {
  const home = makeHome(`
version: "1"
services:
  db: {command: "exec $PROGRAMS/forever", deployment: {pre_start: '${asks('start --daemonize -s web', 'answer')}'}}
  api: {command: "exec $PROGRAMS/forever", depends_on: [db]}
  web: {command: "exec $PROGRAMS/forever", depends_on: [api]}
`);
  expect(await home.sysg('start', '--daemonize', '-s', 'db', '-c', home.config)).toMatchObject({ code: 0 });
  expect(await noted(home, 'answer')).toBe("Start of service 'web' accepted\ncode 0\n");
  await home.until('web', ({ phase }) => phase === 'running', 'is up');
});

test('a preparation that starts the supervisor, as many scripts do, does not wait for the start that it is a part of', async () => {
  const home = makeHome(`
version: "1"
services:
  web: {command: "exec $PROGRAMS/forever", deployment: {pre_start: '${asks('start --daemonize', 'answer')}'}}
`);
  expect(await home.sysg('start', '--daemonize', '-c', home.config)).toMatchObject({ code: 0 });
  expect(await noted(home, 'answer')).toContain('code 0');
  expect((await home.unit('web')).phase).toBe('running');
});

test('a check that starts what needs its service does not wait for it', async () => {
  const home = makeHome(`
version: "1"
services:
  db: {command: "exec $PROGRAMS/forever", health_check: {command: '${asks('start --daemonize -s web', 'answer')}', timeout: 1h}}
  web: {command: "exec $PROGRAMS/forever", depends_on: [db]}
`);
  expect(await home.sysg('start', '--daemonize', '-s', 'db', '-c', home.config)).toMatchObject({ code: 0 });
  expect(await noted(home, 'answer')).toMatch(/code 0/);
  await home.until('web', ({ phase }) => phase === 'running', 'is up');
});

test('a service that is not ready yet waits for another one, but not for one that needs it', async () => {
  const home = makeHome(`
version: "1"
services:
  db:
    command: '${asks('start --daemonize -s cache', 'cache')}; ${asks('start --daemonize -s web', 'web')}; exec $PROGRAMS/forever'
    health_check: {command: "test -e web", interval: 50ms, timeout: 1h}
  cache: {command: "exec $PROGRAMS/forever"}
  web: {command: "exec $PROGRAMS/forever", depends_on: [db]}
`);
  expect(await home.sysg('start', '--daemonize', '-s', 'db', '-c', home.config)).toMatchObject({ code: 0 });
  expect(await noted(home, 'cache')).toBe("Service 'cache' started\ncode 0\n");
  expect(await noted(home, 'web')).toBe("Start of service 'web' accepted\ncode 0\n");
  await home.until('web', ({ phase }) => phase === 'running', 'is up');
});

test('a command of a unit learns at once what is known at once', async () => {
  const home = makeHome(`
version: "1"
services:
  web: {command: "exec $PROGRAMS/forever", hooks: {on_start: {success: {command: '${asks('start --daemonize -s web', 'again')}; ${asks('stop -s nobody', 'unknown')}'}}}}
`);
  await home.sysg('start', '--daemonize', '-c', home.config);
  expect(await noted(home, 'again')).toBe("Service 'web' is already running\ncode 0\n");
  expect(await noted(home, 'unknown')).toMatch(/code [1-9]/);
});

test.each([
  ['stop', 'Stop of the supervisor accepted\ncode 0\n'], ['restart --supervisor', 'Restart of the supervisor accepted\ncode 0\n'],
])('a hook that asks for %s goes on while the supervisor ends', async (words, answer) => {
  const home = makeHome(`
version: "1"
services:
  web: {command: "exec $PROGRAMS/forever", hooks: {on_start: {success: {command: 'test -e answer || { until test -e go; do sleep 0.02; done; ${asks(words, 'answer')}; }', timeout: 1h}}}}
`);
  await home.sysg('start', '--daemonize', '-c', home.config);
  const first = home.supervisorPid();
  writeFileSync(join(home.dir, 'go'), '');
  expect(await noted(home, 'answer')).toBe(answer);
  if (words === 'stop') await soon('everything has ended', () => home.processes().length === 0);
  else await soon('another supervisor runs', () => existsSync(join(home.state, 'sysg.pid')) && home.supervisorPid() !== first);
});
