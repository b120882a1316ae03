import { spawn } from 'node:child_process';
import { expect, onTestFinished, test } from 'vitest';
import { childEnvironment, environmentOf, tokensIn } from '../../src/process/environment.ts';

test('a variable called __proto__ is passed on, the unit’s before the inherited one', () => {
  const named = (value: string): Record<string, string> => Object.fromEntries([['__proto__', value]]);
  expect(Object.entries(childEnvironment(named('inherited'), {}, 'token'))).toEqual([['__proto__', 'inherited'], ['SYSG_INSTANCE', 'token']]);
  expect(Object.entries(childEnvironment(named('inherited'), named('own'), 'token'))).toEqual([['__proto__', 'own'], ['SYSG_INSTANCE', 'token']]);
});

test('the tokens of a process come behind those of outer supervisors, and none of what is between launcher and supervisor goes on', () => {
  const inherited = { SYSG_INSTANCE: 'outer', SYSG_NOHUP: '1', A: 'inherited', B: undefined };
  expect(childEnvironment(inherited, { A: 'own' }, 'unit', 'hook')).toEqual({ A: 'own', SYSG_INSTANCE: 'outer,unit,hook' });
  expect(childEnvironment({ SYSG_INSTANCE: '' }, { SYSG_INSTANCE: 'forged' }, 'unit')).toEqual({ SYSG_INSTANCE: 'unit' });
});

test.each([
  ['A=1\0SYSG_INSTANCE=a,b\0C=2\0', ['a', 'b']], ['SYSG_INSTANCE=a', ['a']], ['NO_SYSG_INSTANCE=a\0', []], ['NO_SYSG_INSTANCE=a\0SYSG_INSTANCE=b\0', ['b']],
  ['SYSG_INSTANCE=\0', []], ['SYSG_INSTANCE=,a,\0', ['a']], ['A=SYSG_INSTANCE=a\0', []], ['', []],
])('the tokens in %j are %j', (text, tokens) => expect(tokensIn(Buffer.from(text))).toEqual(tokens));

test.runIf(process.platform === 'linux')('the environment of a process is read, values with an equals sign included, and null of one that is gone', () => {
  const child = spawn('sleep', ['1000'], { env: { A: 'b=c', EMPTY: '' }, stdio: 'ignore' });
  onTestFinished(() => void child.kill('SIGKILL'));
  expect(environmentOf(child.pid ?? 0)).toEqual(new Map([['A', 'b=c'], ['EMPTY', '']]));
  // Above every pid there is (PID_MAX_LIMIT of the kernel is 4194304).
  expect(environmentOf(5_000_000)).toBeNull();
});
