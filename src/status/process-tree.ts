import type { SpawnedChild, SpawnedProcessNode } from '../control/payloads.ts';
import type { LiveProcess } from '../metrics/sampler.ts';
import { commandLine, ownerOf } from './process-facts.ts';

/**
 * The processes of a unit below its leader. Those whose parent is no member (they left their parents, or their parents have ended) hang from the leader,
 * with the parent that the kernel names.
 */
export function processTree(leaderPid: number, processes: readonly LiveProcess[]): readonly SpawnedProcessNode[] {
  const present = new Set(processes.map(({ pid }) => pid));
  const byParent = new Map<number, LiveProcess[]>();
  for (const process of processes) {
    if (process.pid === leaderPid) continue;
    const parent = present.has(process.parentPid) ? process.parentPid : leaderPid;
    const siblings = byParent.get(parent);
    if (siblings === undefined) byParent.set(parent, [process]);
    else siblings.push(process);
  }
  const below = (pid: number, depth: number): SpawnedProcessNode[] => (byParent.get(pid) ?? [])
    .sort((one, other) => one.startedAtMs - other.startedAtMs || one.pid - other.pid)
    .map((process) => {
      const children = below(process.pid, depth + 1);
      return { child: peripheral(process, depth), ...(children.length > 0 && { children }) };
    });
  return below(leaderPid, 1);
}

function peripheral(process: LiveProcess, depth: number): SpawnedChild {
  const { pid } = process;
  const command = commandLine(pid);
  const user = ownerOf(pid);
  const startedAtMs = Math.max(0, process.startedAtMs);
  return {
    name: command?.split(' ', 1)[0] ?? `pid-${pid}`, pid, parent_pid: process.parentPid, command: command ?? '',
    started_at: { secs_since_epoch: Math.floor(startedAtMs / 1000), nanos_since_epoch: Math.floor((startedAtMs % 1000) * 1e6) },
    depth, cpu_percent: process.cpuPercent, rss_bytes: process.rssBytes, ...(user !== '' && { user }), kind: 'peripheral',
  };
}
