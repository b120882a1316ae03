import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { makeHome, soon, within, type Home } from './rig.ts';

const start = (home: Home, ...more: readonly string[]) => home.sysg('start', '--daemonize', '-c', home.config, ...more);

describe('start --daemonize while a supervisor ends', () => {
  // Two seconds to stop.
  const slow = `version: "1"\nservices:\n  web: {command: "trap 'echo stopping; sleep 2; exit 0' TERM; echo ready; while :; do sleep 0.05; done"}\n`;

  test('waits for its end and starts', async () => {
    const home = makeHome(slow);
    await start(home);
    await soon('the trap is set', () => home.log('web').includes('ready'));
    const before = home.supervisorPid();
    const stopped = home.sysg('stop');
    await soon('it is being stopped', () => home.log('web').includes('stopping'));
    expect(await start(home)).toMatchObject({ code: 0, stderr: expect.not.stringContaining('already running') });
    expect(await stopped).toMatchObject({ code: 0 });
    expect(home.supervisorPid()).not.toBe(before);
    expect(await home.unit('web')).toMatchObject({ phase: 'running' });
  });

  test('or says after the wait timeout that it still ends; what would be accepted and not done is refused', async () => {
    const home = makeHome(slow.replace('sleep 2', 'while [ ! -f $HOME/enough ]; do sleep 0.05; done'));
    await start(home);
    await soon('the trap is set', () => home.log('web').includes('ready'));
    const stopped = home.sysg('stop');
    await soon('it is being stopped', () => home.log('web').includes('stopping'));
    for (const words of [['restart', '--daemonize'], ['reload'], ['restart', '--supervisor'], ['start', '--daemonize', '-s', 'web']]) {
      expect(await home.sysg(...words)).toMatchObject({ code: 1, stderr: expect.stringContaining('the supervisor is shutting down') });
    }
    writeFileSync(join(home.dir, 'enough'), '');
    expect(await stopped).toMatchObject({ code: 0 });
  });
});

describe('start --daemonize at the same time', () => {
  test('twelve times: one supervisor, and everybody returns when its services are up', async () => {
    const home = makeHome('version: "1"\nservices:\n  web: {command: "sleep 1; touch $HOME/up; exec $PROGRAMS/forever", health_check: {command: "test -f $HOME/up", interval: 100ms, timeout: 30s}}\n');
    const ends = await Promise.all(Array.from({ length: 12 }, async () => {
      const end = await start(home);
      return { ...end, phase: (await home.unit('web')).phase };
    }));
    expect(ends.map(({ code, phase }) => [code, phase])).toEqual(ends.map(() => [0, 'running']));
    const others = ends.filter(({ stderr }) => stderr.includes(`supervisor already running (pid ${home.supervisorPid()})`));
    expect(others).toHaveLength(11);
    expect(new Set(home.processes().filter((pid) => pid === home.supervisorPid())).size).toBe(1);
  });

  test('one that is slower than the wait timeout says that the services still start', async () => {
    const home = makeHome('version: "1"\nservices:\n  web: {command: "$PROGRAMS/forever", health_check: {command: "test -f $HOME/up", interval: 100ms, timeout: 60s}}\n');
    // The first start waits no longer either, and names what has not come up.
    expect(await start(home, '--wait-timeout', '2s')).toEqual({
      code: 1, stdout: '', stderr: expect.stringMatching(/1 of 1 services did not start; the supervisor runs \(pid \d+\)\n  web: was still starting when the wait timeout was over; see sysg why web\n$/),
    });
    const first = start(home);
    await home.until('web', ({ phase }) => phase === 'starting', 'starts');
    expect(await start(home, '--wait-timeout', '200ms')).toMatchObject({ code: 1, stderr: expect.stringContaining('but it is still starting its services') });
    writeFileSync(join(home.dir, 'up'), '');
    expect(await first).toMatchObject({ code: 0 });
  });
});

