import { signal } from '@preact/signals';
import type { JournalRecord } from '../../wire/payloads.ts';
import type { Ticket } from '../tickets.ts';
import type { UnitRow } from '../unit-row.ts';
import { announceChange } from './announce.ts';
import { project, route } from './router.ts';
import { addressOf, get, refusalOf } from './server.ts';
import { keepOpen, whileSeen } from './stream.ts';

// What the server sends, and nothing that grows with time.

export const units = signal<ReadonlyMap<string, UnitRow>>(new Map());
export const head = signal<{ readonly health: string; readonly supervisor: string } | null>(null);
/** Why there is no supervisor; null: there is one. */
export const gone = signal<string | null>(null);
/** `full`: the server has as many streams as it takes. */
export const connection = signal<'opening' | 'open' | 'lost' | 'locked' | 'full'>('opening');
export const tickets = signal<readonly Ticket[]>([]);
/** The newest records that came while the page was open. */
export const records = signal<readonly JournalRecord[]>([]);
/** The server says so; until then nothing is offered. */
export const readOnly = signal(true);
/** How often records were left out because the page was too slow. */
export const gaps = signal(0);
/** By the clock of the server, whose times the page shows: that of the browser's machine may be another one. */
export const now = signal(Date.now());

/** What the server's clock is ahead of the browser's. */
let aheadMs = 0;

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
  readonly at: number;
  readonly changed: readonly UnitRow[];
  readonly removed: readonly string[];
  readonly whole?: boolean;
}

/** Has the server's events come in while the page is seen. */
export function followWhileSeen(): void {
  whileSeen(() => {
    const close = keepOpen(listen, isBack);
    return () => {
      close();
      connection.value = 'opening';
    };
  });
}

/** Whether the server would send its events now. One that was started again has another token; one has only so many streams. */
async function isBack(stopped: AbortSignal): Promise<boolean> {
  const refusal = await refusalOf('/events', stopped);
  if (stopped.aborted || refusal === null) return true;
  connection.value = refusal.status === 401 ? 'locked' : refusal.type.endsWith(':streams') ? 'full' : 'lost';
  if (refusal.status === 404) gone.value = `there is no supervisor of the project ${project ?? ''}`;
  return false;
}

function listen(): EventSource {
  const source = new EventSource(addressOf('/events'));
  const on = <Data>(event: string, take: (data: Data) => void): void =>
    source.addEventListener(event, (message: MessageEvent<string>) => take(JSON.parse(message.data) as Data));
  source.onopen = () => {
    connection.value = 'open';
    // They are sent anew; a server that was started again has none.
    tickets.value = [];
    void learnWhatIsAllowed();
  };
  // One that was refused is asked for the reason, and keeps the last one until then.
  source.onerror = () => {
    if (source.readyState === EventSource.CONNECTING || connection.value === 'open') connection.value = 'lost';
  };
  on<UnitsMessage>('units', ({ at, changed, removed, whole = false, ...present }) => {
    aheadMs = at - Date.now();
    if (Math.abs(at - now.value) > 1000) now.value = at;
    const next = new Map(whole ? [] : units.value);
    for (const name of removed) next.delete(name);
    for (const row of changed) {
      if (isNews(units.value.get(row.name), row)) announceChange(row);
      next.set(row.name, row);
    }
    units.value = next;
    head.value = present;
    gone.value = null;
  });
  on<JournalRecord>('record', (record) => {
    records.value = [...records.value.slice(1 - RECORDS_KEPT), record];
    for (const listener of listeners) listener(record);
  });
  on('gap', () => (gaps.value += 1));
  on<{ why: string }>('gone', ({ why }) => (gone.value = why));
  on<Ticket>('ticket', (ticket) => {
    tickets.value = [...tickets.value.filter(({ id }) => id !== ticket.id), ticket].toSorted((one, other) => one.id - other.id).slice(-TICKETS_KEPT);
  });
  return source;
}

/** Whether a change is one to be told of: of the unit that is shown, or of any in the other pages. A cron unit runs again and again. */
function isNews(before: UnitRow | undefined, { name, kind, state, health }: UnitRow): boolean {
  const [page, shown] = route.value;
  return before !== undefined && (before.state !== state || before.health !== health) && (kind !== 'cron' || health !== 'healthy') && (page !== 'unit' || shown === name);
}

/** Whether the server takes orders, which another one at the same address may do differently. */
async function learnWhatIsAllowed(): Promise<void> {
  try {
    readOnly.value = (await get<{ server: { read_only: boolean } }>('/supervisor')).server.read_only;
  } catch {
    // The connection has gone again, and the next one asks.
  }
}

/** The page takes no time where nobody sees it. */
export function tick(): void {
  setInterval(() => {
    if (!document.hidden) now.value = Date.now() + aheadMs;
  }, 1000);
}
