import { spawnSync } from 'node:child_process';
import { renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isLocked, lockHolder, takeLock } from '../../src/state/lock.ts';
import { withoutTools } from '../process/missing-tools.ts';
import { startProgram } from './node-program.ts';
import { canMount, smallDisk } from './small-disk.ts';
import { tempDir } from '../temp-dir.ts';
import { until } from '../until.ts';

const holdLock = join(import.meta.dirname, 'fixtures/hold-lock.ts');

test('a lock is taken once; the refusal names the holder from the pid file', () => {
  const directory = tempDir();
  const path = join(directory, 'supervisor.lock');
  writeFileSync(join(directory, 'sysg.pid'), '4711\n');
  const first = takeLock(path);
  expect(first.ok).toBe(true);
  const second = takeLock(path);
  expect(second).toEqual({ ok: false, held: true, reason: `supervisor already running (pid 4711): it holds ${path}` });
  if (first.ok) first.release();
  const third = takeLock(path);
  expect(third.ok).toBe(true);
  if (third.ok) third.release();
});

test('asking whether it is locked does not take it', () => {
  const path = join(tempDir(), 'supervisor.lock');
  expect(isLocked(path)).toBe(false);
  writeFileSync(path, '');
  expect(isLocked(path)).toBe(false);
  const taken = takeLock(path);
  expect(isLocked(path)).toBe(true);
  if (taken.ok) taken.release();
  expect(isLocked(path)).toBe(false);
});

test('a lock held by another process is seen, and free as soon as that is killed', async () => {
  const directory = tempDir();
  const path = join(directory, 'supervisor.lock');
  const holder = startProgram(holdLock, directory, [path]);
  await until('the program holds the lock', () => holder.output().includes('taken'));
  expect(isLocked(path)).toBe(true);
  expect(takeLock(path).ok).toBe(false);
  holder.kill('SIGKILL');
  await until('the lock is free', () => !isLocked(path));
  const taken = takeLock(path);
  expect(taken.ok).toBe(true);
  if (taken.ok) taken.release();
});

test('a lock on a file that was replaced guards nothing: the new file can be locked', () => {
  const path = join(tempDir(), 'supervisor.lock');
  const old = takeLock(path);
  renameSync(path, `${path}.old`);
  const fresh = takeLock(path);
  expect(fresh.ok).toBe(true);
  unlinkSync(`${path}.old`);
  for (const taken of [old, fresh]) if (taken.ok) taken.release();
});

test('without flock the refusal names the package', () => {
  withoutTools();
  const path = join(tempDir(), 'supervisor.lock');
  expect(takeLock(path)).toEqual({
    ok: false, held: false, reason: `${path}: locking needs the program flock, which was not found on PATH: install util-linux`,
  });
});

test('a directory that is not there refuses with the reason', () => {
  const path = join(tempDir(), 'none', 'supervisor.lock');
  expect(takeLock(path)).toMatchObject({ ok: false, held: false, reason: expect.stringContaining('ENOENT') });
  expect(isLocked(path)).toBe(false);
});

test('a pid file with rubbish names nobody', () => {
  const path = join(tempDir(), 'sysg.pid');
  expect(lockHolder(path)).toBeNull();
  writeFileSync(path, '-1');
  expect(lockHolder(path)).toBeNull();
  writeFileSync(path, ' 12 \n');
  expect(lockHolder(path)).toBe(12);
});

test.runIf(canMount)('on a disk that has become read-only the lock that was there can be taken, and one that was not is refused with the reason', () => {
  const disk = smallDisk(64);
  if (disk === null) throw new Error('mount(8) failed');
  const path = join(disk, 'supervisor.lock');
  writeFileSync(path, '');
  expect(spawnSync('mount', ['-o', 'remount,ro', disk]).status).toBe(0);
  const taken = takeLock(path);
  expect([taken.ok, isLocked(path), takeLock(path).ok]).toEqual([true, true, false]);
  if (taken.ok) taken.release();
  expect(isLocked(path)).toBe(false);
  expect(takeLock(join(disk, 'other.lock'))).toEqual({ ok: false, held: false, reason: expect.stringMatching(/other\.lock: EROFS: read-only file system/) });
});
