import { spawn } from 'node:child_process';
import { expect, onTestFinished, test, vi } from 'vitest';
import { identify, isAlive } from '../../src/process/identity.ts';
import { isGroupEmpty, Sender, signalGroup, signalProcess, signalUnreaped } from '../../src/process/signal.ts';
import { until } from '../until.ts';

function sleeper() {
  const child = spawn('/bin/sleep', ['1000'], { stdio: 'ignore', detached: true });
  const identity = child.pid === undefined ? null : identify(child.pid);
  if (identity === null) throw new Error('sleep was not started');
  return identity;
}

test('a process with the right pid and another start time gets nothing, the right one does', async () => {
  const identity = sleeper();
  const other = { ...identity, startTime: `${identity.startTime}0` };
  expect(signalProcess(other, 'SIGKILL')).toBe('dead');
  expect(signalGroup(identity.pid, [other], 'SIGKILL')).toBe('dead');
  expect(isAlive(identity)).toBe(true);
  expect(isGroupEmpty(identity.pid)).toBe(false);
  expect(signalGroup(identity.pid, [other, identity], 'SIGKILL')).toBe('sent');
  await until('it is dead and reaped', () => isGroupEmpty(identity.pid));
  expect(signalProcess(identity, 'SIGKILL')).toBe('dead');
});

test('a member of another group does not vouch for a group', async () => {
  const [one, two] = [sleeper(), sleeper()];
  expect(signalGroup(two.pid, [one], 'SIGKILL')).toBe('dead');
  expect(isAlive(two)).toBe(true);
  for (const identity of [one, two]) signalProcess(identity, 'SIGKILL');
  await until('both are dead', () => !isAlive(one) && !isAlive(two));
});

test('a signal that does not exist is said to be unknown', () => {
  const identity = sleeper();
  expect(signalProcess(identity, 'SIGNONE')).toBe('unknown');
  expect(signalProcess(identity, 'SIGKILL')).toBe('sent');
});

test('everybody, our own group and we ourselves are never a target', () => {
  for (const target of [0, 1, -1, Number.NaN, -process.pid]) expect(() => signalUnreaped(target, 'SIGCONT', { group: true })).toThrow('refusing to signal');
});

test('what becomes of a signal is told to its sender, and what goes wrong is reported once per text', async () => {
  const identity = sleeper();
  const problems: string[] = [];
  const sender = new Sender((text) => problems.push(text));
  const everyWay = (signal: 'SIGCONT' | 'SIGNONE') => [
    sender.toProcess(identity, signal), sender.toLeader(identity, true, signal), sender.toGroup(identity, true, [], signal), sender.toGroup(identity, false, [], signal),
  ];
  expect(new Set(everyWay('SIGCONT'))).toEqual(new Set(['sent']));
  expect(problems).toEqual([]);
  expect(new Set(everyWay('SIGNONE'))).toEqual(new Set(['unknown']));
  expect(problems.splice(0)).toEqual(['process', 'process group'].map((what) => `SIGNONE is not a signal of this platform: ${what} ${identity.pid} got none`));

  const kill = vi.spyOn(process, 'kill');
  onTestFinished(() => kill.mockRestore());
  const refuse = (code: string): void => void kill.mockImplementation(() => {
    throw Object.assign(new Error(`kill ${code}`), { code });
  });
  refuse('ESRCH');
  expect(new Set(everyWay('SIGCONT'))).toEqual(new Set(['dead']));
  expect(problems).toEqual([]);
  refuse('EPERM');
  expect([...new Set(everyWay('SIGCONT')), isGroupEmpty(identity.pid)]).toEqual(['forbidden', false]);
  expect(problems.splice(0)).toEqual(['process', 'process group'].map((what) => `${what} ${identity.pid} cannot be signalled: operation not permitted`));
  refuse('EINVAL');
  expect(new Set(everyWay('SIGCONT'))).toEqual(new Set(['failed']));
  expect(problems).toEqual(['process', 'process group'].map((what) => `${what} ${identity.pid} cannot be signalled: Error: kill EINVAL`));

  kill.mockRestore();
  expect(sender.toGroup(identity, false, [], 'SIGKILL')).toBe('sent');
  await until('it is dead and reaped', () => isGroupEmpty(identity.pid));
  expect(sender.look(identity)).toBeNull();
});
