import { renameSync, statSync } from 'node:fs';
import type { JournalRecord } from '../wire/payloads.ts';
import { attempt, textOf } from '../errors.ts';
import { maskedThroughout } from '../masked.ts';
import type { Mask } from '../secrets.ts';
import { readTail } from '../files.ts';
import { openAppendFile, type AppendFile } from '../state/append-file.ts';
import { journalFiles, readJournal } from './read.ts';

/** A record to be; the journal adds its number. */
export type JournalDraft = Omit<JournalRecord, 'seq'>;

export interface JournalQuery {
  /** Null: of every unit, and the supervisor's own. */
  readonly unit: string | null;
  /** The newest that many. */
  readonly limit: number;
  /** Exclusive. */
  readonly since: number | null;
}

/** The event of a unit that is configured no more. */
export const REMOVED = 'removed';

/** One record per transition with its cause, for people and `why`. Recovery never reads it; it never holds environment values. */
export type Journal = ReturnType<typeof openJournal>;

export interface JournalOptions {
  readonly stateDir: string;
  readonly onProblem: (text: string) => void;
  /** A file larger than this becomes the older one; default 4 MiB. */
  readonly fileBytes?: number;
  /** Records kept in memory; default 10,000. */
  readonly kept?: number;
  /** Applied to the details of what is recorded. */
  readonly mask?: Mask;
}

/** Opens or creates the journal; numbers go on where the last supervisor's ended. Nothing here throws. */
export function openJournal({ stateDir, onProblem, fileBytes = 4 * 1024 * 1024, kept = 10_000, mask = (text) => text }: JournalOptions) {
  const { current, older } = journalFiles(stateDir);
  const records = readKept(stateDir, kept, onProblem);
  const newest = new Map<string, number>();
  const noteNewest = ({ unit, seq, to, event }: JournalRecord): void => {
    if (unit === null) return;
    if (event === REMOVED) newest.delete(unit);
    else if (to !== undefined) newest.set(unit, seq);
  };
  for (const record of records) noteNewest(record);
  const listeners = new Set<(record: JournalRecord) => void>();
  let last = records.at(-1)?.seq ?? 0;
  /** The number of the newest record that is in the file. */
  let onDisk = last;
  // Nothing to see there, or a link to itself.
  let written = attempt(() => statSync(current).size, 0);
  // Behind a line that a killed supervisor left torn, ours begins on its own; where that cannot be read, a newline more does no harm.
  let torn = written > 0 && attempt(() => readTail(current, 1)[0] !== 0x0a, true);
  let file: AppendFile | null = null;
  let unwritten: string | null = null;

  const release = (): void => {
    file?.close();
    file = null;
  };

  /** What is not in the file yet: the newest record, and those before it that a disk did not take. */
  const write = (): void => {
    try {
      for (const record of records.slice(records.findLastIndex(({ seq }) => seq <= onDisk) + 1)) {
        put(`${JSON.stringify(record)}\n`);
        onDisk = record.seq;
      }
      unwritten = null;
    } catch (error) {
      // A journal that cannot be written is no reason to stop: memory still has it.
      const text = `${current}: cannot be written: ${textOf(error)}; events are kept in memory only, and written as soon as the disk takes them`;
      if (unwritten === null) onProblem(text);
      unwritten = text;
      release();
    }
  };

  const put = (line: string): void => {
    if (written > fileBytes) {
      release();
      // Somebody may have removed it.
      attempt(() => renameSync(current, older), undefined, 'ENOENT');
      written = 0;
    }
    file ??= opened();
    file.append(Buffer.from(torn ? `\n${line}` : line));
    torn = false;
    written += Buffer.byteLength(line);
  };

  const opened = (): AppendFile => {
    const found = openAppendFile(current);
    // Somebody may have removed the one that was there.
    if (found.size === 0) [written, torn] = [0, false];
    return found;
  };

  return {
    /** The number of the newest record; 0 when there is none. */
    get last(): number {
      return last;
    },
    /** The oldest number still kept in memory. */
    get oldest(): number {
      return records[0]?.seq ?? last + 1;
    },
    append: (draft: JournalDraft): JournalRecord => {
      const record: JournalRecord = { seq: (last += 1), ...draft, detail: maskedThroughout(draft.detail, mask) };
      records.push(record);
      if (records.length > kept + 1000) records.splice(0, records.length - kept);
      noteNewest(record);
      write();
      for (const listener of listeners) listener(record);
      return record;
    },
    /** Oldest first. */
    query: (query: JournalQuery) => select(records, query),
    /** The number of the unit's newest change: requests, children and steps of a rollout are none. */
    lastOf: (unit: string): number | null => newest.get(unit) ?? null,
    /** Why the newest records are in memory alone, as a sentence; null: they are in the file. */
    get unwritten(): string | null {
      return unwritten;
    },
    /** Calls back with every record, in order, from now on. */
    subscribe: (listener: (record: JournalRecord) => void): (() => void) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    /** Writes what memory has of it again when somebody has removed or changed the file (true: it had to), and what the disk did not take before. */
    mend: (): boolean => {
      const isCut = file?.isInPlace() === true && !file.isWhole();
      const isDisplaced = isCut || file?.isInPlace() === false;
      if (isDisplaced) {
        // What cannot be emptied is written behind: twice rather than never.
        if (isCut) attempt(() => file?.truncate(0), undefined);
        release();
        written = 0;
        onDisk = 0;
      }
      if (onDisk < last) write();
      return isDisplaced;
    },
    close: release,
  };
}

/** The newest `limit` records of the unit after `since`, oldest first. */
export function select(records: readonly JournalRecord[], { unit, limit, since }: JournalQuery): readonly JournalRecord[] {
  const fitting = records.filter((record) => (unit === null || record.unit === unit) && (since === null || record.seq > since));
  return limit === 0 ? [] : fitting.slice(-limit);
}

function readKept(stateDir: string, kept: number, onProblem: JournalOptions['onProblem']): JournalRecord[] {
  try {
    return [...readJournal(stateDir)].slice(-kept);
  } catch (error) {
    onProblem(`earlier events are not known: ${textOf(error)}`);
    return [];
  }
}
