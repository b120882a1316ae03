import { describe, expect, test } from 'vitest';
import type { SpawnedProcessNode } from '../../src/control/payloads.ts';
import type { LiveProcess } from '../../src/metrics/sampler.ts';
import { processTree } from '../../src/status/process-tree.ts';

const live = (pid: number, parentPid: number, startedAtMs = pid): LiveProcess => ({ pid, parentPid, startTime: '1', startedAtMs, cpuPercent: 1.5, rssBytes: 4096 });
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
