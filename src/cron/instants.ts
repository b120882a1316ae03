import { firstMatch } from './calendar.ts';
import type { ParsedCron } from './expression.ts';
import { timelineOf, type Piece } from './timeline.ts';

/** No zone's clocks differ more from UTC. */
const WIDEST_OFFSET_MS = 16 * 3_600_000;
/** The first year that an expression can name begins, somewhere. */
const EARLIEST_MS = -WIDEST_OFFSET_MS;

/**
 * The first instant after `afterWallMs`, or `null` when there is none up to the year 2100. `zone` is an IANA name, `UTC`, or `null` for
 * the system's local zone.
 *
 * When clocks are set back, a fixed hour counts in its first pass only. When they are set forward over a fixed hour, the
 * moment they are set stands for all that it swallowed. A wildcard or stepped hour goes by what the clock shows, always.
 */
export function nextInstant(expression: ParsedCron, zone: string | null, afterWallMs: number): number | null {
  const timeline = timelineOf(zone);
  let fromMs = Math.max(EARLIEST_MS, (Math.floor(afterWallMs / 1000) + 1) * 1000);
  for (;;) {
    const piece = timeline.pieceAt(fromMs);
    const found = expression.elapsedHours ? shown(expression, piece, fromMs) : onceShown(expression, piece, fromMs);
    if (found !== null) return found;
    // Every later instant shows a reading from here on, and lies no further from it than the widest offset.
    const reading = firstMatch(expression.fields, piece.endMs - WIDEST_OFFSET_MS);
    if (reading === null) return null;
    fromMs = Math.max(piece.endMs, reading - WIDEST_OFFSET_MS);
  }
}

/** All instants after the first moment, up to the second and including it. */
export function* instantsBetween(expression: ParsedCron, zone: string | null, afterWallMs: number, untilWallMs: number): Generator<number> {
  for (let next = nextInstant(expression, zone, afterWallMs); next !== null && next <= untilWallMs; next = nextInstant(expression, zone, next)) yield next;
}

/** The last of `instantsBetween`, without walking through all of them; `null` when there is none. */
export function lastInstant(expression: ParsedCron, zone: string | null, afterWallMs: number, untilWallMs: number): number | null {
  for (let backMs = 60_000; ; backMs *= 4) {
    const fromMs = Math.max(afterWallMs, untilWallMs - backMs);
    let last: number | null = null;
    for (const instant of instantsBetween(expression, zone, fromMs, untilWallMs)) last = instant;
    if (last !== null || fromMs <= afterWallMs) return last;
  }
}

function onceShown(expression: ParsedCron, piece: Piece, fromMs: number): number | null {
  const { startMs, offsetMs, swallowedFromMs, repeatedUntilMs } = piece;
  if (swallowedFromMs !== null && fromMs <= startMs) {
    const swallowed = firstMatch(expression.fields, swallowedFromMs);
    if (swallowed !== null && swallowed < startMs + offsetMs) return startMs;
  }
  return shown(expression, piece, Math.max(fromMs, repeatedUntilMs - offsetMs));
}

function shown({ fields }: ParsedCron, { endMs, offsetMs }: Piece, fromMs: number): number | null {
  const reading = firstMatch(fields, fromMs + offsetMs);
  return reading !== null && reading - offsetMs < endMs ? reading - offsetMs : null;
}
