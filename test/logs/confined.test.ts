import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, closeSync, constants, existsSync, linkSync, lstatSync, mkdirSync, openSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { exactLogPath, fifoPath, fileStem, findLogFile } from '../../src/logs/names.ts';
import { follow, lastLines } from '../../src/logs/tail.ts';
import { tempDir } from '../temp-dir.ts';
import { ended, piped, rig } from './rig.ts';

const isRoot = process.geteuid?.() === 0;
const direct = { ...piped, via: 'file', rotate: { sizeBytes: 1000, keep: 2, compress: false } } as const;

describe('a name', () => {
  test.each(['../../etc/passwd', '/etc/cron.d/x', '..', '.', 'a/../../b', 'nul\0byte', ''])('%j leads to no file outside of the directory', (name) => {
    const logDir = tempDir();
    writeFileSync(join(dirname(logDir), `${basename(logDir)}-b_stdout.log`), '');
    for (const path of [exactLogPath(logDir, name, 'stdout'), findLogFile(logDir, name, 'stderr'), fifoPath(logDir, name, 'stdout')]) {
      expect(dirname(path)).toBe(logDir);
      expect(path).not.toContain('\0');
    }
  });

  test('that cannot be a file name does not meet one that can', () => {
    expect(fileStem('a/b')).not.toBe(fileStem('a_b'));
    expect(fileStem('a/b')).not.toBe(fileStem('a\0b'));
  });
});

describe('a symbolic link in the place of a log file', () => {
  test.each([['piped', piped], ['written by the service itself', direct]] as const)('is taken away and reported, and what it leads to stays as it is (%s)', async (_, logs) => {
    const { store, run, text, file, logDir, problems } = rig();
    const secret = join(tempDir(), 'secret');
    writeFileSync(secret, 'root only\n', { mode: 0o600 });
    mkdirSync(logDir);
    symlinkSync(secret, file('web'));
    store.prepare([{ name: 'web', logs, owner: process.geteuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : null }]);
    await ended(run('web', 'echo hello'));
    await store.drain();
    expect(readFileSync(secret, 'utf8')).toBe('root only\n');
    expect(statSync(secret)).toMatchObject({ uid: process.geteuid?.(), mode: expect.any(Number) as number });
    expect(lstatSync(file('web')).isFile()).toBe(true);
    expect(text('web')).toBe('hello\n');
    expect(problems).toEqual([`${file('web')}: was a symbolic link to ${secret}, which is never written through; a file takes its place`]);
  });

  test('that was put there while the log was open does no more', async () => {
    const { store, run, text, file } = rig();
    store.prepare([{ name: 'web', logs: { ...piped, rotate: { sizeBytes: 4096, keep: 2, compress: false } } }]);
    const secret = join(tempDir(), 'secret');
    writeFileSync(secret, 'mine\n');
    await ended(run('web', 'echo one'));
    await store.drain();
    // In the place of archives and of what is made beside the log.
    for (const ending of ['.1', '.next', '.times', '.1.times']) {
      spawnSync('rm', ['-f', `${file('web')}${ending}`]);
      symlinkSync(secret, `${file('web')}${ending}`);
    }
    await ended(run('web', 'i=0; while [ $i -lt 400 ]; do echo "a line that fills the file $i"; i=$((i+1)); done'));
    await store.drain();
    expect(readFileSync(secret, 'utf8')).toBe('mine\n');
    expect(text('web')).toContain('a line that fills the file 399\n');
  });
});

