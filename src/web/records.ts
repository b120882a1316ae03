import { askFor, askRecords, askStatus, mostRecords, type StatusAnswer } from '../cli/ask.ts';
import type { Call } from '../cli/call.ts';
import type { JournalRecord } from '../wire/payloads.ts';

export type Records = ReturnType<typeof keepRecords>;

/** A journal that was put back is noticed after so long when nobody watches. */
const LONGEST_MS = 60_000;

/** The newest records of the journal, kept here: the supervisor is asked for those that came since, however often the page shows them. */
export function keepRecords(call: Call) {
  let kept: readonly JournalRecord[] = [];
  let readMs: number | null = null;
  let reading: Promise<readonly JournalRecord[]> | null = null;
  const read = async (): Promise<readonly JournalRecord[]> => {
    const last = kept.at(-1)?.seq;
    if (last === undefined || readMs === null || performance.now() - readMs > LONGEST_MS) {
      const answer = await askRecords(call, null);
      readMs = answer.ok && answer.isLive ? performance.now() : null;
      if (answer.ok) kept = answer.records;
      return kept;
    }
    const answer = await askFor(call, { kind: 'history', unit: null, limit: mostRecords, since: last }, 'history');
    if (answer.ok) kept = [...kept, ...answer.response.records.filter(({ seq }) => seq > last)].slice(-mostRecords);
    else readMs = null;
    return kept;
  };
  return {
    /** Oldest first, of all units. */
    all: (): Promise<readonly JournalRecord[]> => {
      reading ??= read().finally(() => {
        reading = null;
      });
      return reading;
    },
    /** Another supervisor answers now: what is kept may be of a journal that is gone. */
    forget: (): void => {
      readMs = null;
    },
  };
}

/**
 * What the supervisor says of all units, asked one time after the other: the requests that come while it is being asked share the next answer. No answer is
 * older than its request: a page asks when something happened, and may not hear of anything again for hours.
 */
export function shareStatus(call: Call, ask: (call: Call) => Promise<StatusAnswer> = askStatus): () => Promise<StatusAnswer> {
  let asked: Promise<StatusAnswer> | null = null;
  let next: Promise<StatusAnswer> | null = null;
  const begin = (): Promise<StatusAnswer> => {
    next = null;
    const answer = ask(call).finally(() => {
      if (asked === answer) asked = null;
    });
    asked = answer;
    return answer;
  };
  return () => {
    if (asked === null) return begin();
    next ??= asked.then(begin, begin);
    return next;
  };
}
