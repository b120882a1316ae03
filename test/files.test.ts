import { spawnSync } from 'node:child_process';
import fs, { closeSync, constants, existsSync, openSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { makeDirectories, readHead, readPlainFile, readTail } from '../src/files.ts';
import { tempDir } from './temp-dir.ts';

/** Something is done right before each directory is made. */
function before(act: (path: string, make: typeof fs.mkdirSync) => void): void {
  const real = fs.mkdirSync;
  const use = (mkdirSync: typeof fs.mkdirSync): void => {
    Object.assign(fs, { mkdirSync });
    syncBuiltinESMExports();
  };
  use(((path: string, options: { mode: number }) => {
    act(path, real);
    return real(path, options);
  }) as typeof fs.mkdirSync);
  onTestFinished(() => use(real));
}

test('directories that another process makes at the same time are no obstacle', () => {
  const path = join(tempDir(), 'a/b/c');
  // Every directory is there before ours is made, as soon as the one above it is.
  before((wanted, make) => {
    if (existsSync(dirname(wanted)) && !existsSync(wanted)) make(wanted);
  });
  makeDirectories(path);
  expect(statSync(path).isDirectory()).toBe(true);
});

test('what is no directory, and a place where nothing can be made, are', () => {
  const root = tempDir();
  writeFileSync(join(root, 'file'), '');
  expect(() => makeDirectories(join(root, 'file'))).toThrow('EEXIST');
  expect(() => makeDirectories(join(root, 'file/below'))).toThrow('ENOTDIR');
  expect(() => makeDirectories('/proc/nope/below')).toThrow('ENOENT');
});

test.each([
  ['the whole', readPlainFile, 'abcdef'], ['the head', (path: string) => readHead(path, 2), 'ab'], ['the tail', (path: string) => readTail(path, 2), 'ef'],
])('%s of a file is read, and a FIFO in its place is refused and not waited for', (_, read, expected) => {
  const path = join(tempDir(), 'file');
  writeFileSync(path, 'abcdef');
  expect(read(path).toString()).toBe(expected);
  rmSync(path);
  spawnSync('mkfifo', [path]);
  // Somebody has it open, so that a reader that does wait for somebody fails here and does not hang.
  const held = openSync(path, constants.O_RDWR);
  onTestFinished(() => closeSync(held));
  expect(() => read(path)).toThrow(`${path} is no plain file`);
});
