import type { Children } from '../../machines/children.ts';
import type { EpochTime, SpawnedChild, SpawnedProcessNode } from '../wire/payloads.ts';
import type { LiveProcess } from '../metrics/sampler.ts';
import { signalNumber } from '../signals.ts';
import { beginLook, commandLine, ownerName, type Look } from './process-facts.ts';

/** A spawned child as Status shows it. Instants of the wall clock, in milliseconds. */
export interface ShownChild {
  readonly id: string;
  readonly name: string;
  readonly pid: number;
  readonly startTime: string;
  /** The spawned child it hangs from; null: its service, or nothing any more. */
  readonly parent: string | null;
  /** As it was asked for. */
  readonly parentPid: number;
  readonly argv: readonly string[];
  readonly startedAtMs: number;
  readonly ttlMs: number | null;
  readonly depth: number;
  /** Null while it lives. */
  readonly ended: { readonly code: number | null; readonly signal: number | null; readonly atMs: number } | null;
}

interface Branch { readonly key: string; readonly child: SpawnedChild; readonly startedAtMs: number }

/**
 * The processes of a unit below its leader, each once: those that were spawned through the socket, ended ones as long as they are kept, and those that
 * were found. A spawned child hangs from the child it was spawned for, else from the process it was spawned for; a found one from its parent. What has
 * none of these here (they have ended, or it left them) hangs from the leader.
 */
export function processTree(leaderPid: number, processes: readonly LiveProcess[], spawned: readonly ShownChild[] = [], look = beginLook()): readonly SpawnedProcessNode[] {
  // Most units are their leader alone.
  if (spawned.length === 0 && processes.every(({ pid }) => pid === leaderPid)) return [];
  const live = new Map(processes.map((process) => [process.pid, process]));
  const children = new Map(spawned.map((child) => [child.id, child]));
  const childOf = new Map(spawned.filter(({ pid, startTime, ended }) => ended === null && live.get(pid)?.startTime === startTime).map((child) => [child.pid, child]));
  const keyOf = (pid: number): string => {
    const child = childOf.get(pid);
    return child === undefined ? `pid ${pid}` : `child ${child.id}`;
  };
  const root = `pid ${leaderPid}`;
  const byParent = new Map<string, Branch[]>();
  const hang = (from: string, branch: Branch): void => {
    const siblings = byParent.get(from);
    if (siblings === undefined) byParent.set(from, [branch]);
    else siblings.push(branch);
  };

  for (const process of processes) {
    if (process.pid === leaderPid || childOf.has(process.pid)) continue;
    hang(live.has(process.parentPid) ? keyOf(process.parentPid) : root, { key: keyOf(process.pid), child: peripheral(process, look), startedAtMs: process.startedAtMs });
  }
  for (const child of spawned) {
    const process = childOf.get(child.pid) === child ? (live.get(child.pid) ?? null) : null;
    hang(above(child), { key: `child ${child.id}`, child: spawnedChild(child, process, look), startedAtMs: child.startedAtMs });
  }

  function above(child: ShownChild): string {
    if (child.parent !== null) return children.has(child.parent) ? `child ${child.parent}` : root;
    // Of a deeper one the parent has ended and left it without; a younger process has only the parent's pid.
    const parent = child.depth > 1 ? undefined : live.get(child.parentPid);
    return parent !== undefined && parent.startedAtMs <= child.startedAtMs + CLOCK_TICK_MS ? keyOf(parent.pid) : root;
  }

  const below = (from: string, depth: number): SpawnedProcessNode[] => (byParent.get(from) ?? [])
    .sort((one, other) => one.startedAtMs - other.startedAtMs || one.child.pid - other.child.pid)
    .map(({ key, child }) => {
      const nodes = below(key, depth + 1);
      return { child: child.kind === 'peripheral' ? { ...child, depth } : child, ...(nodes.length > 0 && { children: nodes }) };
    });
  return below(root, 1);
}

/** The children of a unit that were born, in the order of their birth; `now` by both clocks. */
export function shownChildren(children: Children, unit: string, now: { readonly monotonicMs: number; readonly wallMs: number }): readonly ShownChild[] {
  const wallOf = (at: number): number => now.wallMs - (now.monotonicMs - at);
  return [...children.values()].filter(({ record }) => record.order.unit === unit).flatMap(({ record: { id, order, depth, startedAt }, facts, parent }): ShownChild[] => {
    if (facts.identity === null) return [];
    const { state, exit, at } = facts;
    return [{
      id, name: order.name, pid: facts.identity.pid, startTime: facts.identity.startTime, parent, parentPid: order.parentPid, argv: order.argv,
      startedAtMs: wallOf(startedAt), ttlMs: order.ttlMs, depth,
      ended: state === 'gone' ? { code: exit?.code ?? null, signal: signalNumber(exit?.signal ?? null), atMs: wallOf(at) } : null,
    }];
  });
}

/** Start times are rounded down to ticks. */
const CLOCK_TICK_MS = 20;

function peripheral(process: LiveProcess, look: Look): SpawnedChild {
  const { pid } = process;
  const command = commandLine(pid);
  const user = ownerName(pid, look);
  return {
    name: command?.split(' ', 1)[0] ?? `pid-${pid}`, pid, parent_pid: process.parentPid, command: command ?? '',
    started_at: epoch(process.startedAtMs), depth: 0, cpu_percent: process.cpuPercent, rss_bytes: process.rssBytes, ...(user !== '' && { user }), kind: 'peripheral',
  };
}

function spawnedChild(child: ShownChild, process: LiveProcess | null, look: Look): SpawnedChild {
  const { pid, ended, ttlMs } = child;
  const user = process === null ? '' : ownerName(pid, look);
  return {
    name: child.name === '' ? 'child' : child.name, pid, parent_pid: child.parentPid, command: (process === null ? null : commandLine(pid)) ?? child.argv.join(' '), started_at: epoch(child.startedAtMs),
    ...(ttlMs !== null && { ttl: { secs: Math.floor(ttlMs / 1000), nanos: (ttlMs % 1000) * 1e6 } }), depth: child.depth,
    ...(process !== null && { cpu_percent: process.cpuPercent, rss_bytes: process.rssBytes }),
    ...(ended !== null && {
      last_exit: { ...(ended.code !== null && { exit_code: ended.code }), ...(ended.signal !== null && { signal: ended.signal }), finished_at: epoch(ended.atMs) },
    }),
    ...(user !== '' && { user }),
  };
}

function epoch(ms: number): EpochTime {
  const sound = Math.max(0, ms);
  return { secs_since_epoch: Math.floor(sound / 1000), nanos_since_epoch: Math.floor((sound % 1000) * 1e6) };
}
