import { expect, test } from 'vitest';
import type { OwnedProcess } from '../../machines/types.ts';
import type { UnitView } from '../../machines/view.ts';
import { findCaller } from '../../src/daemon/own-commands.ts';
import { bootId } from '../../src/process/boot.ts';
import type { ProcessTable, ScannedProcess } from '../../src/process/scan.ts';

const identity = (pid: number) => ({ pid, startTime: '50', bootId: bootId() });
const owned = (pid: number, changes: Partial<OwnedProcess> = {}): OwnedProcess => (
  { generation: 1, role: 'main', token: `t-${pid}`, adopted: false, identity: identity(pid), ...changes }
);
const view = (name: string, phase: string, process: OwnedProcess | null, rollout: { phase: string; process: OwnedProcess | null } | null = null): UnitView => (
  { spec: { name }, phase, process, rollout } as unknown as UnitView
);

/** Leaders of 10, 20 and 30, of each one child, and a stranger. */
const table: ProcessTable = new Map([10, 11, 20, 21, 30, 31, 90].map((pid): [number, ScannedProcess] => [pid, {
  pid, ppid: pid % 10 === 1 ? pid - 1 : 1, pgrp: pid, session: pid, state: 'S', startTime: '50', tokens: [],
} as unknown as ScannedProcess]));

function caller(pid: number | null, views: readonly UnitView[], startTime = '50'): ReturnType<typeof findCaller> {
  return findCaller({
    views: () => views, scan: () => Promise.resolve(table), peer: () => Promise.resolve(pid === null ? null : { uid: 0, identity: { ...identity(pid), startTime } }),
  });
}

const starting = [view('web', 'starting', owned(10)), view('db', 'starting', owned(20, { role: 'pre_start' }))];

test('a process of a unit that starts is known by its descent, and whether it is of the service or of its preparation', async () => {
  for (const pid of [10, 11]) expect(await caller(pid, starting)).toEqual({ unit: 'web', isService: true });
  for (const pid of [20, 21]) expect(await caller(pid, starting)).toEqual({ unit: 'db', isService: false });
});

test('of a unit that is replaced the candidate may ask too, as long as it starts', async () => {
  const replaced = (phase: string) => [view('web', 'running', owned(10), { phase, process: owned(30) })];
  expect(await caller(31, replaced('starting'))).toEqual({ unit: 'web', isService: true });
  expect(await caller(31, replaced('running'))).toBeNull();
  expect(await caller(11, replaced('starting'))).toBeNull();
});

test.each([
  ['a stranger', 90, '50'], ['another process with the pid of one', 11, '51'], ['who cannot be known', null, '50'],
] as const)('%s is nobody\'s', async (_, pid, startTime) => {
  expect(await caller(pid, starting, startTime)).toBeNull();
});

test('nobody is asked who sent a request while no unit could wait for its sender', async () => {
  const refused = (): never => expect.fail('was asked');
  const views = [view('up', 'running', owned(10)), view('down', 'stopped', null), view('early', 'starting', owned(20, { identity: null }))];
  expect(await findCaller({ views: () => views, peer: refused, scan: refused })).toBeNull();
});
