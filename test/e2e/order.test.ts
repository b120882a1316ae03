import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { kill } from '../kill.ts';
import { collect, isAlive, makeHome, soon, type Home } from './rig.ts';

/** Ready when a test says so, or once it is up. */
const ready = (name: string): string => checking(`${name}.ready`);
const up = (name: string): string => checking(`${name}.up`);
const checking = (file: string): string => `health_check: {command: "test -e ${file}", interval: 50ms}`;

function events(home: Home): readonly string[] {
  const file = join(home.dir, 'events');
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
}

describe('start and stop', () => {
  test('a service starts when what it needs is healthy, and everything stops in the reverse order', async () => {
    const home = makeHome(`
version: "1"
services:
  api: {command: "$PROGRAMS/notes api 0.2", ${up('api')}, depends_on: [{service: db, condition: healthy}]}
  cache: {command: "$PROGRAMS/notes cache", ${ready('cache')}, depends_on: [{service: api, condition: started}]}
  db: {command: "$PROGRAMS/notes db 0.2", ${ready('db')}}
  web: {command: "$PROGRAMS/notes web 0.2", depends_on: [api, cache]}
`);
    const starting = collect(home.open('start', '--daemonize', '-c', home.config));
    await soon('db is up', () => events(home).length === 1);
    expect((await home.status()).units.filter(({ process }) => process !== undefined).map(({ name }) => name)).toEqual(['db']);
    writeFileSync(join(home.dir, 'db.ready'), '');
    await soon('cache is up', () => events(home).length === 3);
    expect(await home.unit('web')).toMatchObject({ phase: 'starting', generation: 0 });
    writeFileSync(join(home.dir, 'cache.ready'), '');
    expect(await starting).toMatchObject({ code: 0 });
    await soon('web is up', () => events(home).length === 4);
    expect(events(home)).toEqual(['db up', 'api up', 'cache up', 'web up']);
    expect(await home.sysg('stop')).toMatchObject({ code: 0 });
    expect(events(home).slice(4)).toEqual(['web down', 'cache down', 'api down', 'db down']);
  });

  test('services that do not need each other start beside each other', async () => {
    const names = Array.from({ length: 6 }, (_, index) => `unit${index}`);
    // Each is ready only when all have begun: one after the other they never would be.
    const all = names.map((name) => `test -e ${name}.begun`).join(' && ');
    const home = makeHome(`
version: "1"
services:
${names.map((name) => `  ${name}: {command: "touch ${name}.begun; exec $PROGRAMS/forever", health_check: {command: "${all}", interval: 50ms}}`).join('\n')}
`);
    expect(await home.sysg('start', '--daemonize', '-c', home.config)).toMatchObject({ code: 0 });
    expect((await home.status()).units.map(({ ready: is }) => is)).toEqual(names.map(() => true));
  });

  test('a circle is refused, named by its path', async () => {
    const home = makeHome(`
version: "1"
services:
  a: {command: "x", depends_on: [b]}
  b: {command: "x", depends_on: [c]}
  c: {command: "x", depends_on: [a]}
`);
    const { code, stderr } = await home.sysg('start', '--daemonize', '-c', home.config);
    expect(code).toBe(1);
    expect(stderr).toContain('Detected dependency cycle: a -> b -> c -> a');
  });

  test('start -s brings what it needs, and only that; stop -s names who goes on without it', async () => {
    const home = makeHome(`
version: "1"
services:
  db: {command: "$PROGRAMS/notes db", ${up('db')}}
  api: {command: "$PROGRAMS/notes api", ${up('api')}, depends_on: [db]}
  web: {command: "$PROGRAMS/notes web", depends_on: [api]}
  other: {command: "$PROGRAMS/notes other"}
`);
    expect(await home.sysg('start', '--daemonize', '-s', 'api', '-c', home.config)).toMatchObject({ code: 0 });
    await soon('both are up', () => events(home).length === 2);
    expect(events(home)).toEqual(['db up', 'api up']);
    for (const name of ['web', 'other']) expect(await home.unit(name)).toMatchObject({ phase: 'stopped', wanted: 'down' });
    expect(await home.sysg('start', '--daemonize', '-s', 'web')).toMatchObject({ code: 0 });
    const { stdout } = await home.sysg('stop', '-s', 'db');
    expect(stdout).toBe("Service 'db' stopped (still running without it: api)\n");
    expect(await home.unit('api')).toMatchObject({ phase: 'running', generation: 1 });
    // A client of 0.33.0's asks for no more than its own sentence.
    expect(await home.exchange('{"Stop":{"service":"db"}}\n')).toBe('{"Message":"Service \'db\' stopped"}\n');
    for (const name of ['api', 'web']) await home.sysg('stop', '-s', name);
    expect(await home.sysg('start', '--daemonize', '-s', 'web')).toMatchObject({ code: 0 });
    await soon('all are up again', () => events(home).filter((event) => event.endsWith('up')).length === 6);
    expect(events(home).slice(-3)).toEqual(['db up', 'api up', 'web up']);
  });
});

