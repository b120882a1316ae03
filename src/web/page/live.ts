import { signal } from '@preact/signals';
import type { JournalRecord } from '../../wire/payloads.ts';
import type { Ticket } from '../tickets.ts';
import type { UnitRow } from '../unit-row.ts';
import { project } from './router.ts';
import { addressOf } from './server.ts';

// What the server sends, and nothing that grows with time.

export const units = signal<ReadonlyMap<string, UnitRow>>(new Map());
export const head = signal<{ readonly health: string; readonly supervisor: string } | null>(null);
/** Why there is no supervisor; null: there is one. */
export const gone = signal<string | null>(null);
export const connection = signal<'opening' | 'open' | 'lost' | 'locked'>('opening');
export const tickets = signal<readonly Ticket[]>([]);
/** The newest records that came while the page was open. */
export const records = signal<readonly JournalRecord[]>([]);
/** How often records were left out because the page was too slow. */
export const gaps = signal(0);
export const now = signal(Date.now());

const AGAIN_MS = 2000;
const RECORDS_KEPT = 500;
const TICKETS_KEPT = 20;

const listeners = new Set<(record: JournalRecord) => void>();

/** Called with each record as it comes, until the returned function is called. */
export function onRecord(listener: (record: JournalRecord) => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

interface UnitsMessage {
  readonly health: string;
  readonly supervisor: string;
  readonly changed: readonly UnitRow[];
  readonly removed: readonly string[];
  readonly whole?: boolean;
}

export function follow(): void {
  const source = new EventSource(addressOf('/events'));
  const on = <Data>(event: string, take: (data: Data) => void): void =>
    source.addEventListener(event, (message: MessageEvent<string>) => take(JSON.parse(message.data) as Data));
  source.onopen = () => {
    connection.value = 'open';
  };
  source.onerror = () => {
    connection.value = 'lost';
    // The browser comes back by itself where there was no answer, and not where the answer was a refusal.
    if (source.readyState === EventSource.CLOSED) setTimeout(() => void comeBack(), AGAIN_MS);
  };
  on<UnitsMessage>('units', ({ changed, removed, whole = false, ...present }) => {
    const next = new Map(whole ? [] : units.value);
    for (const name of removed) next.delete(name);
    for (const row of changed) next.set(row.name, row);
    units.value = next;
    head.value = present;
    gone.value = null;
  });
  on<JournalRecord>('record', (record) => {
    records.value = [...records.value.slice(1 - RECORDS_KEPT), record];
    for (const listener of listeners) listener(record);
  });
  on('gap', () => {
    gaps.value += 1;
  });
  on<{ why: string }>('gone', ({ why }) => {
    gone.value = why;
  });
  on<Ticket>('ticket', (ticket) => {
    tickets.value = [...tickets.value.filter(({ id }) => id !== ticket.id), ticket].toSorted((one, other) => one.id - other.id).slice(-TICKETS_KEPT);
  });
}

/** A server that was started again has another token. */
async function comeBack(): Promise<void> {
  const status = await fetch(addressOf('/tickets')).then((answer) => answer.status, () => 0);
  if (status === 200 || status === 0) return follow();
  connection.value = status === 401 ? 'locked' : 'lost';
  if (status === 404) gone.value = `there is no supervisor of the project ${project ?? ''}`;
  setTimeout(() => void comeBack(), AGAIN_MS);
}

/** The page takes no time where nobody sees it. */
export function tick(): void {
  setInterval(() => {
    if (!document.hidden) now.value = Date.now();
  }, 1000);
}
