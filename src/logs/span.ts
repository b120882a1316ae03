import { newline } from './lines.ts';
import { readPiece, type Piece, type Pieces, type Take } from './pieces.ts';
import { readTimes, undated, type TimeMark } from './times.ts';

/** Milliseconds of the wall clock, both ends included; null is open. */
export interface Span {
  readonly sinceMs: number | null;
  readonly untilMs: number | null;
}

/**
 * Hands on the parts of a log, oldest first, that may hold lines of a span of time. There is more in them: a little before, to begin
 * with a whole line, and what nobody knows the time of. Resolves with the offset in the present file where reading of it ended.
 */
export async function readSpan(file: string, { current, archives }: Pieces, span: Span, take: Take): Promise<number> {
  let earliestMs: number | null = null;
  for (const piece of archives.toReversed()) {
    await readPart(piece, rangeOf(file, piece, span, earliestMs), take);
    earliestMs = piece.changedMs;
  }
  if (current === null) return 0;
  // What nobody knows the latest time of was written before the present change: reading the archives has taken time.
  const { mtimeMs: changedMs } = await current.handle.stat();
  return readPart(current, rangeOf(file, { ...current, changedMs }, span, earliestMs), take);
}

/** Offsets in the raw file; `to` is exclusive, and a line that goes on there is read to its end. */
interface Range {
  readonly from: number;
  readonly to: number;
}

function rangeOf(file: string, piece: Piece, span: Span, earliestMs: number | null): Range | null {
  const marks = piece.marks?.() ?? readTimes(file, piece.inode)?.marks ?? [];
  const all: readonly TimeMark[] = marks[0]?.offset === 0 ? marks : [{ ...undated, latest: marks[0]?.latest ?? null }, ...marks];
  const fits = ({ at, latest }: TimeMark): boolean => {
    const { sinceMs, untilMs } = span;
    const from = at ?? earliestMs;
    const to = latest ?? Math.ceil(piece.changedMs);
    return (sinceMs === null || to >= sinceMs) && (untilMs === null || from === null || from <= untilMs);
  };
  const first = all.findIndex(fits);
  if (first < 0) return null;
  const last = all.findLastIndex(fits);
  return { from: all[Math.max(0, first - 1)]?.offset ?? 0, to: all[last + 1]?.offset ?? Infinity };
}

async function readPart(piece: Piece, range: Range | null, take: Take): Promise<number> {
  let offset = range?.from ?? 0;
  if (range === null) return offset;
  for await (const chunk of readPiece(piece, range.from)) {
    let bytes = chunk;
    if (offset + chunk.length > range.to) {
      const lineEnd = chunk.indexOf(newline, Math.max(0, range.to - offset));
      if (lineEnd >= 0) bytes = chunk.subarray(0, lineEnd + 1);
    }
    await take(bytes, { inode: piece.inode, marks: piece.marks, offset });
    offset += bytes.length;
    if (bytes.length < chunk.length || (offset > range.to && bytes.at(-1) === newline)) break;
  }
  return offset;
}
