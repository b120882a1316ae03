import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { identify, isAlive } from '../../src/process/identity.ts';
import * as lock from '../../src/state/lock.ts';
import { canMount, smallDisk } from '../state/small-disk.ts';
import { tempDir } from '../temp-dir.ts';
import { sysg } from './rig.ts';

interface Home {
  readonly home: string;
  readonly state: string;
  purge(): ReturnType<typeof sysg>;
}

function withState(...directories: readonly string[]): Home {
  const home = tempDir();
  const state = join(home, '.local/share/systemg');
  for (const name of ['', ...directories]) mkdirSync(join(state, name), { recursive: true, mode: 0o700 });
  return { home, state, purge: () => sysg(['purge'], { env: { HOME: home, PATH: process.env['PATH'] }, cwd: home }) };
}

/** Files that are none of sysg's. */
function elsewhere(home: string, ...directories: readonly string[]): string {
  const path = join(home, 'elsewhere');
  for (const name of ['', ...directories]) mkdirSync(join(path, name), { recursive: true });
  writeFileSync(join(path, 'precious'), '');
  return path;
}

test('nothing is removed behind a link, also where the logs of projects are there, and that is said', async () => {
  const { home, state, purge } = withState('projects/shop');
  const logs = elsewhere(home, 'projects/shop');
  symlinkSync(logs, join(state, 'logs'));
  writeFileSync(join(state, 'cron_state.xml'), '<CronStateFile/>');
  expect(await purge()).toMatchObject({ exitCode: 0, stderr: `sysg: warning: ${state}/logs is a link: what is in ${logs} stays\n` });
  expect([readdirSync(state).toSorted(), readdirSync(logs).toSorted()]).toEqual([['logs', 'projects'], ['precious', 'projects']]);
});

test.each([['with projects in it', ['projects/shop'], true], ['', [], false]])('a state directory that is a link goes without what it leads to %s, and that is said', async (_, directories, stays) => {
  const { home, state, purge } = withState();
  rmSync(state, { recursive: true });
  const there = elsewhere(home, ...directories);
  symlinkSync(there, state);
  expect(await purge()).toMatchObject({ exitCode: 0, stderr: `sysg: warning: ${state} is a link: what is in ${there} stays\n` });
  expect([existsSync(state), existsSync(join(there, 'precious'))]).toEqual([stays, true]);
});

test.skipIf(!canMount).each([['the state directory', '.'], ['the log directory', 'logs']])('%s that is a volume of a container is emptied, and all else removed', async (_, mounted) => {
  const { state, purge } = withState('logs');
  expect(smallDisk(64, join(state, mounted))).toBe(join(state, mounted));
  mkdirSync(join(state, 'logs/spawn'), { recursive: true });
  for (const name of ['cron_state.xml', 'logs/web_stdout.log']) writeFileSync(join(state, name), '<CronStateFile/>');
  expect(await purge()).toMatchObject({ exitCode: 0, stdout: 'All systemg state has been purged\n' });
  expect(readdirSync(state, { recursive: true })).toEqual(mounted === '.' ? [] : ['logs']);
});

/** A service that systemg 0.33.0 has left running, and of which its files say what it says of its own. */
function leftRunning({ home, state }: Home, configured: string): () => boolean {
  const child = spawn('sleep', ['300'], { detached: true, stdio: 'ignore' });
  onTestFinished(() => void child.kill('SIGKILL'));
  const config = join(home, 'other.yaml');
  writeFileSync(config, `version: "1"\nservices:\n  ${configured}: {command: sleep 300}\n`);
  writeFileSync(join(state, 'config_hint'), config);
  writeFileSync(join(state, 'pid.xml'), `<PidFile><services><name>web</name><pid>${child.pid}</pid></services></PidFile>`);
  const identity = identify(child.pid ?? 0);
  return () => identity !== null && isAlive(identity);
}

test('ends what systemg 0.33.0, which was killed, left running, by the file that it ran', async () => {
  const home = withState();
  const lives = leftRunning(home, 'web');
  expect(await home.purge()).toMatchObject({ exitCode: 0, stdout: 'All systemg state has been purged\n' });
  expect([lives(), existsSync(home.state)]).toEqual([false, false]);
});

test('what systemg 0.33.0 left running and nothing proves is named, and its record stays', async () => {
  const home = withState();
  const lives = leftRunning(home, 'another');
  for (let again = 0; again < 2; again += 1) {
    expect(await home.purge()).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/^sysg: pid \d+ may be service 'web' of systemg 0\.33\.0, of which .*: end it; nothing was removed\n$/) });
    expect([lives(), existsSync(join(home.state, 'pid.xml'))]).toEqual([true, true]);
  }
});

test('of two at once the second one waits for the first', async () => {
  const { state, purge } = withState();
  const first = lock.takeLock(join(state, 'supervisor.lock'));
  const { isLocked } = lock;
  const asked = vi.spyOn(lock, 'isLocked').mockImplementationOnce((path) => {
    const answer = isLocked(path);
    if (first.ok) first.release();
    return answer;
  });
  onTestFinished(() => asked.mockRestore());
  expect(await purge()).toMatchObject({ exitCode: 0, stdout: 'All systemg state has been purged\n' });
  expect(asked).toHaveBeenCalled();
});

test('a lock that another purge removes with everything is not missed', async () => {
  const { state, purge } = withState();
  const { awaitLock } = lock;
  const taken = vi.spyOn(lock, 'awaitLock').mockImplementationOnce((...given) => {
    rmSync(state, { recursive: true });
    return awaitLock(...given);
  });
  onTestFinished(() => taken.mockRestore());
  expect(await purge()).toMatchObject({ exitCode: 0, stdout: 'All systemg state has been purged\n' });
  expect(taken).toHaveBeenCalled();
});
