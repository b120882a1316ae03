import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { freePort } from '../free-port.ts';
import { isAlive, makeHome, soon, type Home } from './rig.ts';

function pidIn(home: Home, name: string): Promise<number> {
  return home.until(name, ({ process, phase }) => process !== undefined && phase === 'running', 'runs').then(({ process }) => process?.pid ?? 0);
}

function ask(port: number): Promise<string> {
  return new Promise((done, fail) => {
    get({ port, host: '127.0.0.1', agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk)).on('end', () => done(text)).on('error', fail);
    }).on('error', fail);
  });
}

describe('rolling', () => {
  const yaml = `version: "1"
services:
  web:
    command: sh -c 'test -e broken && exit 3; exec $PROGRAMS/forever'
    restart_policy: always
    deployment: {strategy: rolling, grace_period: 300ms}
`;

  test('the old process lives until the new one has been up for a while; both through the grace period', async () => {
    // Long enough to be seen on a busy machine.
    const home = makeHome(yaml.replace('300ms', '2s'));
    await home.sysg('start', '--daemonize');
    const old = await pidIn(home, 'web');
    const restart = home.sysg('restart', '-s', 'web');
    const beside = await home.until('web', ({ rollout }) => rollout?.pid !== undefined, 'has a second instance');
    expect([beside.process?.pid, beside.phase, beside.rollout?.instance]).toEqual([old, 'running', 'candidate']);
    const inGrace = await home.until('web', ({ rollout }) => rollout?.step === 'grace', 'is in its grace period');
    expect([inGrace.rollout?.pid, inGrace.rollout?.instance, isAlive(old)]).toEqual([old, 'retired', true]);
    expect(await restart).toMatchObject({ code: 0, stdout: "Service 'web' restarted\n" });
    expect([isAlive(old), await pidIn(home, 'web')]).toEqual([false, beside.rollout?.pid]);
  });

  test('a candidate that fails leaves the old process as it was, and the command says why', async () => {
    const home = makeHome(yaml);
    await home.sysg('start', '--daemonize');
    const old = await pidIn(home, 'web');
    writeFileSync(join(home.dir, 'broken'), '');
    const failed = await home.sysg('restart', '-s', 'web');
    expect(failed).toMatchObject({ code: 1, stderr: expect.stringContaining('process exited with status 3') });
    expect([await pidIn(home, 'web'), home.processes().filter((pid) => pid !== old && isAlive(pid)).length]).toEqual([old, expect.any(Number)]);
    expect((await home.unit('web')).rollout).toBeUndefined();
  });

  test('an address in use: the old one is stopped, the new one started, and the answer says that it was not rolling', async () => {
    const port = await freePort();
    const home = makeHome(`version: "1"\nservices:\n  web:\n    exec: [${join(import.meta.dirname, '../fixtures/programs/serves-port')}]\n    env: {vars: {PORT: "${port}"}}\n    health_check: {tcp: "127.0.0.1:${port}", interval: 50ms}\n    deployment: {strategy: rolling}\n`);
    await home.sysg('start', '--daemonize');
    const old = await pidIn(home, 'web');
    const restart = await home.sysg('restart', '-s', 'web');
    expect(restart).toMatchObject({ code: 0, stdout: expect.stringMatching(/^Service 'web' restarted; web: not rolling: its address is in use/) });
    const now = await pidIn(home, 'web');
    expect([now === old, (await ask(port)).split(' ')[0]]).toEqual([false, String(now)]);
  });

  test('a reload that changes the process replaces it in the same way, and a restart of all goes unit by unit', async () => {
    const home = makeHome(`${yaml}  plain: {command: $PROGRAMS/forever}\n`);
    await home.sysg('start', '--daemonize');
    const [old, plain] = [await pidIn(home, 'web'), await pidIn(home, 'plain')];
    home.configure(`${yaml}    env: {vars: {VERSION: "2"}}\n  plain: {command: $PROGRAMS/forever}\n`);
    expect((await home.sysg('reload')).stdout).toContain('1 restarted, 1 unchanged');
    const next = await home.until('web', ({ rollout, process }) => rollout === undefined && process !== undefined && process.pid !== old, 'was replaced');
    expect(await pidIn(home, 'plain')).toBe(plain);
    home.configure(`${yaml}    env: {vars: {VERSION: "3"}}\n  plain: {command: exit 5}\n`);
    writeFileSync(join(home.dir, 'broken'), '');
    const failed = await home.sysg('reload', '--wait');
    expect(failed).toEqual({
      code: 1, stdout: 'Configuration reloaded: 2 restarted\n',
      stderr: 'sysg: 2 of 2 units that changed did not come up\n  plain: process exited with status 5; see sysg why plain\n  web: was not replaced: process exited with status 3; see sysg why web\n',
    });
    rmSync(join(home.dir, 'broken'));
    home.configure(`${yaml}    env: {vars: {VERSION: "4"}}\n  plain: {command: $PROGRAMS/forever}\n`);
    expect(await home.sysg('reload', '--wait')).toMatchObject({ code: 0, stdout: 'Configuration reloaded: 2 restarted\n' });
    expect((await home.unit('web')).rollout).toBeUndefined();
    const all = await home.sysg('restart');
    expect(all).toMatchObject({ code: 0, stdout: 'All services restarted\n' });
    expect([await pidIn(home, 'plain') === plain, await pidIn(home, 'web') === next.process?.pid]).toEqual([false, false]);
  });

  test('a new definition is rolled out also by a supervisor that is brought back in the middle, or that takes the place of another', async () => {
    const checked = (version: number): string => `version: "1"
services:
  web:
    command: $PROGRAMS/forever
    env: {vars: {VERSION: "${version}"}}
    health_check: {command: "true", interval: 100ms}
    deployment: {strategy: rolling, health_check: {command: "test -e ${version}", interval: 50ms, timeout: 1m, retries: 1000}}
`;
    const home = makeHome(checked(1));
    await home.sysg('start', '--daemonize');
    const old = await pidIn(home, 'web');
    const isTried = (running: number): Promise<unknown> => home.until('web', ({ process, phase, rollout }) => (
      process?.pid === running && phase === 'running' && rollout?.step === 'checking'), 'runs beside a candidate');
    const passes = async (version: number, from: number): Promise<number> => {
      expect(isAlive(from)).toBe(true);
      writeFileSync(join(home.dir, String(version)), '');
      const { process } = await home.until('web', (unit) => unit.rollout === undefined && unit.process !== undefined && unit.process.pid !== from, 'was replaced');
      return process?.pid ?? 0;
    };
    home.configure(checked(2));
    await home.sysg('reload');
    await isTried(old);
    const killed = home.supervisorPid();
    process.kill(killed, 'SIGKILL');
    await soon('the guardian has brought a supervisor back', () => home.status().then(() => home.supervisorPid() !== killed).catch(() => false));
    await isTried(old);
    const second = await passes(2, old);
    home.configure(checked(3));
    expect(await home.sysg('restart', '--supervisor')).toMatchObject({ code: 0 });
    await isTried(second);
    const third = await passes(3, second);
    expect(readFileSync(`/proc/${third}/environ`, 'latin1')).toContain('\0VERSION=3\0');
  });

  test('stop in the middle ends both', async () => {
    const home = makeHome(yaml);
    await home.sysg('start', '--daemonize');
    const restart = home.sysg('restart', '-s', 'web');
    const beside = await home.until('web', ({ rollout }) => rollout?.pid !== undefined, 'has a second instance');
    expect(await home.sysg('stop', '-s', 'web')).toMatchObject({ code: 0 });
    expect([beside.process?.pid ?? 0, beside.rollout?.pid ?? 0].map(isAlive)).toEqual([false, false]);
    expect(await restart).toMatchObject({ code: 1, stderr: expect.stringContaining('superseded by stop') });
  });
});

