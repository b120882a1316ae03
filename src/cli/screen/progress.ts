import { setTimeout as pause } from 'node:timers/promises';
import type { StatusSnapshot, UnitStatus } from '../../wire/payloads.ts';
import { askStatus } from '../ask.ts';
import type { Call } from '../call.ts';
import { palette } from '../print/palette.ts';
import { progressLines, type ProgressRow } from '../print/progress.ts';
import { isMoving } from '../print/unit.ts';
import { followSupervisor, makeTurns } from '../watch.ts';

export interface ProgressOptions {
  /** Units that are shown before anything happens to them; others are from their first change on. */
  readonly expects: (unit: UnitStatus) => boolean;
  /** No supervisor runs yet, or the running one may be replaced meanwhile. */
  readonly comesUp?: boolean;
  /** The answer comes before everything is done: how long at most the rest is shown. */
  readonly settlesMs?: number;
}

export interface Progress {
  /** The units are known, or it is known that they are not: the command may be sent. */
  readonly begun: Promise<void>;
  /** Resolves when no unit that is shown moves any more, or when the time is over. */
  settle(limitMs: number): Promise<void>;
  /** Shows how it ended, and leaves it there. */
  close(): Promise<void>;
}

/** Lines on the terminal that are drawn over themselves; what was there before stays above them. */
export function openProgress(call: Call, { expects, comesUp = false }: ProgressOptions): Progress {
  const startedMs = performance.now();
  const changed = new Set<string>();
  const expected = new Set<string>();
  const rows = new Map<string, ProgressRow>();
  let drawn = 0;
  let frame = 0;
  let over = false;
  let begin = (): void => undefined;
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });

  const draw = (): void => {
    const { columns = 80, rows: height = 24 } = process.stdout;
    const lines = progressLines([...rows.values()], { columns, height: Math.max(3, height - 2), frame, paints: palette(call.terminal.color) });
    if (lines.length === 0 && drawn === 0) return;
    const up = drawn === 0 ? '' : `\u001b[${drawn}A`;
    drawn = lines.length;
    call.terminal.print(`${up}${lines.map((line) => `\r\u001b[2K${line}`).join('\n')}\u001b[J`);
  };
  const take = (snapshot: StatusSnapshot): void => {
    for (const unit of snapshot.units) {
      if (comesUp && expects(unit)) expected.add(unit.name);
      // Cron units run by their own schedule.
      if (!expected.has(unit.name) && (unit.kind === 'cron' || !changed.has(unit.name))) continue;
      rows.set(unit.name, rowOf(unit));
    }
  };
  const rowOf = (unit: UnitStatus): ProgressRow => {
    const before = rows.get(unit.name);
    const moved = before?.moved === true || comesUp || changed.has(unit.name);
    const elapsedMs = performance.now() - startedMs;
    const settledMs = !moved || isMoving(unit) ? null : (before?.settledMs ?? elapsedMs);
    return { unit, elapsedMs: settledMs ?? elapsedMs, settledMs, moved };
  };
  const look = async (): Promise<void> => {
    const answer = await askStatus(call);
    if (!answer.ok) return;
    take(answer.snapshot);
    if (!over) draw();
  };
  const lookSoon = makeTurns(look, LEAST_PAUSE_MS, (work) => void work);
  const timer = setInterval(() => {
    frame += 1;
    if (rows.size > 0) draw();
  }, FRAME_MS);
  const unfollow = followSupervisor(call, {
    line(line) {
      if (line.kind === 'snapshot') {
        for (const unit of line.status.units) if (expects(unit)) expected.add(unit.name);
        take(line.status);
        begin();
      } else if (line.kind === 'event' && line.record.unit !== null) {
        changed.add(line.record.unit);
      }
      lookSoon();
    },
    gone: () => begin(),
    refused: () => begin(),
  });

  return {
    begun,
    async settle(limitMs) {
      const deadline = performance.now() + limitMs;
      await pause(SETTLE_MS);
      await look();
      while (performance.now() < deadline && [...rows.values()].some(({ unit }) => isMoving(unit))) await pause(FRAME_MS);
    },
    async close() {
      over = true;
      clearInterval(timer);
      unfollow();
      const answer = await askStatus(call);
      if (answer.ok) take(answer.snapshot);
      // The supervisor ended, after it had ended its units.
      else for (const [name, row] of rows) rows.set(name, rowOf(atRest(row.unit)));
      if (rows.size > 0) draw();
    },
  };
}

const FRAME_MS = 120;
const LEAST_PAUSE_MS = 60;
/** How long the first event of what was begun may take. */
const SETTLE_MS = 150;

function atRest(unit: UnitStatus): UnitStatus {
  const { process: _process, ready: _ready, next_at: _next, kill_at: _kill, ...rest } = unit;
  return { ...rest, phase: 'stopped', lifecycle: 'stopped' };
}
