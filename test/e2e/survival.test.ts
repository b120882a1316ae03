import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { kill } from '../kill.ts';
import { type Home, isAlive, killWhileIdle, makeHome, soon } from './rig.ts';

/** A daemon of another pid serves. */
async function afterwards(home: Home, before: number): Promise<number> {
  return soon('another supervisor serves', async () => {
    const pid = await Promise.resolve().then(() => home.supervisorPid()).catch(() => 0);
    return pid !== before && pid !== 0 && (await home.status().catch(() => null)) !== null ? pid : null;
  });
}

const lines = (text: string): number[] => [...text.matchAll(/^line ([0-9]+)$/gm)].map(([, number]) => Number(number));

describe('kill -9 of the supervisor', () => {
  test('services go on under the same pids, the guardian brings a new one, no line is lost or doubled', async () => {
    const home = makeHome(`
version: "1"
services:
  one: {command: "i=0; while [ -z \\"$(cat $HOME/enough 2>/dev/null)\\" ]; do i=$((i+1)); echo line $i; sleep 0.005; done; echo last $i; exec $PROGRAMS/forever"}
  two: {command: "i=0; while [ -z \\"$(cat $HOME/enough 2>/dev/null)\\" ]; do i=$((i+1)); echo line $i; sleep 0.005; done; echo last $i; exec $PROGRAMS/forever"}
`);
    await home.sysg('start', '--daemonize', '-c', home.config);
    const before = (await home.status()).units.map(({ name, process }) => [name, process?.pid]);
    for (let round = 0; round < 3; round += 1) {
      const seen = lines(home.log('one')).length;
      await soon('lines come', () => lines(home.log('one')).length > seen + 20);
      const supervisor = home.supervisorPid();
      await killWhileIdle(supervisor);
      await afterwards(home, supervisor);
    }
    const after = (await home.status()).units;
    expect(after.map(({ name, process }) => [name, process?.pid])).toEqual(before);
    expect(after.map(({ phase, generation }) => [phase, generation])).toEqual([['running', 1], ['running', 1]]);
    writeFileSync(`${home.dir}/enough`, 'yes');
    for (const unit of ['one', 'two']) {
      await soon(`${unit} printed its last line`, () => home.log(unit).includes('ready'));
      const numbers = lines(home.log(unit));
      expect(numbers).toEqual(Array.from({ length: numbers.length }, (_, index) => index + 1));
      expect(home.log(unit)).toContain(`last ${numbers.length}\n`);
    }
  });

  test.each([
    [['stop'], 0, ''],
    [['stop', 'web'], 0, 'other'],
    [['status', '--json'], 0, 'other web'],
    [['restart', 'web'], 0, 'other web'],
    [['start', '--daemonize'], 0, 'other web'],
    [['purge', '--yes'], 0, ''],
  ])('%s while the guardian starts another supervisor waits for that one', async (words, code, left) => {
    const home = makeHome('version: "1"\nservices:\n  web: {command: $PROGRAMS/forever}\n  other: {command: $PROGRAMS/forever}\n');
    await home.sysg('start', '--daemonize');
    const guardian = home.guardianPid();
    // The guardian starts the next one at the earliest when the command looks for one.
    process.kill(guardian, 'SIGSTOP');
    const supervisor = home.supervisorPid();
    process.kill(supervisor, 'SIGKILL');
    // A command that is fast enough is taken by one that is being killed.
    await soon('the supervisor is dead', () => !isAlive(supervisor));
    const command = home.sysg(...words);
    process.kill(guardian, 'SIGCONT');
    const { code: ended, stderr } = await command;
    expect([ended, stderr]).toEqual([code, expect.not.stringMatching(/no supervisor|does not serve/)]);
    if (left === '') return home.allGone();
    const { units } = await soon('a supervisor serves', () => home.status().catch(() => null));
    expect(units.filter(({ phase }) => phase === 'running').map(({ name }) => name).sort().join(' ')).toBe(left);
    expect(isAlive(guardian)).toBe(true);
  });

  test('what was stopped by hand stays down, what was in backoff keeps its count, what died meanwhile comes back', async () => {
    const home = makeHome(`
version: "1"
services:
  down: {command: "$PROGRAMS/forever"}
  dies: {command: "$PROGRAMS/forever", restart_policy: always, backoff: 100ms}
  waits: {command: "exit 5", restart_policy: on-failure, backoff: {initial: 500ms, max: 1h, factor: 200, jitter: 0}}
`);
    await home.sysg('start', '--daemonize', '-c', home.config);
    await home.sysg('stop', '-s', 'down');
    const waiting = await home.until('waits', ({ restarts, phase }) => phase === 'backoff' && restarts === 1, 'waits long');
    const { process: dying } = await home.unit('dies');
    const supervisor = home.supervisorPid();
    process.kill(supervisor, 'SIGSTOP');
    kill(dying?.pid);
    process.kill(supervisor, 'SIGKILL');
    await afterwards(home, supervisor);
    expect(await home.unit('down')).toMatchObject({ phase: 'stopped', wanted: 'down' });
    const still = await home.unit('waits');
    expect(still).toMatchObject({ phase: 'backoff', restarts: 1 });
    // The same moment of the monotonic clock, shown by a wall clock that is read right after it; a delay counted anew would be off by what the other supervisor took to start.
    expect(Math.abs(Date.parse(still.next_at ?? '') - Date.parse(waiting.next_at ?? ''))).toBeLessThanOrEqual(40);
    await home.until('dies', ({ phase, process }) => phase === 'running' && process?.pid !== dying?.pid, 'came back as another process');
  });

  test('an adopted service that dies is noticed and restarted; stop ends adopted ones', async () => {
    const home = makeHome('version: "1"\nservices:\n  a: {command: "$PROGRAMS/forever", restart_policy: always, backoff: 50ms}\n');
    await home.sysg('start', '--daemonize', '-c', home.config);
    const supervisor = home.supervisorPid();
    process.kill(supervisor, 'SIGKILL');
    await afterwards(home, supervisor);
    const adopted = (await home.unit('a')).process?.pid ?? 0;
    process.kill(adopted, 'SIGKILL');
    const next = await home.until('a', ({ phase, process }) => phase === 'running' && process?.pid !== adopted, 'was restarted');
    const again = home.supervisorPid();
    process.kill(again, 'SIGKILL');
    await afterwards(home, again);
    expect(await home.sysg('stop')).toMatchObject({ code: 0 });
    expect(isAlive(next.process?.pid ?? 0)).toBe(false);
    await home.allGone();
  });

  test('what an adopted service leaves behind gets the stop_signal of the unit, not SIGTERM', async () => {
    const home = makeHome(`
version: "1"
services:
  a:
    command: "sh -c 'trap \\"echo got USR1; exit\\" USR1; trap \\"echo got TERM; exit\\" TERM; echo listening; while :; do sleep 0.05; done' & wait"
    stop_signal: SIGUSR1
    restart_policy: never
`);
    await home.sysg('start', '--daemonize', '-c', home.config);
    await soon('the member listens', () => home.log('a').includes('listening'));
    const supervisor = home.supervisorPid();
    process.kill(supervisor, 'SIGKILL');
    await afterwards(home, supervisor);
    kill((await home.unit('a')).process?.pid);
    await home.until('a', ({ phase }) => phase === 'failed', 'has ended');
    await soon('what it said is logged', () => home.log('a').includes('got '));
    expect(home.log('a').match(/^got .*$/gm)).toEqual(['got USR1']);
    expect(await home.sysg('stop')).toMatchObject({ code: 0 });
  });

  test('a clean stop forgets: the next start wants everything', async () => {
    const home = makeHome('version: "1"\nservices:\n  a: {command: "$PROGRAMS/forever"}\n');
    await home.sysg('start', '--daemonize', '-c', home.config);
    await home.sysg('stop', '-s', 'a');
    await home.sysg('stop');
    await home.sysg('start', '--daemonize', '-c', home.config);
    expect(await home.unit('a')).toMatchObject({ phase: 'running', wanted: 'up' });
  });

  test('while a stop is under way: the stop is carried out, and a supervisor serves again', async () => {
    const home = makeHome(`
version: "1"
services:
  stubborn: {command: "trap '' TERM; while :; do sleep 0.1; done", stop_timeout: 2s}
  other: {command: "$PROGRAMS/forever"}
`);
    await home.sysg('start', '--daemonize', '-c', home.config);
    const before = (await home.unit('other')).process?.pid;
    const stop = home.sysg('stop', '-s', 'stubborn');
    await home.until('stubborn', ({ phase }) => phase === 'stopping', 'is being stopped');
    const supervisor = home.supervisorPid();
    process.kill(supervisor, 'SIGKILL');
    expect(await stop).toMatchObject({ code: 0 });
    await afterwards(home, supervisor);
    await home.until('stubborn', ({ phase, wanted }) => phase === 'stopped' && wanted === 'down', 'stays down');
    expect((await home.unit('other')).process?.pid).toBe(before);
  });

  test('a unit that left the configuration meanwhile is ended', async () => {
    const home = makeHome('version: "1"\nservices:\n  a: {command: "$PROGRAMS/forever"}\n  b: {command: "$PROGRAMS/forever"}\n');
    await home.sysg('start', '--daemonize', '-c', home.config);
    const gone = (await home.unit('b')).process?.pid ?? 0;
    home.configure('version: "1"\nservices:\n  a: {command: "$PROGRAMS/forever"}\n');
    const supervisor = home.supervisorPid();
    process.kill(supervisor, 'SIGKILL');
    await afterwards(home, supervisor);
    await soon('it is dead', () => !isAlive(gone));
    await soon('it is no unit any more', async () => (await home.status()).units.map(({ name }) => name).join() === 'a');
  });

  test.each(['by its guardian', 'by a person', 'by restart --supervisor'])('a unit that was renamed meanwhile is gone before the other is started: the supervisor comes back %s', async (how) => {
    // It holds on to what the other needs for a while after its signal.
    const yaml = (name: string): string => `version: "1"\nservices:\n  ${name}: {command: "trap 'sleep 0.3; rmdir $HOME/held; exit 0' TERM; mkdir $HOME/held || exit 98; echo ready; while :; do sleep 0.05; done"}\n`;
    const home = makeHome(yaml('old'));
    await home.sysg('start', '--daemonize', '-c', home.config);
    await soon('the trap is set', () => home.log('old').includes('ready'));
    home.configure(yaml('new'));
    const supervisor = home.supervisorPid();
    if (how === 'by restart --supervisor') await home.sysg('restart', '--supervisor');
    else {
      if (how === 'by a person') kill(home.guardianPid());
      kill(supervisor);
      if (how === 'by a person') expect(await home.sysg('start', '--daemonize', '-c', home.config)).toMatchObject({ code: 0 });
    }
    await afterwards(home, supervisor);
    expect(await home.until('new', ({ phase }) => phase !== 'stopped' && phase !== 'starting', 'was started')).toMatchObject({ phase: 'running', restarts: 0 });
  });
});

