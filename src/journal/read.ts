import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JournalRecord } from '../wire/payloads.ts';
import { hasCode } from '../errors.ts';

export function journalFiles(stateDir: string): { readonly current: string; readonly older: string } {
  return { current: join(stateDir, 'journal.ndjson'), older: join(stateDir, 'journal.1.ndjson') };
}

/** What is on disk, oldest first, with or without a supervisor. Torn and foreign lines are left out. */
export function* readJournal(stateDir: string): Generator<JournalRecord> {
  const { current, older } = journalFiles(stateDir);
  let last = 0;
  for (const path of [older, current]) {
    for (const line of textOf(path).split('\n')) {
      const record = parseRecord(line);
      // Numbers only grow: a file that was put back by hand does not turn time round.
      if (record === null || record.seq <= last) continue;
      last = record.seq;
      yield record;
    }
  }
}

/** Null for a line that is no record. */
export function parseRecord(line: string): JournalRecord | null {
  if (line === '') return null;
  try {
    const value: unknown = JSON.parse(line);
    return isRecord(value) ? value : null;
  } catch {
    // The last line of a supervisor that was killed while it wrote.
    return null;
  }
}

function isRecord(value: unknown): value is JournalRecord {
  return typeof value === 'object' && value !== null && 'seq' in value && Number.isSafeInteger(value.seq) && 'at' in value
    && typeof value.at === 'string' && 'unit' in value && (value.unit === null || typeof value.unit === 'string') && 'event' in value
    && typeof value.event === 'string';
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return '';
    throw error;
  }
}
