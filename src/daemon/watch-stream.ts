import type { Exchange } from '../control/connection.ts';
import type { Journal } from '../journal/journal.ts';
import type { JournalRecord, StatusSnapshot } from '../wire/payloads.ts';
import type { RequestOf } from '../wire/requests.ts';
import { encodeWatchLine, type WatchLine } from '../wire/responses.ts';

/**
 * The Snapshot first, then every event after it, and with `since` the kept ones before it: nothing lost or doubled
 * between the two. Without `units` those of every unit, and the supervisor's own. Ends when the client leaves.
 */
export async function watch(
  { since, units }: RequestOf<'watch'>, exchange: Exchange, journal: Journal, status: () => StatusSnapshot,
): Promise<null> {
  const fits = ({ unit }: JournalRecord): boolean => units === null || (unit !== null && units.includes(unit));
  let waiting: WatchLine[] = [];
  let wake = (): void => undefined;
  const unsubscribe = journal.subscribe((record) => {
    const last = waiting.at(-1);
    // The gap is always last: nothing more is kept until the reader has taken all.
    if (last?.kind === 'gap') waiting.splice(-1, 1, { ...last, to: record.seq });
    else if (waiting.length >= LONGEST_LAG) waiting.push({ kind: 'gap', from: record.seq, to: record.seq });
    else if (fits(record)) waiting.push({ kind: 'event', record });
    wake();
  });
  exchange.signal.addEventListener('abort', () => wake(), { once: true });
  const send = (line: WatchLine): Promise<void> => exchange.write(Buffer.from(`${encodeWatchLine(line)}\n`));

  try {
    const seq = journal.last;
    await send({ kind: 'snapshot', seq, status: status() });
    if (since !== null) {
      if (journal.oldest > since + 1 && since < seq) await send({ kind: 'gap', from: since + 1, to: journal.oldest - 1 });
      for (const record of journal.query({ unit: null, limit: LONGEST_LAG, since })) {
        if (record.seq <= seq && fits(record)) await send({ kind: 'event', record });
      }
    }
    while (!exchange.signal.aborted) {
      const batch = waiting;
      waiting = [];
      for (const line of batch) await send(line);
      if (waiting.length > 0 || exchange.signal.aborted) continue;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  } catch (error) {
    // The client left while we wrote to it, which is how a watch ends.
    if (!exchange.signal.aborted) throw error;
  } finally {
    unsubscribe();
  }
  return null;
}

/** A reader that lags further behind than this gets a gap instead. */
const LONGEST_LAG = 10_000;
