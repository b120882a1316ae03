import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { makeTurns } from '../../src/process/turns.ts';

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
