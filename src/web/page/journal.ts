import { useEffect, useRef, useState } from 'preact/hooks';
import type { JournalRecord } from '../../wire/payloads.ts';
import { connection, gaps, onRecord } from './live.ts';
import { get } from './server.ts';

const MOST_KEPT = 3000;
const LEAST_PAUSE_MS = 200;

interface Answer { readonly records: readonly JournalRecord[] }

/** The newest records of all units and those of one: read once, then added to as they come. */
export function useJournal(unit: string): readonly JournalRecord[] {
  const [records, setRecords] = useState<readonly JournalRecord[]>([]);
  const fresh = useRef<JournalRecord[]>([]);
  const isOpen = connection.value === 'open';
  useEffect(() => {
    const stop = new AbortController();
    let timer: ReturnType<typeof setTimeout> | null = null;
    const add = (): void => {
      timer = null;
      const found = fresh.current.splice(0);
      setRecords((before) => merged(before, found));
    };
    const forget = onRecord((record) => {
      fresh.current.push(record);
      timer ??= setTimeout(add, LEAST_PAUSE_MS);
    });
    Promise.all([
      get<Answer>('/history?limit=1500', stop.signal),
      get<Answer>(`/units/${encodeURIComponent(unit)}/history?limit=1000`, stop.signal),
    ]).then(
      ([all, own]) => setRecords((before) => merged(own.records, all.records, before)),
      () => undefined,
    );
    return () => {
      stop.abort();
      forget();
      if (timer !== null) clearTimeout(timer);
    };
  }, [unit, isOpen, gaps.value]);
  return records;
}

function merged(...lists: readonly (readonly JournalRecord[])[]): readonly JournalRecord[] {
  return [...new Map(lists.flat().map((record) => [record.seq, record])).values()].toSorted((one, other) => one.seq - other.seq).slice(-MOST_KEPT);
}
