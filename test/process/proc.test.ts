import { expect, test } from 'vitest';
import { ageByPs, parsePsLine, pidsIn } from '../../src/process/darwin.ts';
import { bootId } from '../../src/process/boot.ts';
import { identify, isAlive } from '../../src/process/identity.ts';
import { isLiving, ownerOf, parseStat, readArguments, readProcStat, statFields } from '../../src/process/proc.ts';

const numbers = (startTime: string, threads = 1) => `1 10 11 0 -1 4194304 ${'0 '.repeat(10)}${threads} 0 ${startTime} 3133440 417`;

test('a name with spaces, parentheses and newlines does not shift the fields', () => {
  const text = `123 (a) S 9 9 (b)\n) R ${numbers('4567')}`;
  expect(parseStat(text)).toEqual({ pid: 123, ppid: 1, pgrp: 10, session: 11, state: 'R', startTime: '4567' });
});

test('a text that is no stat line gives nothing', () => {
  expect(parseStat('')).toBe(null);
  expect(parseStat('123 (sh) S 1 2')).toBe(null);
});

test('zombies count as dead, stopped and sleeping processes do not', () => {
  expect(['R', 'S', 'D', 'T', 't', 'I', 'Z', 'X'].filter((state) => isLiving({ state }))).toEqual(['R', 'S', 'D', 'T', 't', 'I']);
});

test('a process whose first thread has ended lives until its last one has', () => {
  const states = [2, 1, 0].map((threads) => parseStat(`123 (a) Z ${numbers('4567', threads)}`)?.state);
  expect(states).toEqual(['S', 'Z', 'Z']);
});

test('this very process is alive under its own identity only', () => {
  const self = identify(process.pid);
  if (self === null) throw new Error('this process is not listed');
  expect(self).toEqual({ pid: process.pid, startTime: readProcStat(process.pid)?.startTime, bootId: bootId() });
  expect(isAlive(self)).toBe(true);
  expect(isAlive({ ...self, startTime: String(Number(self.startTime) + 1) })).toBe(false);
  expect(isAlive({ ...self, bootId: 'another boot' })).toBe(false);
});

test('a pid that nobody has gives null', () => {
  // Above the largest pid_max there can be.
  expect(identify(4194305)).toBe(null);
});

test('a line of ps is read with its start time as one text', () => {
  expect(parsePsLine('  501   1   501 Ss+  Mon Nov 23 21:35:00 2026')).toEqual({
    pid: 501, ppid: 1, pgrp: 501, session: 501, state: 'S', startTime: 'Mon Nov 23 21:35:00 2026',
  });
  expect(parsePsLine('')).toBe(null);
  expect(pidsIn('  501 /bin/sh -s -- /a b/state node\n 1502 /bin/sh -s -- /a b/state2 node\n   1 launchd\n', ' -s -- /a b/state ')).toEqual([501]);
  expect(ageByPs('Mon Nov 23 21:35:00 2026', Date.parse('2026-11-23T21:36:05Z'))).toBe(65_000);
  expect(ageByPs('', 0)).toBe(null);
});

test('fields of a stat line are asked for by their numbers in proc_pid_stat(5)', () => {
  const field = statFields(`123 (a) b) S ${numbers('4567')}\n`);
  expect([1, 3, 4, 7, 18, 19, 20, 22].map((number) => field?.(number))).toEqual(['123', 'S', '1', '0', '0', '0', '1', '4567']);
  expect(field?.(25)).toBe('');
  expect(statFields('no stat line')).toBe(null);
});

test('the words of this very process, and none of a process that is gone', () => {
  expect(readArguments(process.pid)?.[0]).toContain('node');
  expect(readArguments(4194305)).toBe(null);
  expect(ownerOf(process.pid)).toBe(process.getuid?.());
  expect(ownerOf(4194305)).toBe(null);
});