describe('start --daemonize beside a running supervisor', () => {
  const yaml = 'version: "1"\nservices:\n  web: {command: "$PROGRAMS/forever"}\n';

  test('is done when the file is the same and unchanged, named or found', async () => {
    const home = makeHome(yaml);
    await start(home);
    for (const words of [['-c', home.config], []]) {
      expect(await home.sysg('start', '--daemonize', ...words)).toMatchObject({ code: 0, stderr: expect.stringContaining('supervisor already running (pid ') });
    }
  });

  test('names both files when it would use another one', async () => {
    const home = makeHome(yaml);
    await start(home);
    const other = join(home.dir, 'other/sysg.yaml');
    mkdirSync(join(home.dir, 'other'));
    writeFileSync(other, yaml);
    for (const names of [[], ['web'], ['web', 'w*']]) {
      expect(await home.sysg('start', '--daemonize', ...names, '-c', other)).toMatchObject({
        code: 1, stdout: '', stderr: expect.stringContaining(`with ${home.config}, not with ${other}; what using that instead would start and end: sysg plan -c ${other}`),
      });
    }
    expect(await home.sysg('start', 'web', '-c', home.config)).toMatchObject({ code: 0 });
    // What is wrong with the other one is more than that it is another one.
    writeFileSync(other, yaml.replace('command', 'comand'));
    for (const words of [['up'], ['start'], ['start', 'web']]) {
      expect(await home.sysg(...words, '-c', other)).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/^sysg: \/.*\/other\/sysg\.yaml:\d+:\d+: .*`command`/m) });
    }
    expect(await home.sysg('up', '-c', `${other}.gone`)).toMatchObject({ code: 1, stderr: expect.stringMatching(/^sysg: Failed to read config file: .*\/other\/sysg\.yaml\.gone\)$/m) });
  });

  test('names the file of the supervisor where the directory has none to start', async () => {
    const home = makeHome(yaml);
    await start(home);
    for (const words of [['up'], ['start'], ['start', '--daemonize']]) {
      expect(await within(home, 'empty', ...words)).toMatchObject({
        code: 1, stdout: '', stderr: expect.stringMatching(new RegExp(`supervisor already running \\(pid \\d+\\) with ${home.config}, and nothing was started: No config file found: looked for .* in ${home.dir}/empty`)),
      });
    }
    expect(await within(home, 'empty', 'start', 'web')).toMatchObject({ code: 0 });
  });

  test('names what has failed, until it is stopped or runs', async () => {
    const home = makeHome(`${yaml}  api: {command: "test -e good && exec sleep 1000; exit 3"}\n${['w10', 'w9', 'b'].map((name) => `  ${name}: {command: "exit 3"}\n`).join('')}`);
    await start(home);
    for (const name of ['api', 'w10', 'w9', 'b']) await home.until(name, ({ phase }) => phase === 'failed', 'has failed');
    expect((await home.sysg('why')).stdout.match(/^\S+(?= has failed)/gm)).toEqual(['api', 'b', 'w9', 'w10']);
    for (const name of ['w10', 'w9', 'b']) await home.sysg('stop', name);
    const failed = await home.sysg('up');
    expect(failed).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/supervisor already running \(pid \d+\), but 1 of its services has failed\n {2}api: is in phase failed \(.+\); see sysg why api\n/) });
    expect(JSON.parse((await home.sysg('up', '--json')).stdout)).toMatchObject({ ok: false, units: expect.arrayContaining([{ name: 'api', phase: 'failed' }]) });
    await home.sysg('stop', 'api');
    expect(await home.sysg('up')).toMatchObject({ code: 0 });
    writeFileSync(join(home.dir, 'good'), '');
    await home.sysg('start', 'api');
    expect(await home.sysg('up')).toMatchObject({ code: 0 });
  });

  test('says reload when the file has changed since it was read, or is broken', async () => {
    const home = makeHome(yaml);
    await start(home);
    home.configure(yaml.replace('forever', 'forever --more'));
    expect(await start(home)).toMatchObject({ code: 1, stderr: expect.stringContaining('(changed: web); to apply the present one: sysg reload') });
    expect(await home.sysg('reload')).toMatchObject({ code: 0 });
    await home.until('web', ({ phase }) => phase === 'running', 'runs again');
    expect(await start(home)).toMatchObject({ code: 0 });
    home.configure('version: "1"\nservices: nothing');
    expect(await start(home)).toMatchObject({ code: 1, stderr: expect.stringContaining('its configuration cannot be used as it is now') });
  });
});
