import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { setImmediate as nextTurn, setTimeout } from 'node:timers/promises';
import { attempt } from '../errors.ts';
import { listPs } from './darwin.ts';
import { tokensIn } from './environment.ts';
import { marksOf, pidsMarked, takeOffMark } from './marks.ts';
import { isLiving, laterThread, listPids, readProcStat, readWhole, type ProcessStat } from './proc.ts';

export interface ScannedProcess extends ProcessStat {
  /** Of its environment as it was when its program started, else of its control group; `null` when neither can be read or was asked for. */
  readonly tokens: readonly string[] | null;
}

export type ProcessTable = ReadonlyMap<number, ScannedProcess>;

/** All processes with their tokens. One pass serves everyone who asked before it began. Rejects when /proc cannot be read. */
export const scan = shared(() => pass(true));

/** As `scan`, without reading environments: for questions about groups, sessions and parents only. */
export const scanGroups = shared(() => pass(false));

/** Lets all who ask before a run begins share it, and runs one at a time. */
export function shared<Result>(run: () => Promise<Result>): () => Promise<Result> {
  let latest: Promise<unknown> = Promise.resolve();
  let next: Promise<Result> | null = null;
  return () => {
    if (next !== null) return next;
    const turn = latest.then(() => nextTurn()).then(() => {
      next = null;
      return run();
    });
    next = turn;
    // Those who asked hear of a failure; it is nothing to the run after it.
    latest = turn.catch(() => undefined);
    return turn;
  };
}

/**
 * The processes in the control groups of a token, and those of `others` that live; `null` when the token has no group. A table without any of them is
 * certain when the kernel has taken the groups away. It is asked to do that first where they are `likelyEmpty`, which saves to read them.
 */
export function scanMarked(token: string, others: Iterable<number>, likelyEmpty: boolean): ProcessTable | null {
  const isGone = likelyEmpty && takeOffMark(token);
  const marked = isGone ? [] : pidsMarked(token);
  if (marked === null) return null;
  const table = new Map<number, ScannedProcess>();
  for (const pid of marked) addTo(table, pid, [token]);
  for (const pid of others) if (!table.has(pid)) addTo(table, pid, null);
  if (isGone || (marked.length === 0 && takeOffMark(token))) certain.add(table);
  return table;
}

/** Those of these processes that there are. The table is certain: nothing else is asked about. */
export function lookAt(pids: Iterable<number>): ProcessTable {
  const table = new Map<number, ScannedProcess>();
  for (const pid of pids) addTo(table, pid, null);
  certain.add(table);
  return table;
}

function addTo(table: Map<number, ScannedProcess>, pid: number, tokens: readonly string[] | null): void {
  const stat = readProcStat(pid);
  if (stat !== null) table.set(pid, { ...stat, tokens });
}

/** Whether the table has every process that lived at the end of its scan: none was started meanwhile. */
export function isCertain(table: ProcessTable): boolean {
  return certain.has(table);
}

const certain = new WeakSet<ProcessTable>();
const processesPerTurn = 32;
/** New processes are looked at, too, but a machine that starts them faster than they are read must not hold a scan for ever. */
const mostRounds = 8;
const patienceMs = 200;

async function pass(withTokens: boolean): Promise<ProcessTable> {
  if (process.platform === 'darwin') return new Map((await listPs()).map((stat) => [stat.pid, { ...stat, tokens: null }]));
  const table = new Map<number, ScannedProcess>();
  const unclear: ScannedProcess[] = [];
  const seen = new Set<number>();
  let newest = newestPid();
  let count = 0;
  // Until a listing has nothing new: one that starts its successor and ends may be gone before its turn comes.
  for (let round = 0, pids = listPids(); round < mostRounds && pids.length > 0; round += 1) {
    for (const pid of pids) {
      seen.add(pid);
      count += 1;
      if (count % processesPerTurn === 0) await nextTurn();
      const stat = readProcStat(pid);
      if (stat === null) continue;
      const tokens = withTokens && stat.state !== 'D' ? readTokens(stat.pid) : null;
      const scanned = { ...stat, tokens: withTokens ? tokensOrMarks(stat, tokens === 'empty' ? [] : tokens) : null };
      table.set(stat.pid, scanned);
      if (withTokens && isLiving(stat) && (stat.state === 'D' || tokens === 'empty')) unclear.push(scanned);
    }
    if (newest !== null && newestPid() === newest) {
      certain.add(table);
      break;
    }
    newest = newestPid();
    pids = listPids().filter((pid) => !seen.has(pid));
  }
  for (const scanned of unclear) table.set(scanned.pid, { ...scanned, tokens: tokensOrMarks(scanned, await readUnclear(scanned)) });
  return table;
}

// An environment reads as empty for a moment within execve(2), and always in a kernel thread. The read may hang while the
// process is in an uninterruptible sleep: then it happens off this thread, and the answer is not awaited for long.
async function readUnclear(scanned: ScannedProcess): Promise<readonly string[] | null> {
  const stat = readProcStat(scanned.pid);
  if (stat === null || stat.startTime !== scanned.startTime) return scanned.tokens;
  if (stat.state !== 'D') {
    const tokens = readTokens(stat.pid);
    return tokens === 'empty' ? [] : tokens;
  }
  if (hanging.has(stat.pid)) return null;
  hanging.add(stat.pid);
  const reading = readFile(`/proc/${stat.pid}/environ`)
    .then((bytes) => tokensIn(bytes))
    // Ended meanwhile, or another user's: nothing is known of it.
    .catch(() => null)
    .finally(() => hanging.delete(stat.pid));
  return Promise.race([reading, setTimeout(patienceMs, null, { ref: false })]);
}

/** A process whose environment says nothing may still be marked. Kernel threads, children of pid 2, are nobody's. */
export function tokensOrMarks({ pid, ppid }: ProcessStat, tokens: readonly string[] | null): readonly string[] | null {
  if ((tokens !== null && tokens.length > 0) || pid === 2 || ppid === 2) return tokens;
  const marks = marksOf(pid);
  return marks.length > 0 ? marks : tokens;
}

/** The last pid that was given away: proc_loadavg(5). Null where /proc shows processes alone. */
function newestPid(): string | null {
  return attempt(() => readFileSync('/proc/loadavg', 'latin1').trim().split(' ').at(-1) ?? null, null, 'ENOENT');
}

/** What the environment of one process says; `empty` when it reads as nothing, `null` when it may not be read. */
export function readTokens(pid: number): readonly string[] | 'empty' | null {
  for (;;) {
    let length = readEnvironment(`/proc/${pid}`);
    const thread = length === 0 || length === null ? laterThread(pid) : null;
    if (thread !== null) length = readEnvironment(`/proc/${thread}`);
    if (length === null || length === 'forbidden') return null;
    if (length === 0) return 'empty';
    if (length < environment.length || environment.length >= maxEnvironmentBytes) return tokensIn(environment.subarray(0, length));
    environment = Buffer.allocUnsafe(environment.length * 4);
  }
}

/** `null` when the process is gone, or its first thread is. */
function readEnvironment(directory: string): number | 'forbidden' | null {
  // Another user's process, or one that may not be looked into (EIO: its memory is being torn down).
  return attempt(() => readWhole(`${directory}/environ`, environment), 'forbidden', 'EACCES', 'EPERM', 'EIO');
}

// execve(2) allows 6 MiB for arguments and environment together at the most.
const maxEnvironmentBytes = 8 * 1024 * 1024;
let environment = Buffer.allocUnsafe(128 * 1024);
const hanging = new Set<number>();
