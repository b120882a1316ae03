import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { identify, isAlive } from '../../src/process/identity.ts';
import { until } from '../until.ts';

test('a process is known again by its pid, its start time and the boot together: another one that has the pid is a stranger', async () => {
  const child = spawn('sleep', ['100000'], { stdio: 'ignore' });
  const identity = identify(child.pid ?? 0);
  if (identity === null) throw new Error('it does not run');
  expect(isAlive(identity)).toBe(true);
  expect(isAlive({ ...identity, startTime: `${identity.startTime}0` })).toBe(false);
  expect(isAlive({ ...identity, bootId: identity.bootId.replace(/^./, (digit) => (digit === '0' ? '1' : '0')) })).toBe(false);
  expect(isAlive({ ...identity, pid: process.pid })).toBe(false);
  child.kill('SIGKILL');
  await once(child, 'exit');
  await until('it is gone', () => !isAlive(identity));
  expect(identify(identity.pid)).toBeNull();
});
