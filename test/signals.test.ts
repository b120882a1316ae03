import { expect, test } from 'vitest';
import { signalNamed, signalNumbered } from '../src/signals.ts';

test('a signal is found by its name or its number', () => {
  expect(['HUP', 'sigusr1', 'SIG', 'NOPE', ''].map(signalNamed)).toEqual(['SIGHUP', 'SIGUSR1', null, null, null]);
  expect([15, 0, 999].map(signalNumbered)).toEqual(['SIGTERM', null, null]);
});
