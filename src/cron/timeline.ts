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

interface Transition {
  readonly atMs: number;
  readonly beforeMs: number;
  readonly afterMs: number;
}

const DAY_MS = 86_400_000;
/** Ten years and a bit. */
const DAYS_KEPT = 4000;

const timelines = new Map<string | null, Timeline>();

/** The offsets of one zone, looked up by the day and kept. `null` is the system's local zone. */
export function timelineOf(zone: string | null): Timeline {
  const known = timelines.get(zone);
  if (known !== undefined) return known;
  const made = new Timeline(offsetsOf(zone));
  timelines.set(zone, made);
  return made;
}

/** Reading of the wall clock minus UTC, in milliseconds. */
export function offsetAt(zone: string | null, wallMs: number): number {
  return timelineOf(zone).offsetAt(wallMs);
}

export class Timeline {
  readonly offsetAt: (wallMs: number) => number;
  readonly #offsets = new Map<number, number>();
  readonly #pieces = new Map<number, readonly Piece[]>();

  constructor(offsetOf: (wallMs: number) => number) {
    this.offsetAt = offsetOf;
  }

  /** The piece that holds this moment; pieces end at each midnight UTC. */
  pieceAt(wallMs: number): Piece {
    const day = Math.floor(wallMs / DAY_MS);
    const pieces = this.#pieces.get(day) ?? this.#readDay(day);
    const piece = pieces.length === 1 ? pieces[0] : pieces.find(({ endMs }) => wallMs < endMs);
    if (piece === undefined) throw new Error(`no offset is known for ${wallMs}`);
    return piece;
  }

  #readDay(day: number): readonly Piece[] {
    if (this.#pieces.size > DAYS_KEPT) {
      this.#pieces.clear();
      this.#offsets.clear();
    }
    const dayMs = day * DAY_MS;
    // One that falls on this very midnight counts as of the day before.
    const earlier = this.#transitions(day - 1).at(-1);
    const inside = this.#transitions(day).filter(({ atMs }) => atMs < dayMs + DAY_MS);
    const pieces = [earlier, ...inside].map((last, index): Piece => {
      const startMs = index === 0 ? dayMs : (last?.atMs ?? dayMs);
      const untilMs = last === undefined ? Number.NEGATIVE_INFINITY : last.atMs + last.beforeMs;
      const forward = last !== undefined && last.atMs === startMs && last.afterMs > last.beforeMs;
      const back = last !== undefined && last.afterMs < last.beforeMs;
      return {
        startMs, endMs: inside[index]?.atMs ?? dayMs + DAY_MS, offsetMs: last?.afterMs ?? this.#midnight(day),
        swallowedFromMs: forward ? untilMs : null, repeatedUntilMs: back ? untilMs : Number.NEGATIVE_INFINITY,
      };
    });
    this.#pieces.set(day, pieces);
    return pieces;
  }

  /** Changes after this midnight, up to the next one and including it. */
  #transitions(day: number): readonly Transition[] {
    const found: Transition[] = [];
    const lastMs = this.#midnight(day + 1);
    let beforeMs = this.#midnight(day);
    let fromMs = day * DAY_MS;
    while (beforeMs !== lastMs) {
      const atMs = this.#firstChange(fromMs, (day + 1) * DAY_MS, beforeMs);
      const afterMs = this.offsetAt(atMs);
      found.push({ atMs, beforeMs, afterMs });
      [beforeMs, fromMs] = [afterMs, atMs];
    }
    return found;
  }

  /** By halving, to the second: the offset is `offsetMs` at `fromMs` and another at `toMs`. */
  #firstChange(fromMs: number, toMs: number, offsetMs: number): number {
    let [same, other] = [fromMs / 1000, toMs / 1000];
    while (other - same > 1) {
      const middle = Math.floor((same + other) / 2);
      if (this.offsetAt(middle * 1000) === offsetMs) same = middle;
      else other = middle;
    }
    return other * 1000;
  }

  #midnight(day: number): number {
    const known = this.#offsets.get(day);
    if (known !== undefined) return known;
    const offset = this.offsetAt(day * DAY_MS);
    this.#offsets.set(day, offset);
    return offset;
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
