import { describe, expect, test } from 'vitest';
import type { ProcessTable, ScannedProcess } from '../../src/process/scan.ts';
import { bootId } from '../../src/process/boot.ts';
import { authorise, type Claim } from '../../src/spawned/authority.ts';

const row = (pid: number, ppid: number, tokens: readonly string[] | null, more: Partial<ScannedProcess> = {}): ScannedProcess => ({ pid, ppid, pgrp: pid, session: pid, state: 'S', startTime: `${pid}0`, tokens, ...more });
const identity = (pid: number, startTime = `${pid}0`) => ({ pid, startTime, bootId: bootId() });
const peer = (pid: number, uid = 1000, startTime = `${pid}0`) => ({ identity: identity(pid, startTime), uid });

// Above every pid_max, so that none of these is the test itself.
const [orch, worker, plain, child, grandchild, below, stranger, other] = [5_000_001, 5_000_002, 5_000_003, 5_000_004, 5_000_005, 5_000_006, 5_000_007, 5_000_008];
const table: ProcessTable = new Map([
  row(orch, 1, ['T']), row(worker, orch, ['T']), row(plain, 1, ['P']), row(child, 1, ['T', 'c1']), row(grandchild, 1, ['T', 'c2']), row(below, grandchild, ['T', 'c2']),
  row(stranger, 1, []), row(other, 1, ['O']),
].map((process) => [process.pid, process]));
const base: Claim = {
  table, tokensReadable: true, peer: peer(stranger), uid: 1000, parentPid: orch,
  services: [
    { unit: 'orch', dynamic: true, generation: 3, leader: identity(orch), token: 'T' }, { unit: 'plain', dynamic: false, generation: 1, leader: identity(plain), token: 'P' },
    { unit: 'other', dynamic: true, generation: 1, leader: identity(other), token: 'O' },
  ],
  children: [{ child: 'c1', leader: identity(child), token: 'c1' }, { child: 'c2', leader: identity(grandchild), token: 'c2' }],
};
const granted = (changes: Partial<Claim>): unknown => {
  const authority = authorise({ ...base, ...changes });
  return authority.ok ? [authority.service.unit, authority.service.generation, authority.parent] : authority.error;
};
const refused = (why: string): string => `Spawn authorization failed: No spawn tree found for process (${why})`;

describe('a client outside of every tree', () => {
  test('may name any process of a dynamic unit\'s tree; the spawned child it is in is the parent', () => {
    expect(granted({ parentPid: orch })).toEqual(['orch', 3, null]);
    expect(granted({ parentPid: worker })).toEqual(['orch', 3, null]);
    expect(granted({ parentPid: child })).toEqual(['orch', 3, 'c1']);
    expect(granted({ parentPid: below })).toEqual(['orch', 3, 'c2']);
    expect(granted({ parentPid: other })).toEqual(['other', 1, null]);
  });

  test('may name no other process, not even when one dynamic unit is all there is', () => {
    expect(granted({ parentPid: 1 })).toBe(refused('there is no process 1'));
    expect(granted({ parentPid: stranger })).toBe(refused(`process ${stranger} is not in the tree of a service`));
    expect(granted({ parentPid: plain })).toBe(refused("service 'plain' has no spawn.mode: dynamic"));
  });

  test('has to be the owner or root', () => {
    expect(granted({ peer: peer(stranger, 0) })).toEqual(['orch', 3, null]);
    expect(granted({ peer: peer(stranger, 33) })).toBe(refused('uid 33 may not ask'));
  });
});

describe('a client inside a unit\'s tree', () => {
  test('may name any process of that tree, no matter of which user', () => {
    expect(granted({ peer: peer(worker, 33), parentPid: orch })).toEqual(['orch', 3, null]);
    expect(granted({ peer: peer(below), parentPid: child })).toEqual(['orch', 3, 'c1']);
  });

  test('may not name one of another', () => {
    expect(granted({ peer: peer(worker), parentPid: other })).toBe(refused(`process ${other} is not in the tree of service 'orch', as the client is`));
    expect(granted({ peer: peer(plain), parentPid: orch })).toBe(refused(`process ${orch} is not in the tree of service 'plain', as the client is`));
  });

  test('in a static unit may name none', () => {
    expect(granted({ peer: peer(plain), parentPid: plain })).toBe(refused("service 'plain' has no spawn.mode: dynamic"));
  });

  test('is known by its start time: another process with its pid is a stranger', () => {
    expect(granted({ peer: peer(worker, 1000, '9'), parentPid: other })).toEqual(['other', 1, null]);
  });
});

describe('where it cannot be found out who asks', () => {
  test('the parent must hold a token of a dynamic unit', () => {
    expect(granted({ peer: null, parentPid: worker })).toEqual(['orch', 3, null]);
    const bare = new Map(table).set(worker, row(worker, orch, []));
    expect(granted({ table: bare, peer: null, parentPid: worker })).toBe(refused(`process ${worker} is not in the tree of a service`));
    expect(granted({ table: bare, parentPid: worker })).toEqual(['orch', 3, null]);
  });

  test('and no environment can be read, groups and parents decide', () => {
    const blind = new Map([...table].map(([pid, process]) => [pid, { ...process, tokens: null }]));
    expect(granted({ table: blind, tokensReadable: false, peer: null, parentPid: worker })).toEqual(['orch', 3, null]);
    expect(granted({ table: blind, tokensReadable: false, peer: null, parentPid: stranger })).toBe(refused(`process ${stranger} is not in the tree of a service`));
  });
});

test('a dead parent, and one whose pid the service\'s dead leader had, are none', () => {
  expect(granted({ table: new Map(table).set(worker, row(worker, orch, [], { state: 'Z' })), parentPid: worker })).toBe(refused(`there is no process ${worker}`));
  const reused = new Map(table).set(orch, row(orch, 1, [], { startTime: '99' }));
  expect(granted({ table: reused, parentPid: orch })).toBe(refused(`process ${orch} is not in the tree of a service`));
});
