import { textOf } from '../errors.ts';
import { descriptorLimit } from '../process/descriptors.ts';
import { readTokens, tokensOrMarks, type ProcessTable, type ScannedProcess } from '../process/scan.ts';
import { listPids, readProcStat, type ProcessStat } from '../process/proc.ts';
import { belonging, findLineage, keyOf, remember, type Lineage } from '../process/tree.ts';
import { openUsageReader, type Reading, type UsageReader } from './usage.ts';

/** Leader and token of one process of a unit. */
export type Origin = Pick<Lineage, 'leader' | 'token'>;

export interface Member extends Reading {
  /** A zombie that was a member while it lived: nobody has waited for it, so its time is still its own. */
  readonly zombie: boolean;
}

/** By unit, by pid. */
export type Membership = ReadonlyMap<string, ReadonlyMap<number, Member>>;

/** Knows which processes belong to which unit and what they use, by one pass over /proc for all units. */
export type Observer = ReturnType<typeof makeObserver>;

/** As `pass` of an observer; without descriptors, or a /proc that may be read, it finds nothing, and reports why once. */
export function reportingPass(observer: Observer, what: string, onProblem: (text: string) => void): Observer['pass'] {
  let reported = '';
  return (...asked) => {
    try {
      const members = observer.pass(...asked);
      reported = '';
      return members;
    } catch (error) {
      const text = `${what} cannot be measured: ${textOf(error)}`;
      if (text !== reported) onProblem(text);
      reported = text;
      observer.rest();
      return new Map();
    }
  };
}

/** Processes whose stat may stay open, where there are many descriptors to be had, and those of them whose other two files may. The rest is opened each time. */
const KEPT_PROCESSES = 1024;
const WHOLLY_KEPT = 256;
/** How often strangers are looked at again: until then one that takes over the pid of another may pass for it. */
const PASSES_PER_FULL_PASS = 10;

/**
 * Whose a process is, is decided when it begins: a token is inherited, and so is a parent. So a pass reads those that are new since the last one
 * and those that belong to a unit; what it has found to be a stranger it leaves alone for some passes.
 */
