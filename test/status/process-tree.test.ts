import { describe, expect, test } from 'vitest';
import type { SpawnedProcessNode } from '../../src/wire/payloads.ts';
import type { LiveProcess } from '../../src/metrics/sampler.ts';
import type { ShownChild } from '../../src/status/process-tree.ts';
import { processTree } from '../../src/status/process-tree.ts';

const live = (pid: number, parentPid: number, startedAtMs = pid): LiveProcess => ({ pid, parentPid, startTime: '1', state: 'S', startedAtMs, cpuPercent: 1.5, rssBytes: 4096 });
const shape = (nodes: readonly SpawnedProcessNode[]): unknown => nodes.map(({ child, children }) => [child.pid, child.depth, shape(children ?? [])]);
// Above every pid_max: the kernel has no such processes.
const base = 5_000_000;

describe('the processes of a unit', () => {
  test('hang from their parents, the oldest first, and the leader is not among them', () => {
    const processes = [live(base, 1), live(base + 3, base, 300), live(base + 1, base, 400), live(base + 2, base + 1)];
    expect(shape(processTree(base, processes))).toEqual([[base + 3, 1, []], [base + 1, 1, [[base + 2, 2, []]]]]);
  });

  test('hang from the leader when their parent is none of them, with the parent the kernel names', () => {
    const [node] = processTree(base, [live(base, 1), live(base + 9, 1)]);
    expect(node?.child).toMatchObject({ depth: 1, parent_pid: 1, kind: 'peripheral' });
    expect(node).not.toHaveProperty('children');
  });

  test('have figures, and a name even when the kernel shows no command line', () => {
    const [node] = processTree(base, [live(base, 1), live(base + 1, base, 1_700_000_000_250)]);
    expect(node?.child).toEqual({
      name: `pid-${base + 1}`, pid: base + 1, parent_pid: base, command: '', started_at: { secs_since_epoch: 1_700_000_000, nanos_since_epoch: 250_000_000 },
      depth: 1, cpu_percent: 1.5, rss_bytes: 4096, kind: 'peripheral',
    });
  });

  test('are named by the first word of their command line, with their user', () => {
    const [node] = processTree(1, [live(process.pid, 1)]);
    expect(node?.child.name).toMatch(/node/);
    expect(node?.child.command.startsWith(node.child.name)).toBe(true);
    expect(node?.child.user).not.toBe('');
  });
});

describe('spawned children in the tree', () => {
  const child = (pid: number, changes: Partial<ShownChild> = {}): ShownChild => ({
    id: `c${pid - base}`, name: `job-${pid - base}`, pid, startTime: '1', parent: null, parentPid: base, argv: ['job', '-x'], startedAtMs: pid, ttlMs: null, depth: 1, ended: null, ...changes,
  });
  const kinds = (nodes: readonly SpawnedProcessNode[]): unknown => nodes.map(({ child: one, children }) => [one.pid - base, one.kind ?? 'spawned', kinds(children ?? [])]);

  test('hang from the child they were spawned for, with what they started below them, each pid once', () => {
    const processes = [live(base, 1), live(base + 1, 1), live(base + 2, 1), live(base + 3, base + 1), live(base + 4, base)];
    const spawned = [child(base + 1), child(base + 2, { parent: 'c1', parentPid: base + 1, depth: 2 })];
    expect(kinds(processTree(base, processes, spawned))).toEqual([[1, 'spawned', [[2, 'spawned', []], [3, 'peripheral', []]]], [4, 'peripheral', []]]);
  });

  test('hang from the found process they were spawned for, but not from a younger one with its pid', () => {
    const spawned = [child(base + 1, { parentPid: base + 4 })];
    expect(kinds(processTree(base, [live(base, 1), live(base + 4, base, 5), live(base + 1, 1)], spawned))).toEqual([[4, 'peripheral', [[1, 'spawned', []]]]]);
    expect(kinds(processTree(base, [live(base, 1), live(base + 4, base, base + 900), live(base + 1, 1)], spawned))).toEqual([[1, 'spawned', []], [4, 'peripheral', []]]);
  });

  test('hang from the leader when their parent is gone, those that were left without one too', () => {
    const spawned = [child(base + 1, { parent: 'c9', depth: 2 }), child(base + 2, { parentPid: base + 4, depth: 2 })];
    expect(kinds(processTree(base, [live(base, 1), live(base + 1, 1), live(base + 2, 1), live(base + 4, base)], spawned)))
      .toEqual([[1, 'spawned', []], [2, 'spawned', []], [4, 'peripheral', []]]);
  });

  test('have figures, time to live and the command they were given while the kernel shows none; ended ones their end', () => {
    const spawned = [
      child(base + 1, { ttlMs: 2500, startedAtMs: 1_700_000_000_250 }),
      child(base + 2, { ended: { code: null, signal: 9, atMs: 1_700_000_001_000 }, startedAtMs: 1_700_000_000_500 }),
    ];
    const [first, second] = processTree(base, [live(base, 1), live(base + 1, 1), { ...live(base + 2, 1), startTime: '77' }], spawned).filter(({ child: one }) => one.kind === undefined);
    expect(first?.child).toEqual({
      name: 'job-1', pid: base + 1, parent_pid: base, command: 'job -x', started_at: { secs_since_epoch: 1_700_000_000, nanos_since_epoch: 250_000_000 },
      ttl: { secs: 2, nanos: 500_000_000 }, depth: 1, cpu_percent: 1.5, rss_bytes: 4096,
    });
    expect(second?.child).toEqual({
      name: 'job-2', pid: base + 2, parent_pid: base, command: 'job -x', started_at: { secs_since_epoch: 1_700_000_000, nanos_since_epoch: 500_000_000 }, depth: 1,
      last_exit: { signal: 9, finished_at: { secs_since_epoch: 1_700_000_001, nanos_since_epoch: 0 } },
    });
  });
});
