import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { scan, scanGroups, shared } from '../../src/process/scan.ts';
import { readArguments, readProcStat } from '../../src/process/proc.ts';
import { until } from '../until.ts';
import { programs } from './spec.ts';

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

function sleeper(environment: Record<string, string>): number {
  const child = spawn('/bin/sleep', ['1000'], { env: environment, stdio: 'ignore' });
  children.push(child);
  if (child.pid === undefined) throw new Error('sleep was not started');
  return child.pid;
}

test('the tokens of a process are read from its environment, wherever the variable stands', async () => {
  const first = sleeper({ SYSG_INSTANCE: 'a,b' });
  const last = sleeper({ HOME: '/', NOT_SYSG_INSTANCE: 'x', SYSG_INSTANCE_OLD: 'y', SYSG_INSTANCE: 'c' });
  const none = sleeper({ HOME: '/', TEXT: 'SYSG_INSTANCE=trap' });
  const large = sleeper({ ...Object.fromEntries(Array.from({ length: 10 }, (_, n) => [`LARGE_${n}`, 'x'.repeat(100_000)])), SYSG_INSTANCE: 'd' });
  const table = await scan();
  expect([first, last, none, large].map((pid) => table.get(pid)?.tokens)).toEqual([['a', 'b'], ['c'], [], ['d']]);
  expect(table.get(first)).toMatchObject({ ppid: process.pid, pid: first });
});

test('a scan for groups reads no environment', async () => {
  const pid = sleeper({ SYSG_INSTANCE: 'a' });
  expect((await scanGroups()).get(pid)).toMatchObject({ pid, ppid: process.pid, tokens: null });
});

test('a zombie is listed as one', async () => {
  const holder = spawn('/bin/sh', ['-c', 'sleep 0 & exec sleep 1000'], { stdio: 'ignore' });
  children.push(holder);
  let states: string[] = [];
  await until('a zombie child', () => {
    void scanGroups().then((table) => {
      states = [...table.values()].filter(({ ppid }) => ppid === holder.pid).map(({ state }) => state);
    });
    return states.includes('Z');
  });
  expect(states).toEqual(['Z']);
});

test('a process whose first thread has ended is listed as living, with its token and its words', async () => {
  const child = spawn(`${programs}ends-first-thread`, ['word'], { env: { PATH: process.env['PATH'], SYSG_INSTANCE: 'threads' }, stdio: 'ignore' });
  children.push(child);
  const { pid = 0 } = child;
  await until('the first thread has ended', () => readFileSync(`/proc/${pid}/status`, 'utf8').includes('State:\tZ'));
  expect(readProcStat(pid)).toMatchObject({ state: 'S' });
  expect((await scan()).get(pid)).toMatchObject({ state: 'S', tokens: ['threads'] });
  expect(readArguments(pid)?.at(-1)).toBe('word');
});

test('one run serves all who asked before it began, and those who ask during it wait for the next', async () => {
  const runs: (() => void)[] = [];
  const ask = shared(() => new Promise<number>((resolve) => runs.push(() => resolve(runs.length))));
  const early = [ask(), ask(), ask()];
  await until('the first run began', () => runs.length === 1);
  const late = [ask(), ask()];
  runs[0]?.();
  expect(await Promise.all(early)).toEqual([1, 1, 1]);
  await until('the second run began', () => runs.length === 2);
  runs[1]?.();
  expect(await Promise.all(late)).toEqual([2, 2]);
});

test('a run that fails is reported to those who asked for it and does not stop the next', async () => {
  let count = 0;
  const ask = shared(async () => {
    count += 1;
    if (count === 1) throw new Error('no descriptor left');
    return count;
  });
  await expect(ask()).rejects.toThrow('no descriptor left');
  expect(await ask()).toBe(2);
});
