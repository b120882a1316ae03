import type { Journal } from '../journal/journal.ts';
import type { Exchange } from './connection.ts';
import { encodeWatchLine, type WatchLine } from '../wire/responses.ts';
import type { JournalRecord, StatusSnapshot } from '../wire/payloads.ts';

export interface WatchOptions {
  /** Exclusive; null: from now on. */
  readonly since: number | null;
  /** Null: of every unit, and the supervisor's own. */
  readonly units: readonly string[] | null;
}

interface Gap {
  readonly from: number;
  readonly to: number;
}

function nothing(): Gap | null {
  return null;
}

/** A reader that lags further behind than this is told of a gap instead. */
const LONGEST_LAG = 10_000;

/**
 * The Snapshot first, then every event after it, and with `since` the kept ones before it: nothing lost or doubled
 * between the two. Ends when the client leaves.
 */
export async function watch(
  exchange: Exchange, { since, units }: WatchOptions, journal: Journal, status: () => StatusSnapshot,
): Promise<null> {
  const fits = ({ unit }: JournalRecord): boolean => units === null || (unit !== null && units.includes(unit));
  let waiting: JournalRecord[] = [];
  let dropped = nothing();
  let wake: (() => void) | null = null;
  const unsubscribe = journal.subscribe((record) => {
    if (waiting.length >= LONGEST_LAG) {
      dropped = { from: dropped?.from ?? record.seq, to: record.seq };
    } else if (fits(record)) {
      waiting.push(record);
    }
    wake?.();
  });
  exchange.signal.addEventListener('abort', () => wake?.(), { once: true });
  const say = (line: WatchLine): Promise<void> => exchange.write(Buffer.from(`${encodeWatchLine(line)}\n`));

  try {
    const seq = journal.last;
    await say({ kind: 'snapshot', seq, status: status() });
    if (since !== null) {
      if (journal.oldest > since + 1 && since < seq) await say({ kind: 'gap', from: since + 1, to: journal.oldest - 1 });
      for (const record of journal.query({ unit: null, limit: LONGEST_LAG, since })) {
        if (record.seq <= seq && fits(record)) await say({ kind: 'event', record });
      }
    }
    while (!exchange.signal.aborted) {
      const batch = waiting;
      const gap = dropped;
      waiting = [];
      dropped = null;
      for (const record of batch) await say({ kind: 'event', record });
      if (gap !== null) await say({ kind: 'gap', from: gap.from, to: gap.to });
      if (waiting.length === 0 && dropped === null && !exchange.signal.aborted) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        wake = null;
      }
    }
  } catch (error) {
    // The client left while we wrote to it, which is how a watch ends.
    if (!exchange.signal.aborted) throw error;
  } finally {
    unsubscribe();
  }
  return null;
}
