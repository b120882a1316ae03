import { expect, test } from 'vitest';
import { makeSlots } from '../../src/process/slots.ts';

test('no more work than there are slots runs at a time, in order, and what fails makes room too', async () => {
  const inSlot = makeSlots(2);
  const begun: number[] = [];
  const ends: ((failed: boolean) => void)[] = [];
  const results = [0, 1, 2, 3].map((number) => inSlot(() => new Promise<number>((done, fail) => {
    begun.push(number);
    ends[number] = (failed) => (failed ? fail(new Error('no')) : done(number));
  })).catch(() => -1));
  const turn = () => new Promise((next) => setImmediate(next));
  expect(begun).toEqual([0, 1]);
  ends[1]?.(true);
  await turn();
  expect(begun).toEqual([0, 1, 2]);
  ends[0]?.(false);
  ends[2]?.(false);
  await turn();
  expect(begun).toEqual([0, 1, 2, 3]);
  ends[3]?.(false);
  expect(await Promise.all(results)).toEqual([0, -1, 2, 3]);
  expect(await inSlot(() => Promise.resolve('free again'))).toBe('free again');
});
