import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { canMount } from '../state/small-disk.ts';
import { bin, isAlive, makeHome, programs, soon, type Ended, type Home } from './rig.ts';

const yaml = `version: "1"
services:
  talks: {command: "while :; do date; sleep 0.05; done"}
  stays: {command: "${programs}/forever", restart_policy: always, backoff: 50ms}
`;

/** A home whose state directory is on a disk of its own. */
function onSmallDisk(kibibytes: number): Home {
  const home = makeHome(yaml);
  mkdirSync(home.state, { recursive: true, mode: 0o700 });
  mount('-t', 'tmpfs', '-o', `size=${kibibytes}k,mode=700`, 'sysg-test', home.state);
  onTestFinished(() => void spawnSync('umount', ['-l', home.state]));
  return home;
}

function mount(...args: readonly string[]): void {
  expect(spawnSync('mount', args, { encoding: 'utf8' })).toMatchObject({ stderr: '', status: 0 });
}

/** Nothing that a person reads may be a trace of the program. */
const clean = (text: string): string => {
  expect(text).not.toMatch(/internal error|^ {4}at /m);
  return text;
};

test.runIf(canMount)('a full disk: orders are carried out, status and doctor say which files are behind, and what was not written is written when there is room', async () => {
  const home = onSmallDisk(1024);
  await home.sysg('start', '--daemonize', '-c', home.config);
  const stuffing = join(home.state, 'stuffing');
  for (let size = 4096; statfsSync(home.state).bavail > 0; size = Math.max(1, statfsSync(home.state).bavail * 4096)) {
    writeFileSync(stuffing, Buffer.alloc(size), { flag: 'a' });
  }
  const before = (await home.unit('stays')).process?.pid;
  expect(await home.sysg('restart', '-s', 'stays')).toMatchObject({ code: 0 });
  expect(await home.sysg('stop', '-s', 'talks')).toMatchObject({ code: 0 });
  expect((await home.unit('stays')).process?.pid).not.toBe(before);
  // What each of them lacks differs with what there was room for.
  const behind = await soon('files are behind', async () => (await home.status()).unwritten ?? null);
  const [first = ''] = behind;
  const file = first.slice(0, first.indexOf(':'));
  expect(existsSync(file)).toBe(true);
  expect(clean((await home.sysg('status')).stdout)).toContain(`The supervisor goes on, and cannot write all of its files:\n  ${file}: cannot be written: `);
  const doctor = clean((await home.sysg('doctor')).stdout);
  expect(doctor.split('\n').filter((line) => line.startsWith('WRONG')).map((line) => line.split(/ {2,}/)[0])).toEqual(['WRONG writing', 'WRONG disk space']);
  rmSync(stuffing);
  await home.sysg('start', '-s', 'talks');
  await soon('everything is written', async () => (await home.status()).unwritten === undefined);
  // Without a gap in the journal.
  expect(clean((await home.sysg('doctor')).stdout).split('\n').filter((line) => line.startsWith('WRONG'))).toEqual([expect.stringContaining('WRONG disk space')]);
});

test.runIf(canMount)('a read-only disk: a supervisor that is killed comes back, looks after what runs, starts nothing twice, and is reached when the disk is writable', async () => {
  const home = onSmallDisk(4096);
  await home.sysg('start', '--daemonize', '-c', home.config);
  const [talks, stays, supervisor] = [(await home.unit('talks')).process?.pid ?? 0, (await home.unit('stays')).process?.pid ?? 0, home.supervisorPid()];
  // From now on every name there leads to a read-only disk.
  const aside = join(home.dir, 'read-only');
  mkdirSync(aside);
  mount('--bind', home.state, aside);
  mount('-o', 'remount,bind,ro', aside);
  mount('--bind', aside, home.state);
  spawnSync('umount', ['-l', aside]);
  const end = (): void => void spawnSync('umount', ['-l', home.state]);
  onTestFinished(end);
  process.kill(supervisor, 'SIGKILL');
  process.kill(stays, 'SIGKILL');
  const others = (): readonly number[] => {
    const sleepers = spawnSync('pgrep', ['-f', '^sleep 100000$'], { encoding: 'utf8' }).stdout.split('\n').map(Number);
    return home.processes().filter((pid) => pid !== stays && sleepers.includes(pid));
  };
  const [again] = await soon('the service is restarted', () => (others().length > 0 ? others() : null));
  expect(isAlive(talks)).toBe(true);
  end();
  const units = await soon('the supervisor is reached', async () => (await home.status().catch(() => null))?.units ?? null);
  expect(Object.fromEntries(units.map(({ name, process }) => [name, process?.pid]))).toEqual({ talks, stays: again });
  expect(others()).toEqual([again]);
  expect(await home.sysg('stop')).toMatchObject({ code: 0 });
  await home.allGone();
});

test.runIf(canMount)('a start on a read-only disk is refused in a sentence that names it, and starts nothing', async () => {
  const home = onSmallDisk(4096);
  await home.sysg('start', '--daemonize', '-c', home.config);
  await home.sysg('stop');
  mount('-o', 'remount,ro', home.state);
  for (const how of [['--daemonize'], []]) {
    const { code, stderr } = await home.sysg('start', ...how, '-c', home.config);
    expect(code).toBe(1);
    expect(clean(stderr)).toMatch(new RegExp(`sysg: ${home.state}/\\S+: .*read-only file system`));
  }
  await home.allGone();
});

// A uid that nobody else has: root reads what nobody may.
const stranger = 64_124;

test.runIf(process.getuid?.() === 0)('a ledger that cannot be read when a killed supervisor comes back keeps it from its work as long as that lasts, and no longer', async () => {
  const home = makeHome(yaml);
  chownSync(home.dir, stranger, stranger);
  const as = (...args: readonly string[]): Promise<Ended> => home.openProgram('setpriv', [`--reuid=${stranger}`, `--regid=${stranger}`, '--clear-groups', bin, ...args], {});
  expect(await as('start', '--daemonize', '-c', home.config)).toMatchObject({ code: 0 });
  const [ledger, log] = [join(home.state, 'ledger.ndjson'), join(home.state, 'logs/supervisor.log')];
  const [pid, supervisor] = [(await home.unit('stays')).process?.pid, home.supervisorPid()];
  chmodSync(ledger, 0);
  process.kill(supervisor, 'SIGKILL');
  await soon('the next one says why it waits', () => readFileSync(log, 'utf8').includes('ledger.ndjson: cannot be read: EACCES'));
  expect(clean(readFileSync(log, 'utf8'))).toContain('services go on, and nobody looks after them until the next try, in 5 s');
  chmodSync(ledger, 0o600);
  await soon('it serves', async () => (await home.status().catch(() => null)) !== null);
  expect((await home.unit('stays')).process?.pid).toBe(pid);
  expect(await as('stop')).toMatchObject({ code: 0 });
  await home.allGone();
});
