import { expect, test } from 'vitest';
import { bootId } from '../../src/process/boot.ts';
import type { ProcessTable, ScannedProcess } from '../../src/process/scan.ts';
import { belonging, type Lineage } from '../../src/process/tree.ts';

function table(...processes: (Partial<ScannedProcess> & { pid: number })[]): ProcessTable {
  return new Map(processes.map((process) => [process.pid, {
    ppid: 1, pgrp: process.pid, session: process.pid, state: 'S', startTime: '100', tokens: [], ...process,
  }]));
}

function lineage(known: readonly { pid: number; startTime: string }[] = []): Lineage {
  return {
    leader: { pid: 1000, startTime: '50', bootId: bootId() },
    token: 'mine',
    known: new Map(known.map((process) => [process.pid, { ...process, bootId: bootId() }])),
  };
}

const pids = (processes: readonly ScannedProcess[]) => processes.map(({ pid }) => pid).sort((a, b) => a - b);

test('the leader, its group, its session, holders of the token and their descendants belong', () => {
  const found = belonging(table(
    { pid: 1000, startTime: '50', tokens: ['mine'] },
    { pid: 1001, pgrp: 1000, session: 1000 },
    { pid: 1002, pgrp: 1002, session: 1000 },
    { pid: 1003, tokens: ['outer', 'mine', 'inner'] },
    { pid: 1004, ppid: 1003 },
    { pid: 1005, ppid: 1004 },
    { pid: 2000, tokens: ['mine too'] },
    { pid: 2001, tokens: null },
  ), lineage(), true);
  expect(pids(found)).toEqual([1000, 1001, 1002, 1003, 1004, 1005]);
});

test('a group whose number was taken again is a stranger’s', () => {
  const others = table({ pid: 1000, startTime: '900' }, { pid: 1001, pgrp: 1000, session: 1000 });
  expect(belonging(others, lineage(), false)).toEqual([]);
});

test('one proven member proves the group', () => {
  const members = table({ pid: 1001, pgrp: 1000, session: 1000, tokens: ['mine'] }, { pid: 1002, pgrp: 1000, session: 1000 });
  expect(pids(belonging(members, lineage(), false))).toEqual([1001, 1002]);
  const recorded = table({ pid: 1001, pgrp: 1000, session: 1000, tokens: null }, { pid: 1002, pgrp: 1000, session: 1000, tokens: null });
  expect(pids(belonging(recorded, lineage([{ pid: 1001, startTime: '100' }]), false))).toEqual([1001, 1002]);
  expect(belonging(recorded, lineage([{ pid: 1001, startTime: '99' }]), false)).toEqual([]);
});

test('zombies do not belong', () => {
  expect(belonging(table({ pid: 1000, startTime: '50', state: 'Z' }, { pid: 1001, pgrp: 1000, state: 'Z', tokens: ['mine'] }), lineage(), true)).toEqual([]);
});

test('the supervisor, those it descends from and PID 1 are never found, whatever token they carry', () => {
  const self = table(
    { pid: 1, ppid: 0, tokens: ['mine'] },
    { pid: process.ppid, ppid: 1, tokens: ['mine'] },
    { pid: process.pid, ppid: process.ppid, tokens: ['mine'], pgrp: 1000, session: 1000 },
    { pid: 1003, tokens: ['mine'] },
  );
  expect(pids(belonging(self, lineage(), true))).toEqual([1003]);
});
