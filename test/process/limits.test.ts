import { execFileSync } from 'node:child_process';
import { getPriority } from 'node:os';
import { expect, test } from 'vitest';
import { limitWrapping, nofileToRestore, nofileWords, ownNofile } from '../../src/process/limits.ts';

test('no tool stands before a program that needs nothing', () => {
  for (const platform of ['linux', 'darwin'] as const) expect(limitWrapping({}, process.env['PATH'], platform)).toEqual({ ok: true, prefix: [] });
  expect(nofileWords(nofileToRestore({}, null), process.env['PATH'])).toEqual([]);
  expect(nofileWords(nofileToRestore({}, ownNofile()?.soft ?? null), process.env['PATH'])).toEqual([]);
});

test.each(['linux', 'darwin'] as const)('the tools of %s are found even when PATH does not lead to them, and do what their words say', (platform) => {
  const niceness = getPriority() + 3;
  const wrapped = limitWrapping({ nofile: 256, memlock: 4096, nice: niceness }, '/nowhere', platform);
  if (!wrapped.ok) throw new Error(wrapped.reason);
  const [tool = '', ...words] = wrapped.prefix;
  const output = execFileSync(tool, [...words, '/bin/sh', '-c', 'ulimit -n; ulimit -l; nice'], { encoding: 'utf8' });
  expect(output).toBe(`256\n4\n${niceness}\n`);
});

test('the soft limit of open files of the caller goes before the limits of the unit, and not above the hard one', () => {
  const hard = ownNofile()?.hard ?? Infinity;
  expect([nofileToRestore({}, 512), nofileToRestore({ nofile: 300 }, 512), nofileToRestore({}, Number.MAX_SAFE_INTEGER)]).toEqual([512, null, Math.min(hard, Number.MAX_SAFE_INTEGER)]);
  const [tool = '', ...words] = nofileWords(512, '/nowhere');
  const output = execFileSync(tool, [...words, '/bin/sh', '-c', 'ulimit -S -n; ulimit -H -n'], { encoding: 'utf8' });
  expect(output).toBe(`512\n${Number.isFinite(hard) ? hard : 'unlimited'}\n`);
});
