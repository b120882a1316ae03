import { chmodSync, existsSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { takeLock } from '../../src/state/lock.ts';
import { keepPresence, type Presence } from '../../src/state/presence.ts';
import { runtimePaths, type RuntimePaths } from '../../src/runtime-paths.ts';
import { prepareRuntime } from '../../src/state/runtime.ts';
import { tempDir } from '../temp-dir.ts';

interface Rig {
  readonly home: string;
  readonly paths: RuntimePaths;
  readonly presence: Presence;
  readonly problems: string[];
  readonly done: string[];
}

/** A presence whose socket is a plain file. */
function rig(sees: (isInPlace: () => boolean) => boolean = (isInPlace) => isInPlace(), refusals: Error[] = []): Rig {
  const home = join(tempDir(), 'home');
  mkdirSync(home);
  const paths = runtimePaths({ system: false, env: { HOME: home } });
  expect(prepareRuntime(paths)).toBeNull();
  const lock = takeLock(paths.lock);
  if (!lock.ok) throw new Error(lock.reason);
  const [problems, done]: [string[], string[]] = [[], []];
  writeFileSync(paths.socket, '');
  const presence = keepPresence({
    paths, lock: {
      ok: true, isInPlace: () => sees(lock.isInPlace),
      release: () => {
        done.push('old lock released');
        lock.release();
      },
    },
    socket: {
      isInPlace: () => statSync(paths.socket, { throwIfNoEntry: false })?.isFile() === true,
      putBack: async () => {
        const refusal = refusals.shift();
        if (refusal !== undefined) throw refusal;
        rmSync(paths.socket, { force: true });
        writeFileSync(paths.socket, '');
        done.push('socket');
      },
    },
    restoreFiles: () => {
      const missing = !existsSync(paths.pidFile);
      if (missing) writeFileSync(paths.pidFile, '1');
      if (missing) done.push('files');
      return missing;
    },
    onProblem: (text) => problems.push(text),
    onReplaced: (reason) => done.push(`replaced: ${reason}`),
  });
  onTestFinished(() => {
    presence.close();
    presence.release();
  });
  return { home, paths, presence, problems, done };
}

test('as long as nothing is missing nothing is done or said', async () => {
  const { paths, presence, problems, done } = rig();
  writeFileSync(paths.pidFile, '1');
  await presence.look();
  expect([problems, done, presence.isOurs()]).toEqual([[], [], true]);
});

test('a removed socket is put back', async () => {
  const { paths, presence, problems, done } = rig();
  writeFileSync(paths.pidFile, '1');
  rmSync(paths.socket);
  await Promise.all([presence.look(), presence.look()]);
  expect(done).toEqual(['socket']);
  expect(problems).toEqual([`${paths.socket}: was removed by somebody and has been put back`]);
});

test('a socket that cannot be put back is said once, and so is that it is there again', async () => {
  const full = (): Error => new Error('no room for a socket');
  const { paths, presence, problems, done } = rig(undefined, [full(), full()]);
  writeFileSync(paths.pidFile, '1');
  rmSync(paths.socket);
  for (let look = 1; look <= 4; look += 1) await presence.look();
  expect(done).toEqual(['socket']);
  expect(problems.splice(0)).toEqual(['clients may not find this supervisor: no room for a socket', `${paths.socket}: is there again; clients reach this supervisor`]);
  rmSync(paths.socket);
  await presence.look();
  expect(problems).toEqual([`${paths.socket}: was removed by somebody and has been put back`]);
});

test('who ends puts nothing back any more, in a look that has begun neither', async () => {
  const { paths, presence, problems, done } = rig();
  rmSync(paths.socket);
  const look = presence.look();
  presence.close();
  await look;
  await presence.look();
  expect([done, problems]).toEqual([[], []]);
});

test('a removed directory is made again, with its lock held: nobody else can start there', async () => {
  const { paths, presence, problems, done } = rig();
  rmSync(paths.stateDir, { recursive: true });
  expect(presence.isOurs()).toBe(false);
  await presence.look();
  expect(done).toEqual(['old lock released', 'socket', 'files']);
  expect(problems).toEqual([expect.stringContaining('was removed by somebody and has been put back')]);
  expect(presence.isOurs()).toBe(true);
  expect(takeLock(paths.lock)).toMatchObject({ ok: false, held: true });
  presence.release();
  const next = takeLock(paths.lock);
  expect(next.ok).toBe(true);
  if (next.ok) next.release();
});

test('where another supervisor took the directory over, this one learns that it must end, and touches nothing there', async () => {
  const { paths, presence, done } = rig();
  renameSync(paths.stateDir, `${paths.stateDir}.old`);
  expect(prepareRuntime(paths)).toBeNull();
  const other = takeLock(paths.lock);
  if (!other.ok) throw new Error(other.reason);
  onTestFinished(() => other.release());
  await presence.look();
  expect(done).toEqual([expect.stringMatching(/^replaced: supervisor already running/)]);
  expect([presence.isOurs(), existsSync(paths.socket)]).toEqual([false, false]);
});

test('a lock that could not be looked at for a moment is not taken for another supervisor\'s', async () => {
  let looks = 0;
  const { presence, done } = rig((isInPlace) => {
    looks += 1;
    if (looks === 1) throw new Error('EACCES');
    return isInPlace();
  });
  await presence.look();
  expect(done).toEqual(['socket', 'files']);
});

test('a socket that somebody else serves is not taken away from him, and that is said once', async () => {
  const { paths, presence, problems, done } = rig();
  writeFileSync(paths.pidFile, '1');
  rmSync(paths.socket);
  const other = createServer();
  await new Promise<void>((listening) => void other.listen(paths.socket, listening));
  onTestFinished(() => new Promise<void>((closed) => void other.close(() => closed())));
  await presence.look();
  await presence.look();
  expect(done).toEqual([]);
  expect(problems).toEqual([expect.stringContaining('somebody else serves there')]);
});

test.each([['names this supervisor', String(process.pid)], ['is gone', null]])('a socket that another program took while the pid file %s is put back', async (_what, pid) => {
  const { paths, presence, problems, done } = rig();
  if (pid !== null) writeFileSync(paths.pidFile, pid);
  rmSync(paths.socket);
  const thief = createServer();
  await new Promise<void>((listening) => void thief.listen(paths.socket, listening));
  onTestFinished(() => new Promise<void>((closed) => void thief.close(() => closed())));
  await presence.look();
  expect(done[0]).toBe('socket');
  expect(problems).toEqual([`${paths.socket}: was taken over by another program and has been put back`]);
});

test('a state directory that somebody opened to others is closed again, and that is said', async () => {
  const { paths, presence, problems } = rig();
  chmodSync(paths.stateDir, 0o755);
  writeFileSync(paths.pidFile, '1');
  await presence.look();
  await presence.look();
  expect((statSync(paths.stateDir).mode & 0o777).toString(8)).toBe('700');
  expect(problems).toEqual([`${paths.stateDir}: was opened to other users by somebody and is closed to them again`]);
});

test('with the home gone as well nothing is made again before it is back, and that is said once', async () => {
  const { home, paths, presence, problems, done } = rig();
  renameSync(home, `${home}.away`);
  await presence.look();
  await presence.look();
  expect(done).toEqual([]);
  expect(problems).toEqual([`${home} is gone, and with it the socket: nobody can reach this supervisor until it is back`]);
  mkdirSync(home);
  await presence.look();
  expect(done).toEqual(['old lock released', 'socket', 'files']);
  expect(existsSync(paths.lock)).toBe(true);
});

test('what cannot be put back is said once and tried again', async () => {
  const { paths, presence, problems, done } = rig();
  rmSync(paths.stateDir, { recursive: true });
  writeFileSync(paths.stateDir, 'in the way');
  await presence.look();
  await presence.look();
  expect(problems).toEqual([expect.stringContaining('cannot be made again')]);
  rmSync(paths.stateDir);
  await presence.look();
  expect(done).toEqual(['old lock released', 'socket', 'files']);
});

test('what lies in the place of a state file is set aside while the supervisor runs, and what cannot be is named once', async () => {
  const { paths, presence, problems } = rig();
  mkdirSync(paths.pidFile);
  mkdirSync(join(paths.stateDir, 'pid.xml'));
  await presence.look();
  expect(problems).toEqual([
    ...[join(paths.stateDir, 'pid.xml'), paths.pidFile].map((path) => `${path}: is not the file that belongs there; what was there is ${path}.aside now`),
    `${paths.stateDir}: files were removed or changed by somebody and have been put back`,
  ]);
  expect([statSync(`${paths.pidFile}.aside`).isDirectory(), statSync(paths.pidFile).isFile()]).toEqual([true, true]);
});
