import type { RunHistoryPort } from '../../machines/ports.ts';
import type { JobRun } from '../../machines/types.ts';
import { withRun, type CronRun } from './summary.ts';

/** The last runs of every cron unit, kept in the ledger through restarts, reloads and edits. */
export interface RunHistory extends RunHistoryPort {
  /** Newest last. */
  of(unit: string): readonly CronRun[];
  /** How many runs were left out because the one before them went on; undefined: none, or none since they are counted. */
  missed(unit: string): number | undefined;
  /** The latest instant that the unit ran at, or could not for the run before, under any supervisor. */
  lastRunWallMs(unit: string): number | null;
}

export interface RunHistoryOutside {
  /** Where the runs are kept: what was noted under each key, and a way to note more. */
  readonly ledger: { readonly meta: ReadonlyMap<string, unknown>; note(key: string, value: unknown): void };
  readonly wallNow: () => number;
  /** Whose account a unit's run belongs to, and what it runs. */
  describe(unit: string): { readonly user: string | null; readonly command: string | null };
  /** Gets records in the words and under the modules of 0.33.0, since scripts look for those. */
  readonly log: Readonly<Record<'info' | 'warn', (target: string, text: string) => void>>;
}

export function openRunHistory({ ledger, wallNow, describe, log }: RunHistoryOutside): RunHistory {
  const runs = new Map<string, readonly CronRun[]>();
  const counted = new Map<string, number>();
  let overlaps = 0;
  for (const [key, value] of ledger.meta) {
    if (key.startsWith(PREFIX)) runs.set(key.slice(PREFIX.length), notedRuns(value));
    else if (key.startsWith(MISSED) && typeof value === 'number') counted.set(key.slice(MISSED.length), value);
  }
  const of = (unit: string): readonly CronRun[] => runs.get(unit) ?? [];
  const keep = (unit: string, run: CronRun): void => {
    const all = withRun(of(unit), run);
    runs.set(unit, all);
    ledger.note(historyKey(unit), all);
  };
  /** By its identity; a run that began under another supervisor is the one that is still open. */
  const find = (unit: string, { id }: JobRun): CronRun | undefined =>
    of(unit).find((run) => run.id === id) ?? of(unit).findLast((run) => run.completedWallMs === null && run.status === null);

  return {
    of,
    missed: (unit) => counted.get(unit),
    lastRunWallMs: (unit) => {
      const instants = of(unit).map((run) => run.scheduledWallMs ?? run.startedWallMs);
      return instants.length === 0 ? null : Math.max(...instants);
    },
    began: (unit, run) => {
      log.info('systemg::supervisor', `Running cron job '${unit}'`);
      keep(unit, {
        id: run.id, scheduledWallMs: run.instantWallMs, startedWallMs: wallNow(), completedWallMs: null, status: null, exitCode: null, pid: null,
        ...describe(unit),
      });
    },
    running: (unit, run, pid) => {
      const known = find(unit, run);
      if (known !== undefined && known.pid !== pid) keep(unit, { ...known, pid });
    },
    ended: (unit, run, end) => {
      const known = find(unit, run);
      if (known === undefined) return;
      if (end.kind === 'success') log.info('systemg::supervisor', `Cron job '${unit}' completed successfully`);
      else log.warn('systemg::supervisor', `Cron job '${unit}' failed: ${end.reason}`);
      keep(unit, {
        ...known, completedWallMs: wallNow(), exitCode: end.exit?.code ?? null, status: end.kind === 'success' ? 'Success' : { Failed: end.reason },
      });
    },
    overlapped: (unit, instantWallMs) => {
      log.warn('systemg::cron', `Cron job '${unit}' is scheduled to run but previous execution is still running`);
      const now = wallNow();
      // A ledger of an earlier sysg has no count, but the last runs.
      const missed = 1 + (counted.get(unit) ?? of(unit).filter(({ status }) => status === 'OverlapError').length);
      counted.set(unit, missed);
      ledger.note(MISSED + unit, missed);
      keep(unit, {
        id: `overlap.${now}.${(overlaps += 1)}`, scheduledWallMs: instantWallMs, startedWallMs: now, completedWallMs: now, status: 'OverlapError',
        exitCode: null, pid: null, user: null, command: null,
      });
    },
  };
}

/** Under which the ledger keeps a unit's runs. */
export function historyKey(unit: string): string {
  return PREFIX + unit;
}

const PREFIX = 'runs:';
const MISSED = 'missed-runs:';

/** Of the note under that key. Anything else, from an older or a damaged ledger, is left out. */
export function notedRuns(note: unknown): readonly CronRun[] {
  return Array.isArray(note) ? note.filter(isRun) : [];
}

function isRun(value: unknown): value is CronRun {
  return typeof value === 'object' && value !== null && 'id' in value && typeof value.id === 'string' && 'startedWallMs' in value
    && typeof value.startedWallMs === 'number' && 'status' in value && 'completedWallMs' in value;
}
