import { describe, expect, test } from 'vitest';
import { consumption } from '../../src/metrics/consumption.ts';
import { members } from './members.ts';

const ticks = (before: ReturnType<typeof members>, now: ReturnType<typeof members>): number => consumption(before, now).cpuTicks;

describe('what a tree used between two readings', () => {
  test('is what its living members used', () => {
    expect(ticks(members({ pid: 7, own: 10 }, { pid: 8, ppid: 7, own: 5 }), members({ pid: 7, own: 12 }, { pid: 8, ppid: 7, own: 9 }))).toBe(6);
  });

  test('counts a process that began meanwhile from its start', () => {
    expect(ticks(members({ pid: 7, own: 10 }), members({ pid: 7, own: 10 }, { pid: 9, ppid: 7, own: 4, reaped: 3 }))).toBe(7);
  });

  test('counts a child that came and went between the readings, through its parent', () => {
    expect(ticks(members({ pid: 7, own: 10 }), members({ pid: 7, own: 10, reaped: 25 }))).toBe(25);
  });

  test('counts nothing twice when a child it knew is waited for', () => {
    const before = members({ pid: 7, own: 10, reaped: 2 }, { pid: 8, ppid: 7, own: 30 });
    expect(ticks(before, members({ pid: 7, own: 10, reaped: 2 + 34 }))).toBe(4);
  });

  test('follows the time of a grandchild whose parent ended too', () => {
    const before = members({ pid: 7 }, { pid: 8, ppid: 7, own: 10 }, { pid: 9, ppid: 8, own: 20 });
    expect(ticks(before, members({ pid: 7, reaped: 33 }))).toBe(3);
  });

  test('keeps a zombie in its own account until somebody has waited for it', () => {
    const before = members({ pid: 7 }, { pid: 8, ppid: 7, own: 10 });
    const dead = members({ pid: 7 }, { pid: 8, ppid: 7, own: 12, zombie: true });
    expect(ticks(before, dead)).toBe(2);
    expect(ticks(dead, members({ pid: 7, reaped: 12 }))).toBe(0);
  });

  test('never takes away from what others used when an ended process was waited for by nobody here', () => {
    const before = members({ pid: 7, own: 10 }, { pid: 8, ppid: 1, own: 500 });
    expect(ticks(before, members({ pid: 7, own: 15 }))).toBe(5);
    const ignoring = members({ pid: 7, own: 10 }, { pid: 8, ppid: 7, own: 500 });
    expect(ticks(ignoring, members({ pid: 7, own: 15 }))).toBe(5);
  });

  test('takes off at the next reading what a parent, read a moment too early, had not waited for yet', () => {
    const first = members({ pid: 7 }, { pid: 8, ppid: 7, own: 30 });
    const torn = members({ pid: 7 });
    const late = consumption(first, torn);
    expect(late.cpuTicks).toBe(0);
    const after = consumption(torn, members({ pid: 7, reaped: 34 }), late.owed);
    expect(after.cpuTicks).toBe(4);
    // Nobody has waited for it by then: nobody will, and what comes later is someone else's.
    const never = consumption(torn, torn, late.owed);
    expect(consumption(torn, members({ pid: 7, reaped: 34 }), never.owed).cpuTicks).toBe(34);
  });

  test('takes a pid that was taken over for another process', () => {
    const before = members({ pid: 7 }, { pid: 8, ppid: 7, own: 100, startTime: '1' });
    expect(ticks(before, members({ pid: 7, reaped: 100 }, { pid: 8, ppid: 7, own: 3, startTime: '2' }))).toBe(3);
  });

  test('counts storage in the same way, and nothing where the kernel does not say', () => {
    const before = members({ pid: 7, read: 100, written: 10 }, { pid: 8, ppid: 7, read: 50, written: 0 });
    const now = members({ pid: 7, read: 170, written: 12 }, { pid: 9, ppid: 7 });
    expect(consumption(before, now)).toMatchObject({ cpuTicks: 0, readBytes: 20, writtenBytes: 2 });
  });
});

test('without an earlier reading all that the members ever used counts', () => {
  expect(consumption(new Map(), members({ pid: 7, own: 3, reaped: 4, read: 5, written: 6 }))).toMatchObject({ cpuTicks: 7, readBytes: 5, writtenBytes: 6 });
});
