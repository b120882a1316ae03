import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { makeSlots, makeTurns } from '../../src/process/throttle.ts';

test('so many tasks a turn, in order, without those taken out', async () => {
  const turns = makeTurns(2);
  const done: number[] = [];
  const task = (number: number) => turns(() => done.push(number));
  task(1);
  task(2);
  const takeOut = task(3);
  task(4);
  task(5);
  takeOut();
  expect(done).toEqual([]);
  await nextTurn();
  expect(done).toEqual([1, 2]);
  await nextTurn();
  expect(done).toEqual([1, 2, 4, 5]);
});

test('tasks that come in while others run wait for their turn', async () => {
  const turns = makeTurns(1);
  const done: string[] = [];
  turns(() => {
    done.push('first');
    turns(() => done.push('second'));
  });
  await nextTurn();
  expect(done).toEqual(['first']);
  await nextTurn();
  expect(done).toEqual(['first', 'second']);
});

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