describe('blue-green', () => {
  interface Site {
    readonly home: Home;
    readonly ports: readonly number[];
    slotFile(): string;
    /** The slot that traffic goes to. */
    active(): number;
  }

  async function site({ switching = 'true', verify = 'true', grace = '200ms' } = {}): Promise<Site> {
    const ports = [await freePort(), await freePort()];
    const program = join(import.meta.dirname, '../fixtures/programs/serves-port');
    const home = makeHome(`version: "1"
services:
  web:
    exec: [${program}, broken]
    restart_policy: always
    backoff: 100ms
    health_check: {url: "http://127.0.0.1:{slot}/", interval: 50ms}
    deployment:
      strategy: rolling
      grace_period: ${grace}
      blue_green:
        slots: [${ports.join(', ')}]
        switch_command: "echo $SYSG_ACTIVE_SLOT {candidate_slot} >> switched; ${switching} && echo {candidate_slot} > active.new && mv active.new active"
        candidate_health_check: {url: "http://127.0.0.1:{candidate_slot}/", interval: 50ms}
        switch_verify: {command: "${verify}", interval: 50ms, retries: 1}
`);
    writeFileSync(join(home.dir, 'active'), `${ports[0]}\n`);
    await home.sysg('start', '--daemonize');
    return {
      home, ports,
      slotFile: () => (existsSync(join(home.state, 'blue_green_web.json')) ? readFileSync(join(home.state, 'blue_green_web.json'), 'utf8') : 'none'),
      active: () => Number(readFileSync(join(home.dir, 'active'), 'utf8')),
    };
  }

  const recorded = (slot: number): string => `<BlueGreenState><active_slot_index>${slot}</active_slot_index></BlueGreenState>`;
  const switches = (home: Home): string => (existsSync(join(home.dir, 'switched')) ? readFileSync(join(home.dir, 'switched'), 'utf8') : '');

  test('no request is refused while two replacements go through under load; the slot outlives a crash and a new supervisor', async () => {
    // Longer than a request takes on a busy machine: who has asked the old process is answered by it.
    const { home, ports, slotFile, active } = await site({ grace: '600ms' });
    const failures: string[] = [];
    const answered = new Set<string>();
    const over = new AbortController();
    onTestFinished(() => over.abort());
    const load = Array.from({ length: 4 }, async () => {
      while (!over.signal.aborted) await ask(active()).then((text) => answered.add(text), (error: unknown) => failures.push(String(error)));
    });
    await soon('the first answer', () => answered.size > 0);
    for (const round of [1, 2, 3]) {
      expect(await home.sysg('restart', '-s', 'web')).toMatchObject({ code: 0, stderr: expect.not.stringContaining('error') });
      expect([slotFile(), active()]).toEqual([recorded(round % 2), ports[round % 2]]);
      await soon('the new process answers', () => answered.size === round + 1);
    }
    over.abort();
    await Promise.all(load);
    expect([failures, answered.size]).toEqual([[], 4]);
    expect(switches(home)).toBe([[0, 1], [1, 0], [0, 1]].map(([from = 0, to = 0]) => `${ports[from]} ${ports[to]}\n`).join(''));

    process.kill(await pidIn(home, 'web'), 'SIGKILL');
    await soon('it is back in its slot', () => ask(ports[1] ?? 0).catch(() => null));
    await home.sysg('stop');
    await home.sysg('start', '--daemonize');
    expect(await ask(ports[1] ?? 0)).toContain(String(await pidIn(home, 'web')));
  });

  test.each([
    ['a candidate that does not start', 'true', 'true', ''],
    ['a switch command that fails', 'sh -c "echo cannot switch >&2; exit 4"', 'true', 'blue/green switch command failed: cannot switch (it exited with status 4)'],
  ])('%s leaves everything as it was', async (title, switching, verify, why) => {
    const { home, ports, slotFile, active } = await site({ switching: switching.replaceAll('"', "'"), verify });
    const old = await pidIn(home, 'web');
    if (why === '') writeFileSync(join(home.dir, 'broken'), '5');
    const restart = await home.sysg('restart', '-s', 'web');
    expect(restart, title).toMatchObject({ code: 1, stderr: expect.stringContaining(why === '' ? 'process exited with status 5' : why) });
    expect([slotFile(), active(), await pidIn(home, 'web'), await ask(ports[0] ?? 0)])
      .toEqual([why === '' ? 'none' : recorded(0), ports[0], old, expect.stringContaining(String(old))]);
    await expect(ask(ports[1] ?? 0)).rejects.toThrow('ECONNREFUSED');
  });

  test('a switch command that moves the traffic and fails after that has moved it back in the end', async () => {
    const { home, ports, active } = await site({ switching: "sh -c 'echo {candidate_slot} > active; test ! -e once && touch once && exit 4; true'" });
    const old = await pidIn(home, 'web');
    expect(await home.sysg('restart', '-s', 'web')).toMatchObject({ code: 1, stderr: expect.stringContaining('blue/green switch command failed: exited with status 4') });
    expect([active(), await pidIn(home, 'web'), (await ask(active())).split(' ')[0]]).toEqual([ports[0], old, String(old)]);
  });

  test('what is not verified is switched back', async () => {
    const { home, ports, slotFile, active } = await site({ verify: 'test $(wc -l < switched) != 1' });
    const old = await pidIn(home, 'web');
    const restart = await home.sysg('restart', '-s', 'web');
    expect(restart).toMatchObject({ code: 1, stderr: expect.stringContaining('Health check did not succeed within 30s after 1 attempt') });
    expect([slotFile(), active(), await pidIn(home, 'web')]).toEqual([recorded(0), ports[0], old]);
    expect(switches(home)).toBe(`${ports[0]} ${ports[1]}\n${ports[1]} ${ports[0]}\n`);
  });

  test.each(['switching', 'grace'] as const)('kill -9 of the supervisor while it is at %s: one instance is left, where the traffic goes', async (step) => {
    const { home, ports, slotFile, active } = await site(step === 'switching' ? { switching: 'sh -c \'test -e go || sleep 600\'' } : { grace: '2s' });
    const old = await pidIn(home, 'web');
    const restart = home.sysg('restart', '-s', 'web');
    const beside = await home.until('web', ({ rollout }) => rollout?.step === step, `is at ${step}`);
    const [candidate = 0] = [beside.rollout?.instance === 'candidate' ? beside.rollout.pid : beside.process?.pid];
    const killed = home.supervisorPid();
    writeFileSync(join(home.dir, 'go'), '');
    process.kill(killed, 'SIGKILL');
    await restart;
    const [stays, goes] = step === 'switching' ? [old, candidate] : [candidate, old];
    await soon('the guardian has brought a supervisor back', () => home.status().then(() => home.supervisorPid() !== killed).catch(() => false));
    await home.until('web', ({ process: own, rollout, phase }) => own?.pid === stays && rollout === undefined && phase === 'running', 'is what it should be');
    await soon('the other one is gone', () => !isAlive(goes));
    const slot = step === 'switching' ? 0 : 1;
    await soon('the slot is recorded', () => slotFile() === recorded(slot) && active() === ports[slot]);
    rmSync(join(home.dir, 'go'));
  });
});
