import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import type { ProcessExit } from '../../machines/types.ts';
import { findChild, keepChild } from '../../src/process/children.ts';
import { identityOf } from '../../src/process/identity.ts';

/** A process of that pid that nobody has started; `end` is what the kernel says of it. */
function rig(pid: number, startTime = '1') {
  const process = Object.assign(new EventEmitter(), { pid, unref: () => undefined });
  const identity = identityOf({ pid, startTime });
  return { identity, child: keepChild(process, identity, 'token'), end: (code: number) => void process.emit('exit', code, null) };
}

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
const ended = (code: number): ProcessExit => ({ code, signal: null });

test('a child is found until its exit was delivered, be it that somebody watches by then or later', async () => {
  const [watched, unwatched] = [rig(-1), rig(-2)];
  const exits: ProcessExit[] = [];
  watched.child.watch((exit) => exits.push(exit));
  expect(findChild(watched.identity)).toBe(watched.child);
  watched.end(1);
  expect(exits).toEqual([ended(1)]);
  expect(findChild(watched.identity)).toBeNull();
  unwatched.end(2);
  expect(findChild(unwatched.identity)).toBe(unwatched.child);
  unwatched.child.watch((exit) => exits.push(exit));
  expect(exits).toHaveLength(1);
  await turn();
  expect(exits).toEqual([ended(1), ended(2)]);
  expect(findChild(unwatched.identity)).toBeNull();
});

test('a later watcher takes the place of an earlier one, which takes nothing from it by going', () => {
  const { child, end } = rig(-3);
  const heard: string[] = [];
  const leave = child.watch(() => heard.push('earlier'));
  child.watch(() => heard.push('later'));
  leave();
  end(0);
  expect(heard).toEqual(['later']);
});

test('an exit that a watcher left behind is delivered to the next one alone', async () => {
  const { child, end } = rig(-4);
  const heard: string[] = [];
  end(0);
  child.watch(() => heard.push('left'))();
  await turn();
  for (const watcher of ['first', 'second']) child.watch(() => heard.push(watcher));
  await turn();
  expect(heard).toEqual(['second']);
});

test('the child of a pid is the one that has it now', () => {
  const [first, second] = [rig(-5, '1'), rig(-5, '2')];
  expect([findChild(first.identity), findChild(second.identity)]).toEqual([null, second.child]);
  first.child.watch(() => undefined);
  first.end(0);
  expect(findChild(second.identity)).toBe(second.child);
  expect(findChild({ ...second.identity, bootId: 'before' })).toBeNull();
});
