import type { LineTimes } from './line-times.ts';
import { Cutter, textOfLine, type Piece } from './lines.ts';
import type { Place, Take } from './pieces.ts';
import type { Span } from './span.ts';
import { undated, type TimeMark } from './times.ts';

export interface TimedLine {
  /** Without the newline. */
  readonly bytes: Buffer;
  /** False for a piece of a line above 64 KiB that goes on, and for a last line that has no newline yet. */
  readonly ended: boolean;
  /** When its first byte was written, in milliseconds of the wall clock; null when nobody knows. */
  readonly at: number | null;
}

export interface LineFilter extends Span {
  readonly pattern: RegExp | null;
}

export interface LineReader {
  readonly take: Take;
  /** Hands out a last line that has no newline yet; what comes of it later is another line. */
  flush(): Promise<void>;
  /** Whether there is such a line. */
  readonly isWithinLine: boolean;
  /** Lines that fit though it is not known when they were written. */
  readonly undated: number;
}

/** Cuts what is read of a log into lines with their times, and hands on those that fit, each awaited before the next. */
export function openLineReader(times: LineTimes | 'in the line', filter: LineFilter, onLine: (line: TimedLine) => void | Promise<void>): LineReader {
  const cutter = new Cutter();
  /** Of the line that is cut now: of its first byte. */
  let mark: TimeMark = undated;
  let next: Place | null = null;
  let undatedLines = 0;
  /** The newline to come ends what was handed out already. */
  let isEndAwaited = false;

  const fits = ({ at, latest }: TimeMark): boolean => {
    const { sinceMs, untilMs } = filter;
    const last = at ?? latest;
    return (sinceMs === null || last === null || last >= sinceMs) && (untilMs === null || at === null || at <= untilMs);
  };

  const emit = async ({ bytes, ended }: Piece): Promise<void> => {
    if (times === 'in the line') mark = recordMark(bytes) ?? mark;
    if (!fits(mark)) return;
    if (filter.pattern !== null && !filter.pattern.test(textOfLine(bytes))) return;
    if (mark.at === null && (filter.sinceMs !== null || filter.untilMs !== null)) undatedLines += 1;
    // A copy: what is kept for a while must not keep the whole chunk.
    await onLine({ bytes: Buffer.from(bytes), ended, at: mark.at });
  };

  const push = async (stretch: Uint8Array, stretchMark: TimeMark | null): Promise<void> => {
    if (!cutter.isWithinLine) mark = stretchMark ?? mark;
    for (const piece of cutter.cut(stretch)) {
      const isOnlyEnd = isEndAwaited && piece.ended && piece.bytes.length === 0;
      isEndAwaited = false;
      if (!isOnlyEnd) await emit(piece);
      mark = stretchMark ?? mark;
    }
  };

  const flush = async (): Promise<void> => {
    for (const piece of cutter.rest()) {
      isEndAwaited = true;
      await emit(piece);
    }
  };

  return {
    async take(chunk, place) {
      // Emptied by somebody: what comes is no continuation of what was.
      if (next !== null && place.inode === next.inode && place.offset < next.offset) {
        await flush();
        isEndAwaited = false;
      }
      next = { ...place, offset: place.offset + chunk.length };
      if (times === 'in the line') return push(chunk, null);
      let start = 0;
      for (const { end, mark: stretchMark } of await times(place, chunk.length)) {
        await push(chunk.subarray(start, end), stretchMark);
        start = end;
      }
    },
    flush,
    get isWithinLine() {
      return cutter.isWithinLine;
    },
    get undated() {
      return undatedLines;
    },
  };
}

/** The time with which a record of a supervisor begins, systemg 0.33.0's too. */
function recordMark(line: Buffer): TimeMark | null {
  const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z/.exec(line.toString('latin1', 0, 40));
  const at = time === null ? Number.NaN : Date.parse(time[0]);
  return Number.isNaN(at) ? null : { offset: 0, at, latest: at };
}
