import { setTimeout as pause } from 'node:timers/promises';
import type { StatusSnapshot, UnitStatus } from '../../wire/payloads.ts';
import { askStatus } from '../ask.ts';
import type { Call } from '../call.ts';
import { palette, type Palette } from '../print/palette.ts';
import { glyphOf, isMoving, stateOf, stateText } from '../print/unit.ts';
import { followSupervisor, makeTurns } from '../watch.ts';
import { exitText } from '../../signals.ts';
import { naturally } from '../../words.ts';
import displayWidth, { fit, padded, printable } from '../../width.ts';

export interface ProgressOptions {
  /** Units that are shown before anything happens to them; others are from their first change on. */
  readonly expects: (unit: UnitStatus) => boolean;
  /** No supervisor runs yet, or the running one may be replaced meanwhile. */
  readonly comesUp?: boolean;
  /** The answer comes before everything is done: how long at most the rest is shown. */
  readonly settlesMs?: number;
}

/** Lines on the terminal that are drawn over themselves; what was there before stays above them. */
export function openProgress(call: Call, { expects, comesUp = false }: ProgressOptions) {
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
    /** The units are known, or it is known that they are not: the command may be sent. */
    begun,
    /** Resolves when no unit that is shown moves any more, or when the time is over. */
    async settle(limitMs: number): Promise<void> {
      const deadline = performance.now() + limitMs;
      await pause(SETTLE_MS);
      await look();
      while (performance.now() < deadline && [...rows.values()].some(({ unit }) => isMoving(unit))) await pause(FRAME_MS);
    },
    /** Shows how it ended, and leaves it there. */
    async close(): Promise<void> {
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

/** One unit of a command in progress. */
export interface ProgressRow {
  readonly unit: UnitStatus;
  /** Since the command began, until the unit came to rest. */
  readonly elapsedMs: number;
  /** Null while it moves, or has not yet begun to. */
  readonly settledMs: number | null;
  /** Something has happened to it. */
  readonly moved: boolean;
}

export interface ProgressLook {
  readonly columns: number;
  /** How many lines there are. */
  readonly height: number;
  /** Counts up; the mark of a unit in transition turns with it. */
  readonly frame: number;
  readonly paints: Palette;
}

/** A line for each unit; when there is not enough room, settled units are left out first. */
export function progressLines(rows: readonly ProgressRow[], { columns, height, frame, paints }: ProgressLook): string[] {
  const sorted = naturally(rows, ({ unit }) => unit.name);
  const shown = sorted.length <= height ? sorted : [...sorted].sort((one, other) => rank(one) - rank(other)).slice(0, height - 1);
  const now = Date.now();
  const names = Math.min(32, Math.max(0, ...shown.map(({ unit }) => displayWidth(printable(unit.name)))));
  const texts = shown.map(({ unit }) => stateText(unit, now));
  const wide = Math.max(0, ...texts.map(displayWidth));
  const lines = shown.map((row, index) => {
    const { unit, elapsedMs, moved } = row;
    const state = stateOf(unit);
    const mark = isMoving(unit) ? TURNING[frame % TURNING.length] ?? '' : glyphOf(state);
    const name = padded(fit(printable(unit.name), names), names);
    const text = texts[index] ?? '';
    const time = moved ? `${(elapsedMs / 1000).toFixed(1)}s` : '';
    const line = `${paints.state(state)(mark)} ${name}  ${padded(paints.state(state)(text), wide)}  ${time.padStart(6)}  ${paints.faint(noteOf(unit))}`;
    return fit(line.trimEnd(), columns - 1);
  });
  return shown.length === sorted.length ? lines : [...lines, paints.faint(`  ${sorted.length - shown.length} more`)];
}

const TURNING = ['◐', '◓', '◑', '◒'];

function rank({ unit, settledMs }: ProgressRow): number {
  return unit.health === 'failing' ? 0 : settledMs === null ? 1 : 2;
}

function noteOf(unit: UnitStatus): string {
  if (unit.process !== undefined) return `pid ${unit.process.pid}`;
  const exit = exitText(unit.last_exit);
  return (unit.phase === 'backoff' || unit.phase === 'failed') && exit !== '-' ? exit : '';
}
