import { join } from 'node:path';
import { hasCode, textOf } from '../errors.ts';
import { readPlainFile } from '../files.ts';
import { journalRecord, type JournalRecord } from '../wire/payloads.ts';
import { readJson } from '../wire/shape.ts';

export function journalFiles(stateDir: string): { readonly current: string; readonly older: string } {
  return { current: join(stateDir, 'journal.ndjson'), older: join(stateDir, 'journal.1.ndjson') };
}

/** What is on disk, oldest first, with or without a supervisor. Torn and foreign lines are left out. Throws a sentence where a file cannot be read. */
export function* readJournal(stateDir: string): Generator<JournalRecord> {
  let last = 0;
  for (const { record } of linesOf(stateDir, null)) {
    // Numbers only grow: a file that was put back by hand does not turn time round.
    if (record === null || record.seq <= last) continue;
    last = record.seq;
    yield record;
  }
}

export interface JournalOnDisk {
  readonly count: number;
  /** Sequence number of the newest record; 0 without any. */
  readonly last: number;
  /** The newest change of each unit. */
  readonly newest: ReadonlyMap<string, JournalRecord>;
  /** Beginnings of records: supervisors that were killed while they wrote. */
  readonly torn: number;
  /** Lines that no supervisor wrote, numbers that do not follow each other, files that cannot be read. */
  readonly problems: readonly string[];
}

/** What is on disk, and what is wrong with it. */
export function surveyJournal(stateDir: string): JournalOnDisk {
  const newest = new Map<string, JournalRecord>();
  const problems: string[] = [];
  let [count, torn, last] = [0, 0, 0];
  for (const { record, text, place } of linesOf(stateDir, (path, error) => void problems.push(`${path}: ${textOf(error)}`))) {
    if (record === null && isTorn(text)) torn += 1;
    else if (record === null) problems.push(`${place}: not a record: ${JSON.stringify(text.slice(0, 60))}`);
    else {
      if (count > 0 && record.seq !== last + 1) problems.push(`${place}: number ${record.seq} follows number ${last}`);
      count += 1;
      last = record.seq;
      if (record.unit !== null && record.to !== undefined) newest.set(record.unit, record);
    }
  }
  return { count, last, newest, torn, problems };
}

interface JournalLine {
  /** Null for a line that is no record, such as the last one of a supervisor that was killed while it wrote. */
  readonly record: JournalRecord | null;
  readonly text: string;
  /** File and number of the line. */
  readonly place: string;
}

/** Without `onUnreadable` a sentence is thrown. */
function* linesOf(stateDir: string, onUnreadable: ((path: string, error: unknown) => void) | null): Generator<JournalLine> {
  const { current, older } = journalFiles(stateDir);
  for (const path of [older, current]) {
    let lines: readonly string[] = [];
    try {
      lines = readPlainFile(path).toString().split('\n');
    } catch (error) {
      if (hasCode(error, 'ENOENT')) continue;
      if (onUnreadable === null) throw new Error(`${path}: cannot be read: ${textOf(error)}`);
      onUnreadable(path, error);
    }
    for (const [index, text] of lines.entries()) {
      if (text !== '') yield { record: readJson<JournalRecord>(text, journalRecord), text, place: `${path}:${index + 1}` };
    }
  }
}

const head = '{"seq":';

function isTorn(line: string): boolean {
  return !line.endsWith('}') && (line.startsWith(head) || head.startsWith(line));
}