test.each([['a FIFO', (path: string) => void spawnSync('mkfifo', [path])], ['a directory', (path: string) => mkdirSync(path)]])(
  '%s in the place of a log file holds up nobody: the output is dropped and that is told', async (_, make) => {
    const { store, run, file, logDir, problems } = rig();
    mkdirSync(logDir);
    make(file('web'));
    store.prepare([{ name: 'web', logs: piped }]);
    await ended(run('web', 'echo hello'));
    await store.drain();
    expect(problems.some((problem) => problem.includes('output is dropped until it can'))).toBe(true);
    // Nor who reads it.
    if (lstatSync(file('web')).isFIFO()) expect((await lastLines(file('web'), 5)).toString()).toBe('');
    rmSync(file('web'), { recursive: true });
    await ended(run('web', 'echo again'));
    store.drain();
    expect(problems.at(-1)).toMatch(/is written again; 6 bytes were dropped$/);
  },
);

test('a FIFO or a link in the place of an index holds up nobody either, and is replaced', async () => {
  const { store, run, file, logDir, text } = rig();
  mkdirSync(logDir);
  const secret = join(tempDir(), 'secret');
  writeFileSync(secret, 'sysg-times 1 1\n');
  spawnSync('mkfifo', [`${file('web')}.times`]);
  symlinkSync(secret, `${file('web', 'stderr')}.times`);
  store.prepare([{ name: 'web', logs: piped }]);
  await ended(run('web', 'echo hello; echo oops >&2'));
  await store.drain();
  expect([text('web'), text('web', 'stderr')]).toEqual(['hello\n', 'oops\n']);
  expect(lstatSync(`${file('web')}.times`).isFile()).toBe(true);
  expect(lstatSync(`${file('web', 'stderr')}.times`).isFile()).toBe(true);
  expect(readFileSync(secret, 'utf8')).toBe('sysg-times 1 1\n');
});

test('a FIFO is its owner\'s alone whatever the umask, one that others may use is closed to them, and a stranger\'s is made anew', async () => {
  const { store, run, text, fifoDir } = rig();
  const [wide, foreign] = [join(fifoDir, 'wide.stdout'), join(fifoDir, 'foreign.stdout')];
  spawnSync('mkfifo', [wide, foreign]);
  chmodSync(wide, 0o666);
  if (isRoot) chownSync(foreign, 65_534, 65_534);
  const umask = process.umask(0);
  onTestFinished(() => void process.umask(umask));
  // Held open, so that its number is not given to the next file.
  const held = openSync(foreign, constants.O_RDONLY | constants.O_NONBLOCK);
  onTestFinished(() => closeSync(held));
  const before = lstatSync(foreign).ino;
  store.prepare(['web', 'wide', 'foreign'].map((name) => ({ name, logs: piped })));
  for (const name of readdirSync(fifoDir)) expect([name, lstatSync(join(fifoDir, name)).mode & 0o777, lstatSync(join(fifoDir, name)).uid]).toEqual([name, 0o600, process.geteuid?.()]);
  if (isRoot) expect(lstatSync(foreign).ino).not.toBe(before);
  await ended(run('foreign', 'echo hello'));
  await store.drain();
  expect(text('foreign')).toBe('hello\n');
});

test('a log that others may read is closed to them', async () => {
  const { store, run, file, logDir } = rig();
  mkdirSync(logDir);
  writeFileSync(file('web'), 'of 0.33.0\n', { mode: 0o644 });
  store.prepare([{ name: 'web', logs: piped }]);
  await ended(run('web', 'echo hello'));
  await store.drain();
  expect(statSync(file('web')).mode & 0o777).toBe(0o640);
  expect(readdirSync(logDir).sort()).toEqual(['web_stderr.log', 'web_stdout.log', 'web_stdout.log.times']);
});

test('a hard link of a log, as a backup makes it, is no obstacle', async () => {
  const { store, run, file, text } = rig();
  store.prepare([{ name: 'web', logs: piped }]);
  await ended(run('web', 'echo one'));
  await store.drain();
  linkSync(file('web'), `${file('web')}.backup`);
  await ended(run('web', 'echo two'));
  await store.drain();
  expect(text('web')).toBe('one\ntwo\n');
  expect(existsSync(`${file('web')}.backup`)).toBe(true);
  await follow(file('web'), { lines: 1 }, () => undefined, AbortSignal.abort());
});
