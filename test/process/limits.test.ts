import { execFileSync } from 'node:child_process';
import { getPriority } from 'node:os';
import { expect, test } from 'vitest';
import { limitWrapping, ownNofile } from '../../src/process/limits.ts';

test('no tool stands before a program that needs nothing', () => {
  expect(limitWrapping({}, null, process.env['PATH'])).toEqual({ ok: true, prefix: [] });
  expect(limitWrapping({}, ownNofile()?.soft ?? null, process.env['PATH'])).toEqual({ ok: true, prefix: [] });
});

test('the tools are found even when PATH does not lead to them, and do what their words say', () => {
  const niceness = getPriority() + 3;
  const wrapped = limitWrapping({ nofile: 256, memlock: 0, nice: niceness }, 512, '/nowhere');
  if (!wrapped.ok) throw new Error(wrapped.reason);
  const [tool = '', ...words] = wrapped.prefix;
  const output = execFileSync(tool, [...words, '/bin/sh', '-c', 'ulimit -n; ulimit -l; nice'], { encoding: 'utf8' });
  expect(output).toBe(`256\n0\n${niceness}\n`);
});
