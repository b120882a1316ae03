import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { ownNofile, wrapping } from '../../src/process/limits.ts';
import { serviceSpec } from './spec.ts';

const { privileges } = serviceSpec([], '/');

test('no tool stands before a program that needs nothing', () => {
  expect(wrapping(privileges, null, process.env['PATH'])).toEqual({ ok: true, prefix: [] });
  expect(wrapping(privileges, ownNofile()?.soft ?? null, process.env['PATH'])).toEqual({ ok: true, prefix: [] });
});

test('the tools are found even when PATH does not lead to them, and do what their words say', () => {
  const wrapped = wrapping({ ...privileges, limits: { nofile: 256, memlock: 0, nice: 3 } }, 512, '/nowhere');
  if (!wrapped.ok) throw new Error(wrapped.reason);
  const [tool = '', ...words] = wrapped.prefix;
  const output = execFileSync(tool, [...words, '/bin/sh', '-c', 'ulimit -n; ulimit -l; nice'], { encoding: 'utf8' });
  expect(output).toBe('256\n0\n3\n');
});

test.each([
  ['user', { user: 'www' }], ['group', { group: 'www' }], ['capabilities', { capabilities: ['CAP_NET_ADMIN'] }],
  ['isolation.network', { isolation: { ...privileges.isolation, network: true } }], ['limits.cgroup', { limits: { cgroup: { root: '/' } } }],
] as const)('what cannot be enforced is refused by its key: %s', (key, changes) => {
  expect(wrapping({ ...privileges, ...changes }, null, undefined)).toEqual({ ok: false, reason: expect.stringContaining(key) });
});
