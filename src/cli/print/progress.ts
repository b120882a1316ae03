import type { UnitStatus } from '../../wire/payloads.ts';
import { exitText } from '../../signals.ts';
import { naturally } from '../../words.ts';
import type { Palette } from './palette.ts';
import { glyphOf, isMoving, stateOf, stateText } from './unit.ts';
import displayWidth, { fit, padded, printable } from '../../width.ts';

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
