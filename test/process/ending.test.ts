import { spawn } from 'node:child_process';
import { expect, test, vi } from 'vitest';
import type { ProcessOrder } from '../../machines/types.ts';
import { bootId } from '../../src/process/boot.ts';
import { makeEnding, type EndingInput } from '../../src/process/ending.ts';
import { readProcStat } from '../../src/process/proc.ts';
import * as scanning from '../../src/process/scan.ts';

/** Above every pid there is (PID_MAX_LIMIT of the kernel is 4194304). */
const nobody = 5_000_000;
const nothing: scanning.ProcessTable = new Map();
const helper: scanning.ProcessTable = new Map([[nobody + 1, {
  pid: nobody + 1, ppid: 1, pgrp: nobody + 1, session: nobody + 1, state: 'S', startTime: '2', tokens: ['mine'],
}]]);

/** What is said of the end of a leader that has ended, and how many searches it takes where they find these one after the other. */
async function gone(found: readonly scanning.ProcessTable[], order: ProcessOrder, input: Partial<EndingInput> = {}): Promise<{ left: readonly string[]; searches: number }> {
  const search = vi.spyOn(scanning, 'scan');
  for (const table of found) search.mockResolvedValueOnce(table);
  try {
    const leader = { pid: nobody, startTime: '1', bootId: bootId() };
    const left = await new Promise<readonly string[]>((resolve, reject) => {
      makeEnding({ leader, token: 'mine', child: null, leavesMark: true, onGone: resolve, onProblem: reject, ...input }).obey(order);
    });
    return { left, searches: search.mock.calls.length };
  } finally {
    search.mockRestore();
  }
}

const searchesUntilGone = async (...found: readonly scanning.ProcessTable[]): Promise<number> => (await gone(found, { type: 'kill' })).searches;

test('three searches in a row that may have missed a process have to find nothing', async () => {
  expect(await searchesUntilGone(nothing, nothing, nothing, helper)).toBe(3);
  expect(await searchesUntilGone(nothing, nothing, helper, nothing, nothing, nothing, helper)).toBe(6);
});

test('one search is enough that cannot have missed any', async () => {
  expect(await searchesUntilGone(nothing, scanning.lookAt([]), helper)).toBe(2);
});

test('of a leader that has ended nothing is left for the stop command to end', async () => {
  const stopCommand = vi.fn(() => Promise.resolve({ ok: true } as const));
  await gone([scanning.lookAt([])], { type: 'stop', signal: 'SIGTERM' }, { stopCommand });
  expect(stopCommand).not.toHaveBeenCalled();
});

test('what a leader has left running is named by a command that is cut to a line and changes no terminal', async () => {
  const left = spawn('/bin/sh', ['-c', `read line # \u001b[31m${'x'.repeat(80)}`], { stdio: ['pipe', 'ignore', 'ignore'] });
  const stat = readProcStat(left.pid ?? nobody);
  if (stat === null) throw new Error('sh was not started');
  const said = await gone([new Map([[stat.pid, { ...stat, ppid: 1, tokens: ['mine'] }]]), scanning.lookAt([])], { type: 'clear', signal: 'SIGKILL' });
  expect(said.left).toEqual([`"/bin/sh -c read line # ?[31m${'x'.repeat(32)}…" (pid ${stat.pid})`]);
});
