import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { freePort } from '../free-port.ts';
import { collect, commandOf, isAlive, makeHome, soon } from './rig.ts';

describe('a service is started when its check passes', () => {
  test.each([
    ['a command', 'command: "test -e go"', '$PROGRAMS/forever'],
    ['a URL', 'url: "http://127.0.0.1:$PORT/"', '$PROGRAMS/serves-when go port'],
    ['a TCP port', 'tcp: "127.0.0.1:$PORT"', '$PROGRAMS/serves-when go port'],
    ['a line of its output', 'log: "^ready [0-9]+$"', '$PROGRAMS/serves-when go port'],
    ['a newline on a descriptor', 'notify_fd: 3', "sh -c 'until test -e go; do sleep 0.02; done; echo >&3; exec sleep 100000'"],
  ])('%s', async (_, check, command) => {
    const port = await freePort();
    const home = makeHome(`
version: "1"
services:
  web: {command: "${command}", health_check: {${check.replace('$PORT', String(port))}, interval: 100ms}}
  user: {command: "$PROGRAMS/forever", depends_on: [web]}
`);
    writeFileSync(join(home.dir, 'port'), String(port));
    const starting = collect(home.open('start', '--daemonize', '-c', home.config));
    const waiting = await home.until('web', ({ process }) => process !== undefined, 'has a process');
    expect(waiting).toMatchObject({ phase: 'starting', ready: false, lifecycle: 'running', health: 'degraded' });
    expect(await home.unit('user')).toMatchObject({ phase: 'starting', generation: 0 });
    writeFileSync(join(home.dir, 'go'), '');
    expect(await starting).toMatchObject({ code: 0 });
    expect(await home.unit('web')).toMatchObject({ phase: 'running', ready: true, health: 'healthy', process: { pid: waiting.process?.pid } });
    expect(await home.unit('user')).toMatchObject({ phase: 'running', generation: 1 });
  });

  test('whose attempts take longer than the pause between them, and it stays: no attempt is cut off or overlaps', async () => {
    const home = makeHome(`
version: "1"
services:
  web: {command: "exec $PROGRAMS/forever", health_check: {command: "mkdir once || touch overlapped; sleep 0.4; rmdir once; echo >> done", interval: 100ms, retries: 1}}
`);
    expect(await home.sysg('start', '--daemonize', '-c', home.config)).toMatchObject({ code: 0 });
    await soon('it was checked again and again', () => readFileSync(join(home.dir, 'done'), 'utf8').length >= 4);
    expect(await home.unit('web')).toMatchObject({ phase: 'running', ready: true, generation: 1, restarts: 0 });
    expect(existsSync(join(home.dir, 'overlapped'))).toBe(false);
  });

  test('which may not take longer than attempt_timeout', async () => {
    const home = makeHome(`
version: "1"
services:
  web: {command: "exec $PROGRAMS/forever", health_check: {command: "test -e tried || { touch tried; sleep 1000; }", interval: 50ms, timeout: 1h, attempt_timeout: 200ms}}
`);
    expect(await home.sysg('start', '--daemonize', '-c', home.config)).toMatchObject({ code: 0 });
    expect(await home.unit('web')).toMatchObject({ phase: 'running', generation: 1 });
  });

  test('is waited for by a reload for as long as its --wait-timeout says', async () => {
    const home = makeHome('version: "1"\nservices:\n  web: {command: "exec $PROGRAMS/forever"}\n');
    await home.sysg('start', '--daemonize', '-c', home.config);
    home.configure('version: "1"\nservices:\n  web: {command: "exec $PROGRAMS/forever anew", health_check: {command: "test -e ready", interval: 50ms, timeout: 1h}}\n');
    expect(await home.sysg('reload', '--wait', '--wait-timeout', '500ms')).toMatchObject({
      code: 1, stderr: 'sysg: 1 of 1 units that changed did not come up\n  web: is starting after 0.5 s; see sysg why web\n',
    });
  });

  test('and has failed when it does not within its timeout, with the reason, and nothing of it is left', async () => {
    const home = makeHome(`
version: "1"
services:
  web: {command: "$PROGRAMS/forever", health_check: {command: "exit 4", interval: 100ms, timeout: 1s}}
  other: {command: "$PROGRAMS/forever"}
`);
    const { code, stderr } = await home.sysg('start', '--daemonize', '-c', home.config);
    expect(code).toBe(1);
    expect(stderr).toContain('web: not ready within 1 s: the check exited with status 4');
    const failed = await home.until('web', ({ phase }) => phase === 'failed', 'has failed');
    expect(failed.process).toBeUndefined();
    expect(await home.unit('other')).toMatchObject({ phase: 'running' });
  });

  test('and a check that hangs delays its own unit alone, and no process of it is left', async () => {
    const home = makeHome(`
version: "1"
services:
  hung: {command: "$PROGRAMS/forever", health_check: {command: "echo $$ > checker; setsid sleep 100000 & sleep 100000", timeout: 2s}}
  quick: {command: "exec $PROGRAMS/forever", health_check: {command: "true"}}
`);
    const starting = collect(home.open('start', '--daemonize', '-c', home.config));
    await home.until('quick', ({ phase }) => phase === 'running', 'runs');
    expect(await home.unit('hung')).toMatchObject({ phase: 'starting' });
    expect(await home.sysg('restart', '-s', 'quick')).toMatchObject({ code: 0 });
    expect(await starting).toMatchObject({ code: 1, stderr: expect.stringContaining('hung: not ready within 2 s: the check took longer than 2 s') });
    await home.until('hung', ({ phase }) => phase === 'failed', 'has failed');
    expect(isAlive(Number(readFileSync(join(home.dir, 'checker'), 'utf8')))).toBe(false);
    const quick = (await home.unit('quick')).process?.pid;
    expect(home.processes().filter((pid) => commandOf(pid).includes('sleep 100000'))).toEqual([quick]);
  });
});

