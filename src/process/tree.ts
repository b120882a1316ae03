import type { ProcessIdentity } from '../../machines/types.ts';
import { bootId } from './boot.ts';
import { identityOf } from './identity.ts';
import type { ProcessTable, ScannedProcess } from './scan.ts';
import { isLiving } from './proc.ts';

/** What is known of the processes that come from one leader. The leader's pid is also its group's and its session's number. */
export interface Lineage {
  readonly leader: ProcessIdentity;
  readonly token: string;
  /** Processes other than the leader that were once proven to belong, by pid. */
  readonly known: Map<number, ProcessIdentity>;
}

/** Of processes that are watched now, by pid and start time: what is noted of one in passing is known where it is ended. */
const openLineages = new Map<string, Lineage>();

export function openLineage(leader: ProcessIdentity, token: string): Lineage {
  const lineage = { leader, token, known: new Map() };
  openLineages.set(keyOf(leader), lineage);
  return lineage;
}

export function findLineage(leader: ProcessIdentity): Lineage | undefined {
  return openLineages.get(keyOf(leader));
}

export function closeLineage(lineage: Lineage): void {
  if (findLineage(lineage.leader) === lineage) openLineages.delete(keyOf(lineage.leader));
}

/** Of a process of this boot: its pid alone may be another one's by now. */
export function keyOf({ pid, startTime }: Pick<ProcessIdentity, 'pid' | 'startTime'>): string {
  return `${pid} ${startTime}`;
}

/**
 * The living processes of a table that belong to a lineage, by any of: it is the leader or a known process (pid and start
 * time), it holds the token, it is in the leader's group or session, its parent belongs.
 *
 * A group's number may be taken again once the group is empty. Therefore group and session count only when `groupIsOurs`
 * (the leader was unreaped when the scan began) or when one of them is proven to belong by itself.
 */
export function belonging(table: ProcessTable, lineage: Lineage, groupIsOurs: boolean): ScannedProcess[] {
  const { leader, token, known } = lineage;
  const index = indexOf(table);
  const found = new Set<ScannedProcess>(index.byToken.get(token));
  for (const record of [leader, ...known.values()]) {
    const process = index.living.get(record.pid);
    if (process !== undefined && process.startTime === record.startTime && record.bootId === bootId()) found.add(process);
  }
  if (groupIsOurs || [...found].some((process) => isMember(process, lineage))) {
    for (const process of index.byGroup.get(leader.pid) ?? []) found.add(process);
    for (const process of index.bySession.get(leader.pid) ?? []) found.add(process);
  }
  // A Set also iterates over what is added on the way: this ends when no child is missing.
  for (const parent of found) {
    for (const child of index.byParent.get(parent.pid) ?? []) found.add(child);
  }
  return [...found];
}

/** In the leader's group or session. */
export function isMember(process: ScannedProcess, { leader }: Lineage): boolean {
  return process.pgrp === leader.pid || process.session === leader.pid;
}

export function remember(lineage: Lineage, processes: readonly ScannedProcess[]): void {
  for (const process of processes) {
    if (process.pid !== lineage.leader.pid) lineage.known.set(process.pid, identityOf(process));
  }
}

// One table serves many: a thousand units stopped together look at the same one.
const indexes = new WeakMap<ProcessTable, ReturnType<typeof makeIndex>>();

function indexOf(table: ProcessTable): ReturnType<typeof makeIndex> {
  const index = indexes.get(table) ?? makeIndex(table);
  indexes.set(table, index);
  return index;
}

/** The living processes of a table that may be ended at all. */
function makeIndex(table: ProcessTable) {
  const untouchable = ownLine(table);
  const living = new Map<number, ScannedProcess>();
  const byToken = new Map<string, ScannedProcess[]>();
  const byGroup = new Map<number, ScannedProcess[]>();
  const bySession = new Map<number, ScannedProcess[]>();
  const byParent = new Map<number, ScannedProcess[]>();
  for (const process of table.values()) {
    if (!isLiving(process) || untouchable.has(process.pid)) continue;
    living.set(process.pid, process);
    for (const token of process.tokens ?? []) add(byToken, token, process);
    add(byGroup, process.pgrp, process);
    add(bySession, process.session, process);
    add(byParent, process.ppid, process);
  }
  return { living, byToken, byGroup, bySession, byParent };
}

function add<Key>(groups: Map<Key, ScannedProcess[]>, key: Key, process: ScannedProcess): void {
  const group = groups.get(key);
  if (group === undefined) groups.set(key, [process]);
  else group.push(process);
}

// A supervisor started from within a service carries that service's token, as do those that watch over it.
function ownLine(table: ProcessTable): ReadonlySet<number> {
  const line = new Set([1]);
  for (let pid = process.pid; pid > 0 && !line.has(pid); pid = table.get(pid)?.ppid ?? 0) line.add(pid);
  return line;
}