describe('rubbish on the socket', () => {
  test('is answered with an error, and everything goes on', async () => {
    const home = makeHome('version: "1"\nservices:\n  a: {command: "$PROGRAMS/forever"}\n');
    await home.sysg('start', '--daemonize', '-c', home.config);
    for (const line of ['hello', '{}', '"Bogus"', '{"Stop":5}', '[]', `"${'x'.repeat(5000)}"`]) {
      expect(await home.exchange(line)).toMatch(/^\{"Error":"/);
    }
    expect(await home.unit('a')).toMatchObject({ phase: 'running' });
  });
});

test('a start by hand over services that went on waits for their checks before it says how they are', async () => {
  const home = makeHome(`
version: "1"
services:
  web: {command: "exec $PROGRAMS/forever", health_check: {command: "sleep 0.5", interval: 100ms}}
`);
  await home.sysg('start', '--daemonize', '-c', home.config);
  const supervisor = home.supervisorPid();
  const stat = readFileSync(`/proc/${supervisor}/stat`, 'utf8');
  process.kill(Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]), 'SIGKILL');
  process.kill(supervisor, 'SIGKILL');
  await soon('the supervisor is gone', () => !isAlive(supervisor));
  const { code, stderr } = await home.sysg('start', '--daemonize', '-c', home.config);
  expect([code, stderr]).toEqual([0, expect.not.stringMatching(/still starting/)]);
});

