import type { JournalRecord, StatusSnapshot } from '../../wire/payloads.ts';
import { cpuTimesOf, type CpuTimes } from './process-times.ts';

/** Counts what Status does not: it only grows while the server lives. It begins with what the journal and the histories of cron units still hold. */
export interface Tally {
  /** The newest record that is counted; null: none of this journal is. */
  readonly last: Pick<JournalRecord, 'seq' | 'at'> | null;
  readonly rollouts: ReadonlyMap<string, ReadonlyMap<string, number>>;
  readonly missed: ReadonlyMap<string, number>;
  /** By unit: of all its processes, also of those that are gone. */
  readonly cpu: ReadonlyMap<string, CpuTimes>;
  /** What is counted stays, and the records that come now are those of a journal that began anew. */
  forgetJournal(): void;
  take(records: readonly JournalRecord[], snapshot: StatusSnapshot): void;
}

export function openTally(): Tally {
  const rollouts = new Map<string, Map<string, number>>();
  const missed = new Map<string, number>();
  const seen = new Map<string, string>();
  const cpu = new Map<string, CpuTimes>();
  const measured = new Map<string, CpuTimes & { readonly leader: string }>();
  let last: Tally['last'] = null;
  return {
    rollouts, missed, cpu,
    get last() {
      return last;
    },
    forgetJournal: () => {
      last = null;
    },
    take: (records, { units }) => {
      for (const { seq, at, unit, event, detail } of records) {
        if (last !== null && seq <= last.seq) continue;
        last = { seq, at };
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
      for (const unit of units) {
        const now = cpuTimesOf(unit);
        if (now === null) continue;
        const [leader, before] = [`${unit.process?.pid} ${unit.uptime?.started_at}`, measured.get(unit.name)];
        const since = before?.leader === leader ? before : NONE;
        const total = cpu.get(unit.name) ?? NONE;
        // The time of a child that nobody waited for is gone with it, which is no reason for a counter to fall.
        cpu.set(unit.name, { user: total.user + Math.max(0, now.user - since.user), system: total.system + Math.max(0, now.system - since.system) });
        measured.set(unit.name, { ...now, leader });
      }
      const known = new Set(units.map(({ name }) => name));
      for (const kept of [rollouts, missed, seen, cpu, measured]) for (const name of kept.keys()) if (!known.has(name)) kept.delete(name);
    },
  };
}

const NONE: CpuTimes = { user: 0, system: 0 };
