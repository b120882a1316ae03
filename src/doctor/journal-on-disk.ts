import { readFileSync } from 'node:fs';
import type { JournalRecord } from '../wire/payloads.ts';
import { hasCode, textOf } from '../errors.ts';
import { journalFiles, parseRecord } from '../journal/read.ts';

export interface JournalOnDisk {
  readonly count: number;
  /** Sequence number of the newest record; 0 without any. */
  readonly last: number;
  /** The newest record of each unit. */
  readonly newest: ReadonlyMap<string, JournalRecord>;
  /** Beginnings of records: supervisors that were killed while they wrote. */
  readonly torn: number;
  /** Lines that no supervisor wrote, numbers that do not follow each other, files that cannot be read. */
  readonly problems: readonly string[];
}

export function readJournalOnDisk(stateDir: string): JournalOnDisk {
  const { current, older } = journalFiles(stateDir);
  const newest = new Map<string, JournalRecord>();
  const problems: string[] = [];
  let [count, torn, last] = [0, 0, 0];
  for (const path of [older, current]) {
    let lines: readonly string[];
    try {
      lines = readFileSync(path, 'utf8').split('\n');
    } catch (error) {
      if (!hasCode(error, 'ENOENT')) problems.push(`${path}: ${textOf(error)}`);
      continue;
    }
    for (const [index, line] of lines.entries()) {
      if (line === '') continue;
      const place = `${path}:${index + 1}`;
      const record = parseRecord(line);
      if (record === null) {
        if (isTorn(line)) torn += 1;
        else problems.push(`${place}: not a record: ${JSON.stringify(line.slice(0, 60))}`);
        continue;
      }
      if (count > 0 && record.seq !== last + 1) problems.push(`${place}: number ${record.seq} follows number ${last}`);
      count += 1;
      last = record.seq;
      if (record.unit !== null) newest.set(record.unit, record);
    }
  }
  return { count, last, newest, torn, problems };
}

const HEAD = '{"seq":';

function isTorn(line: string): boolean {
  return !line.endsWith('}') && (line.startsWith(HEAD) || HEAD.startsWith(line));
}