describe('a start by hand when supervisor, guardian and services were killed at once', () => {
  const yaml = `
version: "1"
services:
  web: {command: "$PROGRAMS/forever"}
  needs: {command: "$PROGRAMS/forever", depends_on: [web, once]}
  once: {command: "echo run >> $HOME/runs", restart_policy: never, oneshot: true}
  byhand: {command: "$PROGRAMS/forever"}
  lives: {command: "exec sleep 1000", restart_policy: never}
  broken: {command: "test -f $HOME/mended || exit 3; exec $PROGRAMS/forever", restart_policy: never, health_check: {log: "^ready"}}
`;

  test.each([['in the same boot', false], ['in another boot', true]])('starts everything at once, whatever the policy, and adopts what lives: %s', async (_, isAnotherBoot) => {
    const home = makeHome(yaml);
    expect(await home.sysg('start', '--daemonize', '-c', home.config)).toMatchObject({ code: 1 });
    await home.sysg('stop', '-s', 'byhand');
    const living = (await home.unit('lives')).process?.pid ?? 0;
    const supervisor = home.supervisorPid();
    const guardian = home.guardianPid();
    const spared = isAnotherBoot ? 0 : living;
    for (const pid of [guardian, supervisor, ...home.processes().filter((pid) => pid !== spared)]) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It ended with one of the others.
      }
    }
    await soon('all are dead', () => home.processes().every((pid) => pid === spared));
    if (isAnotherBoot) {
      const ledger = `${home.state}/ledger.ndjson`;
      writeFileSync(ledger, readFileSync(ledger, 'utf8').replaceAll(/,"crc":"[0-9a-f]+"/g, '').replaceAll(/"(boot|bootId)":"[^"]+"/g, '"$1":"another"'));
    }
    writeFileSync(`${home.dir}/mended`, '');
    expect(await home.sysg('start', '--daemonize', '-c', home.config)).toEqual({ code: 0, stdout: '', stderr: expect.not.stringContaining('did not start') });
    const units = (await home.status()).units.map(({ name, phase }) => [name, phase]).sort();
    expect(units).toEqual([['broken', 'running'], ['byhand', 'running'], ['lives', 'running'], ['needs', 'running'], ['once', 'stopped'], ['web', 'running']]);
    expect(readFileSync(`${home.dir}/runs`, 'utf8')).toBe('run\nrun\n');
    if (!isAnotherBoot) expect((await home.unit('lives')).process?.pid).toBe(living);
  });
});
