import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeDirectories } from '../src/files.ts';
import { callersDirectory, callersEnvironment, environmentOfOurs, forgetSurroundings } from '../src/surroundings.ts';
import { tempDir } from './temp-dir.ts';

const hostile = {
  NODE_OPTIONS: '--inspect', NODE_CHANNEL_FD: '9', NODE_V8_COVERAGE: '/c', UV_THREADPOOL_SIZE: '1', OPENSSL_CONF: '/none', LOG_STREAM: '1', LOG_TOKENS: '1',
  'spring.profile': 'a b', status: '7', IFS: ':', PWD: '/', MULTI: "x\nexport NODE_FAKE='1'", PLAIN: 'é=ü', EMPTY: '',
};

test('what is meant for applications changes nothing of ours and comes back as it was', () => {
  const ours = environmentOfOurs(hostile);
  expect(Object.keys(ours).filter((name) => /^(NODE_|UV_|OPENSSL_|LOG_)/.test(name))).toEqual([]);
  // As a shell on the way leaves it: without the names that it cannot spell, and with its own variables changed.
  const { 'spring.profile': _dropped, ...spelled } = ours;
  expect(callersEnvironment({ ...spelled, status: '0', SYSG_GUARDIAN: '/g', SYSG_NOFILE: '1024' })).toEqual(hostile);
});

test('an environment that is too large for one variable comes back as the shell leaves it', () => {
  const large = { ...hostile, LARGE: 'x'.repeat(90_000) };
  const ours = environmentOfOurs(large);
  expect(Math.max(...Object.entries(ours).map(([name, value]) => name.length + String(value).length))).toBeLessThan(128 * 1024);
  expect(callersEnvironment(ours)).toEqual(large);
});

test('nothing of it stays in the supervisor', () => {
  const env = { ...environmentOfOurs({ NODE_OPTIONS: '--inspect', A: 'b' }), SYSG_READY_FD: '3', SYSG_INSTANCE: 'outer' };
  forgetSurroundings(env);
  expect(env).toEqual({ A: 'b', SYSG_INSTANCE: 'outer' });
});

test('the directory has the name in PWD where that names the same one', () => {
  const dir = tempDir();
  symlinkSync(process.cwd(), join(dir, 'current'));
  expect(callersDirectory({ PWD: join(dir, 'current') })).toBe(join(dir, 'current'));
  for (const PWD of [dir, join(dir, 'none'), '.', undefined]) expect(callersDirectory({ PWD })).toBe(process.cwd());
});

test('directories are made one by one, and where nothing can be made that is said instead of tried for ever', () => {
  const dir = tempDir();
  makeDirectories(join(dir, 'a/b/c'));
  makeDirectories(join(dir, 'a/b/c'));
  mkdirSync(join(dir, 'a/b/c/d'));
  if (process.platform === 'linux') expect(() => makeDirectories('/proc/nope/a/b')).toThrow('ENOENT');
});