export function makeObserver() {
  const known = new Map<number, Known>();
  const lineages = new Map<string, Lineage>();
  const share = Math.max(0, Math.min(1, (descriptorLimit() - 256) / 8 / (KEPT_PROCESSES + 2 * WHOLLY_KEPT)));
  const [keptProcesses, whollyKept] = [Math.floor(KEPT_PROCESSES * share), Math.floor(WHOLLY_KEPT * share)];
  let table: ProcessTable = new Map();
  let passes = 0;
  let kept = 0;

  const release = (entry: Known): void => {
    if (entry.reader?.kept === true) kept -= 1;
    entry.reader?.close();
    entry.reader = null;
  };
  const watch = (pid: number, entry: Known): Reading | null => {
    if (entry.reader === null) {
      const keep = { stat: kept < keptProcesses, rest: kept < whollyKept };
      if (keep.stat) kept += 1;
      entry.reader = { ...openUsageReader(pid, keep), kept: keep.stat };
    }
    return entry.reader.read();
  };

  /** The table of before where nothing in it has changed: its index is made already. */
  const refresh = (full: boolean): ProcessTable => {
    const present = new Set(listPids());
    let changed = false;
    for (const [pid, entry] of known) {
      if (present.has(pid)) continue;
      release(entry);
      known.delete(pid);
      changed = true;
    }
    for (const pid of present) {
      const entry = known.get(pid);
      const reading = entry?.reader == null ? null : watch(pid, entry);
      if (entry !== undefined && reading !== null) {
        if (entry.unsettled || !isSameStat(reading.stat, entry.process)) {
          entry.process = { ...reading.stat, tokens: entry.process.tokens };
          settle(entry);
          changed = true;
        }
        entry.reading = reading;
      } else if (entry === undefined || entry.reader !== null || full || entry.unsettled) {
        if (entry !== undefined) release(entry);
        const process = readProcStat(pid);
        if (process === null) known.delete(pid);
        else known.set(pid, meet(process, entry));
        changed = true;
      }
    }
    if (changed) table = new Map([...known].map(([pid, { process }]) => [pid, process]));
    return table;
  };

  return {
    /** `isDue` false: of the unit's leaders only what is cheap to read is wanted, the `Reading` that is not completed. */
    pass(units: ReadonlyMap<string, readonly Origin[]>, isDue: (unit: string) => boolean = () => true): Membership {
      if (process.platform !== 'linux') return new Map();
      refresh(passes % PASSES_PER_FULL_PASS === 0);
      passes += 1;
      const watched = new Set<number>();
      const membership = new Map<string, ReadonlyMap<number, Member>>();
      const seen = new Set<string>();
      for (const [unit, origins] of units) {
        const members = new Map<number, Member>();
        const due = isDue(unit);
        for (const origin of origins) {
          const key = keyOf(origin.leader);
          seen.add(key);
          const lineage = findLineage(origin.leader) ?? lineages.get(key) ?? { ...origin, known: new Map() };
          lineages.set(key, lineage);
          const found = belonging(table, lineage, false);
          remember(lineage, found);
          for (const { pid, startTime } of found) take({ pid, startTime }, false, due || pid !== lineage.leader.pid, members);
          for (const { pid, startTime } of [lineage.leader, ...lineage.known.values()]) {
            if (members.has(pid)) continue;
            const process = table.get(pid);
            if (process?.startTime === startTime) take({ pid, startTime }, true, due || pid !== lineage.leader.pid, members);
            else lineage.known.delete(pid);
          }
        }
        for (const pid of members.keys()) watched.add(pid);
        membership.set(unit, members);
      }
      for (const key of lineages.keys()) if (!seen.has(key)) lineages.delete(key);
      for (const [pid, entry] of known) if (!watched.has(pid)) release(entry);
      return membership;
    },
    /** Closes what is kept open; the next pass opens it again. */
    rest(): void {
      for (const entry of known.values()) release(entry);
      known.clear();
      table = new Map();
      passes = 0;
    },
  };

  function take({ pid, startTime }: Pick<ScannedProcess, 'pid' | 'startTime'>, zombie: boolean, whole: boolean, into: Map<number, Member>): void {
    const entry = known.get(pid);
    if (entry === undefined) return;
    // Read in this very pass already, or a member only now.
    entry.reading = entry.reader !== null && entry.reading !== null ? entry.reading : watch(pid, entry);
    if (entry.reading === null || entry.reading.stat.startTime !== startTime) return;
    const reading = whole ? (entry.reader?.complete(entry.reading) ?? null) : entry.reading;
    if (reading !== null) into.set(pid, { ...reading, zombie });
  }
}

function isSameStat(one: ProcessStat, other: ProcessStat): boolean {
  return one.startTime === other.startTime && one.ppid === other.ppid && one.pgrp === other.pgrp && one.session === other.session && one.state === other.state;
}

interface Known {
  process: ScannedProcess;
  /** Its environment could not be read yet. */
  unsettled: boolean;
  reader: (UsageReader & { readonly kept: boolean }) | null;
  /** Of this pass, for those that are watched. */
  reading: Reading | null;
}

// In an uninterruptible sleep reading the environment may hang. It reads as empty for a moment within execve(2), and always in a kernel
// thread, a child of kthreadd, pid 2, and in a process without variables: only its control group says whose that is.
function meet(stat: Omit<ScannedProcess, 'tokens'>, before: Known | undefined): Known {
  const isSame = before !== undefined && before.process.startTime === stat.startTime;
  if (isSame && !before.unsettled) return { process: { ...stat, tokens: before.process.tokens }, unsettled: false, reader: null, reading: null };
  const { tokens, unsettled } = look(stat);
  return { process: { ...stat, tokens }, unsettled, reader: null, reading: null };
}

function settle(entry: Known): void {
  if (!entry.unsettled || entry.process.state === 'D') return;
  const { tokens, unsettled } = look(entry.process);
  if (unsettled) return;
  entry.unsettled = false;
  entry.process = { ...entry.process, tokens };
}

function look(stat: Omit<ScannedProcess, 'tokens'>): Pick<ScannedProcess, 'tokens'> & Pick<Known, 'unsettled'> {
  const read = stat.state === 'D' ? 'empty' : readTokens(stat.pid);
  const tokens = tokensOrMarks(stat, read === 'empty' ? [] : read);
  return { tokens, unsettled: read === 'empty' && tokens?.length === 0 && stat.state !== 'Z' && stat.ppid !== 2 && stat.pid !== 2 };
}
