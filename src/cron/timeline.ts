import { firstNot } from '../halving.ts';
import { DAY_MS } from './calendar.ts';

/** A stretch of time in which a zone's clocks keep one offset, and what happened to them before it. */
export interface Piece {
  readonly startMs: number;
  /** Exclusive. */
  readonly endMs: number;
  /** Reading of the wall clock minus UTC. */
  readonly offsetMs: number;
  /** The clocks were set forward at `startMs`: the readings from here to that of `startMs` never were. Else null. */
  readonly swallowedFromMs: number | null;
  /** The clocks were set back: readings below this one are shown for the second time. */
  readonly repeatedUntilMs: number;
}

interface Change {
  readonly atMs: number;
  readonly beforeMs: number;
  readonly afterMs: number;
}

interface Day {
  /** The offset at its midnight. */
  readonly offsetMs: number;
  /** After its midnight, up to the next one and including it. */
  readonly changes: readonly Change[];
  /** The offset at the next midnight. */
  readonly nextOffsetMs: number;
}

/** Ten years and a bit. */
const DAYS_KEPT = 4000;

const timelines = new Map<string | null, Timeline>();

/** The offsets of one zone, looked up by the day and kept. `null` is the system's local zone. */
export function timelineOf(zone: string | null): Timeline {
  const timeline = timelines.get(zone) ?? new Timeline(offsetsOf(zone));
  timelines.set(zone, timeline);
  return timeline;
}

export class Timeline {
  /** Reading of the wall clock minus UTC, in milliseconds. */
  readonly offsetAt: (wallMs: number) => number;
  readonly #days = new Map<number, Day>();

  constructor(offsetOf: (wallMs: number) => number) {
    this.offsetAt = offsetOf;
  }

  /** The piece that holds this moment; pieces end at each midnight UTC. */
  pieceAt(wallMs: number): Piece {
    const day = Math.floor(wallMs / DAY_MS);
    const dayMs = day * DAY_MS;
    const yesterday = this.#day(day - 1);
    const today = this.#day(day);
    const changes = [...yesterday.changes.slice(-1), ...today.changes];
    const last = changes.findLast(({ atMs }) => atMs <= wallMs);
    const next = changes.find(({ atMs }) => atMs > wallMs);
    const startMs = Math.max(dayMs, last?.atMs ?? dayMs);
    const untilMs = last === undefined ? Number.NEGATIVE_INFINITY : last.atMs + last.beforeMs;
    const forward = last !== undefined && last.atMs === startMs && last.afterMs > last.beforeMs;
    const back = last !== undefined && last.afterMs < last.beforeMs;
    return {
      startMs, endMs: Math.min(next?.atMs ?? Number.POSITIVE_INFINITY, dayMs + DAY_MS), offsetMs: last?.afterMs ?? today.offsetMs,
      swallowedFromMs: forward ? untilMs : null, repeatedUntilMs: back ? untilMs : Number.NEGATIVE_INFINITY,
    };
  }

  #day(day: number): Day {
    const known = this.#days.get(day);
    if (known !== undefined) return known;
    const offsetMs = this.#days.get(day - 1)?.nextOffsetMs ?? this.offsetAt(day * DAY_MS);
    const nextOffsetMs = this.offsetAt((day + 1) * DAY_MS);
    const changes: Change[] = [];
    for (let [fromMs, beforeMs] = [day * DAY_MS, offsetMs]; beforeMs !== nextOffsetMs;) {
      // To the second; at the next midnight it is another one.
      const atMs = 1000 * firstNot((second) => this.offsetAt(second * 1000) === beforeMs, fromMs / 1000, (day + 1) * DAY_MS / 1000);
      const afterMs = this.offsetAt(atMs);
      changes.push({ atMs, beforeMs, afterMs });
      [fromMs, beforeMs] = [atMs, afterMs];
    }
    const read: Day = { offsetMs, changes, nextOffsetMs };
    if (this.#days.size > DAYS_KEPT) this.#days.clear();
    this.#days.set(day, read);
    return read;
  }
}

function offsetsOf(zone: string | null): (wallMs: number) => number {
  if (zone === null) return (wallMs) => -new Date(wallMs).getTimezoneOffset() * 60_000;
  if (zone === 'UTC') return () => 0;
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone, hourCycle: 'h23', year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit',
  });
  return (wallMs) => {
    const shown = /^(\d+)\/(\d+)\/(\d+), (\d+):(\d+):(\d+)$/.exec(format.format(wallMs));
    if (shown === null) throw new Error(`unexpected date format: ${format.format(wallMs)}`);
    const [month = 0, day = 0, year = 0, hour = 0, minute = 0, second = 0] = shown.slice(1).map(Number);
    return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(wallMs / 1000) * 1000;
  };
}
