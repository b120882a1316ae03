import { expect, test } from 'vitest';
import { childEnvironment } from '../../src/process/environment.ts';

test('a variable called __proto__ is passed on, the unit’s before the inherited one', () => {
  const named = (value: string): Record<string, string> => Object.fromEntries([['__proto__', value]]);
  expect(Object.entries(childEnvironment(named('inherited'), {}, 'token'))).toEqual([['__proto__', 'inherited'], ['SYSG_INSTANCE', 'token']]);
  expect(Object.entries(childEnvironment(named('inherited'), named('own'), 'token'))).toEqual([['__proto__', 'own'], ['SYSG_INSTANCE', 'token']]);
});
