import type { JournalRecord, StatusSnapshot } from '../../wire/payloads.ts';

/** Counts what Status does not: it only grows while the server lives. It begins with what the journal and the histories of cron units still hold. */
export interface Tally {
  readonly lastSeq: number;
  readonly rollouts: ReadonlyMap<string, ReadonlyMap<string, number>>;
  readonly missed: ReadonlyMap<string, number>;
  take(records: readonly JournalRecord[], snapshot: StatusSnapshot): void;
}

export function openTally(): Tally {
  const rollouts = new Map<string, Map<string, number>>();
  const missed = new Map<string, number>();
  const seen = new Map<string, string>();
  let lastSeq = 0;
  return {
    rollouts, missed,
    get lastSeq() {
      return lastSeq;
    },
    take: (records, { units }) => {
      for (const { seq, unit, event, detail } of records) {
        if (seq <= lastSeq) continue;
        lastSeq = seq;
        const result = detail?.['result'];
        if (unit === null || event !== 'rollout' || typeof result !== 'string') continue;
        const results = rollouts.get(unit) ?? new Map<string, number>();
        rollouts.set(unit, results.set(result, (results.get(result) ?? 0) + 1));
      }
      for (const { name, cron } of units) {
        if (cron === undefined) continue;
        const overlaps = (cron.recent_runs ?? []).filter(({ status, started_at: at }) => status === 'OverlapError' && at > (seen.get(name) ?? ''));
        missed.set(name, (missed.get(name) ?? 0) + overlaps.length);
        seen.set(name, overlaps.reduce((latest, { started_at: at }) => (at > latest ? at : latest), seen.get(name) ?? ''));
      }
      const known = new Set(units.map(({ name }) => name));
      for (const kept of [rollouts, missed, seen]) for (const name of kept.keys()) if (!known.has(name)) kept.delete(name);
    },
  };
}
