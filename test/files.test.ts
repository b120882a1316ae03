import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import { makeDirectories } from '../src/files.ts';

const fs = vi.hoisted(() => ({ before: (_: string): void => undefined }));

vi.mock('node:fs', async (original) => {
  const real = await original<typeof import('node:fs')>();
  const mkdirSync = (path: string, options: { mode: number }): void => {
    fs.before(path);
    real.mkdirSync(path, options);
  };
  return { ...real, mkdirSync };
});

afterEach(() => {
  fs.before = () => undefined;
});

function place(): string {
  const root = mkdtempSync(join(tmpdir(), 'sysg-files-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  return root;
}

test('directories that another process makes at the same time are no obstacle', async () => {
  const real = await vi.importActual<typeof import('node:fs')>('node:fs');
  const path = join(place(), 'a/b/c');
  // Every directory is there before ours is made, as soon as the one above it is.
  fs.before = (wanted) => {
    if (real.existsSync(dirname(wanted)) && !real.existsSync(wanted)) real.mkdirSync(wanted);
  };
  makeDirectories(path);
  expect(statSync(path).isDirectory()).toBe(true);
});

test('what is no directory, and a place where nothing can be made, are', () => {
  const root = place();
  writeFileSync(join(root, 'file'), '');
  expect(() => makeDirectories(join(root, 'file'))).toThrow('EEXIST');
  expect(() => makeDirectories(join(root, 'file/below'))).toThrow('ENOTDIR');
  expect(() => makeDirectories('/proc/nope/below')).toThrow('ENOENT');
});