test('the end of the supervisor ends the checks that run, all of each', async () => {
  const home = makeHome(`
version: "1"
services:
  web: {command: "exec $PROGRAMS/forever", health_check: {command: "setsid sh -c 'touch escaped; exec sleep 100000' & sleep 100000"}}
`);
  const starting = collect(home.open('start', '--daemonize', '-c', home.config));
  await soon('the check hangs', () => existsSync(join(home.dir, 'escaped')));
  expect(await home.sysg('stop')).toMatchObject({ code: 0 });
  await home.allGone();
  await starting;
});

describe('a service that is found unhealthy', () => {
  test('is restarted whatever its restart policy, within its budget', async () => {
    const home = makeHome(`
version: "1"
services:
  web: {command: "$PROGRAMS/forever", max_restarts: 2, backoff: 100ms, health_check: {command: "! rm sick", interval: 100ms, retries: 1, timeout: 1s}}
`);
    expect(await home.sysg('start', '--daemonize', '-c', home.config)).toMatchObject({ code: 0 });
    const { process: first } = await home.unit('web');
    for (const generation of [2, 3]) {
      writeFileSync(join(home.dir, 'sick'), '');
      await home.until('web', (unit) => unit.generation === generation && unit.phase === 'running', 'was restarted');
    }
    expect(isAlive(first?.pid ?? 0)).toBe(false);
    writeFileSync(join(home.dir, 'sick'), '');
    expect(await home.until('web', ({ phase }) => phase === 'failed', 'has failed')).toMatchObject({ restarts: 2, generation: 3 });
    expect(await home.sysg('start', '--daemonize', '-s', 'web')).toMatchObject({ code: 0 });
    expect(await home.unit('web')).toMatchObject({ phase: 'running', ready: true, restarts: 0 });
  });

  test('goes on with on_unhealthy: none, degraded until the check passes again', async () => {
    const home = makeHome(`
version: "1"
services:
  web:
    command: "$PROGRAMS/serves-when go port status"
    health_check: {url: "http://127.0.0.1:${await freePort()}/", interval: 100ms, retries: 2, on_unhealthy: none, expect_status: [200, 204]}
`);
    const port = /127\.0\.0\.1:([0-9]+)/.exec(readFileSync(home.config, 'utf8'))?.[1] ?? '';
    writeFileSync(join(home.dir, 'port'), port);
    writeFileSync(join(home.dir, 'go'), '');
    expect(await home.sysg('start', '--daemonize', '-c', home.config)).toMatchObject({ code: 0 });
    const { process: first } = await home.unit('web');
    writeFileSync(join(home.dir, 'status'), '503');
    await home.until('web', ({ ready }) => ready === false, 'is unready');
    expect(await home.unit('web')).toMatchObject({ phase: 'running', health: 'degraded' });
    expect((await home.sysg('status')).code).toBe(1);
    writeFileSync(join(home.dir, 'status'), '204');
    expect(await home.until('web', ({ ready }) => ready === true, 'is ready again')).toMatchObject({ health: 'healthy', generation: 1, process: { pid: first?.pid } });
  });
});

test('a supervisor that was killed finds its services ready again without awaiting what they said to the one before', async () => {
  const home = makeHome(`
version: "1"
services:
  asked: {command: "$PROGRAMS/forever", health_check: {command: "test -e go", start_period: 100ms, interval: 100ms}}
  logs: {command: "$PROGRAMS/forever", health_check: {log: "^ready"}}
  told: {command: "sh -c 'echo >&5; exec sleep 100000'", health_check: {notify_fd: 5}}
  telling: {command: "sh -c 'until test -e later; do sleep 0.02; done; echo >&5; exec sleep 100000'", health_check: {notify_fd: 5}}
`);
  writeFileSync(join(home.dir, 'go'), '');
  const starting = collect(home.open('start', '--daemonize', '-c', home.config));
  for (const name of ['asked', 'logs', 'told']) await home.until(name, ({ phase }) => phase === 'running', 'runs');
  const before = new Map((await home.status()).units.map(({ name, process }) => [name, process?.pid]));
  const first = home.supervisorPid();
  process.kill(first, 'SIGKILL');
  await soon('there is another supervisor', () => existsSync(join(home.state, 'sysg.pid')) && home.supervisorPid() !== first);
  for (const name of ['asked', 'logs', 'told']) {
    expect(await home.until(name, ({ phase }) => phase === 'running', 'is ready again')).toMatchObject({ ready: true, process: { pid: before.get(name) } });
  }
  expect(await home.unit('telling')).toMatchObject({ phase: 'starting', process: { pid: before.get('telling') } });
  writeFileSync(join(home.dir, 'later'), '');
  expect(await home.until('telling', ({ phase }) => phase === 'running', 'was heard')).toMatchObject({ process: { pid: before.get('telling') } });
  await starting;
});