describe('a dependency that goes', () => {
  test('by a crash takes its dependents along, which come back when it is healthy again, not before', async () => {
    const home = makeHome(`
version: "1"
services:
  db: {command: "exec $PROGRAMS/notes db", restart_policy: always, backoff: 100ms, deployment: {pre_start: "rm -f db.ready"}, ${ready('db')}}
  api: {command: "$PROGRAMS/notes api", ${up('api')}, depends_on: [db]}
  web: {command: "$PROGRAMS/notes web", depends_on: [{service: api, condition: started, on_restart: restart}]}
  loose: {command: "$PROGRAMS/notes loose", depends_on: [{service: db, condition: started}]}
`);
    const starting = collect(home.open('start', '--daemonize', '-c', home.config));
    await soon('db is up', () => events(home).includes('db up'));
    writeFileSync(join(home.dir, 'db.ready'), '');
    expect(await starting).toMatchObject({ code: 0 });
    await soon('all are up', () => events(home).length === 4);
    kill((await home.unit('db')).process?.pid, 'SIGKILL', { group: true });
    await home.until('db', ({ generation, phase }) => generation === 2 && phase === 'starting', 'is back and not ready');
    await soon('its dependents are held', () => events(home).includes('api down') && events(home).includes('web down'));
    await soon('db is up', () => events(home).filter((event) => event === 'db up').length === 2);
    for (const name of ['api', 'web']) expect(await home.until(name, ({ phase }) => phase === 'starting', 'is held')).toMatchObject({ wanted: 'up', generation: 1 });
    expect(await home.unit('loose')).toMatchObject({ phase: 'running', generation: 1 });
    writeFileSync(join(home.dir, 'db.ready'), '');
    for (const name of ['api', 'web']) await home.until(name, ({ phase, generation }) => phase === 'running' && generation === 2, 'is back');
    const later = events(home).slice(4);
    expect(later.indexOf('db up')).toBeLessThan(later.indexOf('api up'));
    expect(later.indexOf('api up')).toBeLessThan(later.indexOf('web up'));
  });

  test('for good leaves them waiting and says so, until it is started again', async () => {
    const home = makeHome(`
version: "1"
services:
  db: {command: "test -e mended && exec $PROGRAMS/notes db; exit 5", restart_policy: on-failure, max_restarts: 1, backoff: 50ms}
  api: {command: "$PROGRAMS/notes api", depends_on: [db]}
`);
    const { code, stderr } = await home.sysg('start', '--daemonize', '-c', home.config);
    expect(code).toBe(1);
    expect(stderr).toContain('db: process exited with status 5');
    expect(stderr).toContain('api:');
    await home.until('db', ({ phase }) => phase === 'failed', 'has failed');
    const refused = await home.sysg('restart', '-s', 'api');
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("dependency 'db' failed") });
    // Once, upon the first process of db; not again for the one that followed.
    expect(await home.unit('api')).toMatchObject({ phase: 'starting', wanted: 'up', generation: 1 });
    writeFileSync(join(home.dir, 'mended'), '');
    expect(await home.sysg('start', '--daemonize', '-s', 'db')).toMatchObject({ code: 0 });
    await home.until('api', ({ phase }) => phase === 'running', 'came by itself');
  });

  test('for good is answered at once along a chain of those that need each other, by every command, with the reason', async () => {
    const home = makeHome(`
version: "1"
services:
  a: {command: "$PROGRAMS/notes a", depends_on: [b]}
  b: {command: "$PROGRAMS/notes b", depends_on: [c]}
  # With a check a start waits for its end, however slow the machine is.
  c: {command: "exit 3", health_check: {log: "^never$"}}
`);
    const chain = "dependency 'b' cannot start: its dependency 'c' failed (exit 3)";
    const started = await home.sysg('start', '--daemonize', '-c', home.config);
    expect(started.code).toBe(1);
    for (const line of ['c: process exited with status 3', "b: dependency 'c' failed (exit 3)", `a: ${chain}`]) expect(started.stderr).toContain(line);
    for (const command of [['start', '--daemonize'], ['restart']]) {
      expect(await home.sysg(...command, '-s', 'a')).toMatchObject({ code: 1, stderr: expect.stringContaining(chain) });
    }
    expect(await home.sysg('wait', 'a', '--for', 'running')).toMatchObject({ code: 1, stderr: expect.stringContaining(chain) });
    expect((await home.sysg('why', 'a')).stdout).toContain(chain);
    expect(await home.unit('a')).toMatchObject({ phase: 'starting', waits_for: [{ unit: 'b', lost: chain }] });
  });

  test('by a restart of it alone: its dependents are down while it is', async () => {
    const home = makeHome(`
version: "1"
services:
  db: {command: "$PROGRAMS/notes db", ${up('db')}}
  api: {command: "$PROGRAMS/notes api", depends_on: [db]}
`);
    await home.sysg('start', '--daemonize', '-c', home.config);
    await soon('both are up', () => events(home).length === 2);
    expect(await home.sysg('restart', '-s', 'db')).toMatchObject({ code: 0 });
    await home.until('api', ({ phase, generation }) => phase === 'running' && generation === 2, 'is back');
    await soon('it is up', () => events(home).filter((event) => event === 'api up').length === 2);
    const later = events(home).slice(2);
    expect(later.indexOf('api down')).toBeLessThan(later.indexOf('api up'));
    expect(later.indexOf('db up')).toBeLessThan(later.indexOf('api up'));
  });
});

test('five services that crash at once are in their backoffs at once', async () => {
  const names = ['a', 'b', 'c', 'd', 'e'];
  const home = makeHome(`
version: "1"
services:
${names.map((name) => `  ${name}: {command: "exec $PROGRAMS/forever", restart_policy: on-failure, backoff: 3s}`).join('\n')}
`);
  await home.sysg('start', '--daemonize', '-c', home.config);
  const first = (await home.status()).units;
  for (const { process: running } of first) kill(running?.pid);
  const all = await soon('all wait', async () => {
    const { units } = await home.status();
    return units.every(({ phase }) => phase === 'backoff') ? units : null;
  });
  const sinces = all.map(({ since }) => Date.parse(since ?? ''));
  const nexts = all.map(({ next_at: next }) => Date.parse(next ?? ''));
  expect(Math.max(...sinces)).toBeLessThan(Math.min(...nexts));
  for (const name of names) expect(await home.until(name, ({ phase }) => phase === 'running', 'is back')).toMatchObject({ generation: 2, restarts: 1 });
  expect(first.map(({ process: before }) => isAlive(before?.pid ?? 0))).toEqual(names.map(() => false));
});
