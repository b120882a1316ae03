import { useEffect, useState } from 'preact/hooks';
import type { JournalRecord } from '../../wire/payloads.ts';
import { makeGather } from './gather.ts';
import { connection, gaps, onRecord } from './live.ts';
import { get } from './server.ts';

const MOST_KEPT = 3000;
const LEAST_PAUSE_MS = 200;

interface Answer { readonly records: readonly JournalRecord[] }

/** The newest records of all units and those of one: read once, then added to as they come. */
export function useJournal(unit: string): readonly JournalRecord[] {
  const [records, setRecords] = useState<readonly JournalRecord[]>([]);
  const isOpen = connection.value === 'open';
  useEffect(() => {
    const stop = new AbortController();
    const fresh = makeGather<JournalRecord>((found) => setRecords((before) => merged(before, found)), { most: MOST_KEPT, withinMs: LEAST_PAUSE_MS });
    const forget = onRecord((record) => fresh.add([record]));
    const histories = ['/history?limit=1500', `/units/${encodeURIComponent(unit)}/history?limit=1000`];
    Promise.all(histories.map((path) => get<Answer>(path, stop.signal)))
      .then((answers) => setRecords((before) => merged(...answers.map(({ records: known }) => known), before)), () => undefined);
    return () => {
      stop.abort();
      forget();
      fresh.clear();
    };
  }, [unit, isOpen, gaps.value]);
  return records;
}

function merged(...lists: readonly (readonly JournalRecord[])[]): readonly JournalRecord[] {
  return [...new Map(lists.flat().map((record) => [record.seq, record])).values()].toSorted((one, other) => one.seq - other.seq).slice(-MOST_KEPT);
}
