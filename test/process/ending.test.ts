import { expect, test, vi } from 'vitest';
import { bootId } from '../../src/process/boot.ts';
import { makeEnding } from '../../src/process/ending.ts';
import * as scanning from '../../src/process/scan.ts';

/** Above every pid there is (PID_MAX_LIMIT of the kernel is 4194304). */
const nobody = 5_000_000;
const nothing: scanning.ProcessTable = new Map();
const helper: scanning.ProcessTable = new Map([[nobody + 1, {
  pid: nobody + 1, ppid: 1, pgrp: nobody + 1, session: nobody + 1, state: 'S', startTime: '2', tokens: ['mine'],
}]]);

/** How many searches it takes until the end of a leader that has ended, where they find these one after the other. */
async function searchesUntilGone(...found: readonly scanning.ProcessTable[]): Promise<number> {
  const search = vi.spyOn(scanning, 'scan');
  for (const table of found) search.mockResolvedValueOnce(table);
  try {
    await new Promise<void>((resolve, reject) => {
      const leader = { pid: nobody, startTime: '1', bootId: bootId() };
      makeEnding({ leader, token: 'mine', child: null, leavesMark: true, onGone: () => resolve(), onProblem: reject }).obey({ type: 'kill' });
    });
    return search.mock.calls.length;
  } finally {
    search.mockRestore();
  }
}

test('three searches in a row that may have missed a process have to find nothing', async () => {
  expect(await searchesUntilGone(nothing, nothing, nothing, helper)).toBe(3);
  expect(await searchesUntilGone(nothing, nothing, helper, nothing, nothing, nothing, helper)).toBe(6);
});

test('one search is enough that cannot have missed any', async () => {
  expect(await searchesUntilGone(nothing, scanning.lookAt([]), helper)).toBe(2);
});
