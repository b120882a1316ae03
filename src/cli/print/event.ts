import type { JournalRecord } from '../../wire/payloads.ts';
import { localTime } from '../../words.ts';

/** One line for a record: time, unit, what became of it, and why. */
export function eventLine(record: JournalRecord, width: number): string {
  const { at, unit, event, from, to, cause, detail = {} } = record;
  const clock = `${localTime(at)}.${String(new Date(at).getMilliseconds()).padStart(3, '0')}`;
  const change = to === undefined ? event : from === to ? to : `${from ?? '?'} → ${to}`;
  const why = cause === undefined ? '' : `${cause.kind}${cause.by === undefined ? '' : ` ${cause.by}`}`;
  const more = Object.entries(detail).filter(([key]) => !['last_stderr', 'ready', 'wanted'].includes(key)).map(([key, value]) => `${key}=${plain(value)}`);
  return [clock, (unit ?? 'supervisor').padEnd(width), change.padEnd(22), why.padEnd(18), ...more].join('  ').trimEnd();
}

function plain(value: unknown): string {
  return typeof value === 'string' ? (/\s/.test(value) ? JSON.stringify(value) : value) : JSON.stringify(value);
}
