import { newline } from './lines.ts';
import { blockBytes, readPiece, type Piece, type Pieces, type Place } from './pieces.ts';

export interface Chunk {
  readonly bytes: Buffer;
  readonly place: Place;
}

/** The last `count` lines of a log; a last line without a newline counts. Of the archives only what is needed is read. */
export async function lastChunks({ current, archives }: Pieces, count: number): Promise<readonly Chunk[]> {
  let chunks: Chunk[] = [];
  if (count <= 0) return chunks;
  // The newline that ends the very last line opens no further one.
  let lineEnds = 0;
  let isLast = true;
  for (const piece of current === null ? archives : [current, ...archives]) {
    if (piece.size === 0) continue;
    const found: Found = piece.compressed ? await endOfCompressed(piece, count - lineEnds, isLast) : await endOfRaw(piece, count - lineEnds, isLast);
    chunks = [...placed(found, piece), ...chunks];
    lineEnds += found.lineEnds;
    // An archive of nothing takes room too, compressed.
    isLast &&= found.parts.every((part) => part.length === 0);
    if (found.complete) break;
  }
  return chunks;
}

interface Found {
  readonly parts: Buffer[];
  /** Where in the (uncompressed) file the last of them ends. */
  readonly end: number;
  readonly lineEnds: number;
  /** All lines that were wanted are there. */
  readonly complete: boolean;
}

/** Parts that end where the file does. */
function placed({ parts, end }: Found, { inode, marks }: Piece): Chunk[] {
  let offset = end - parts.reduce((total, part) => total + part.length, 0);
  return parts.map((bytes) => {
    const place = { inode, marks, offset };
    offset += bytes.length;
    return { bytes, place };
  });
}

/** From the end backwards to behind the newline before the lines wanted. */
async function endOfRaw(piece: Piece, wanted: number, isLast: boolean): Promise<Found> {
  const { size } = piece;
  const parts: Buffer[] = [];
  let lineEnds = 0;
  for (let end = size; end > 0;) {
    const start = Math.max(0, end - blockBytes);
    const block = await readBlock(piece, start, end);
    const found = stepBack(block, wanted - lineEnds, isLast && end === size);
    lineEnds += found.lineEnds;
    parts.unshift(block.subarray(found.start));
    if (found.complete) return { parts, end: size, lineEnds, complete: true };
    end = start;
  }
  return { parts, end: size, lineEnds, complete: false };
}

async function readBlock(piece: Piece, start: number, end: number): Promise<Buffer> {
  const block = Buffer.allocUnsafe(end - start);
  let length = 0;
  while (length < block.length) {
    const { bytesRead } = await piece.handle.read(block, length, block.length - length, start + length);
    // Truncated by somebody meanwhile: what is left is what there is.
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return block.subarray(0, length);
}

/** From the beginning, letting go of what turns out to be too far from the end. */
async function endOfCompressed(piece: Piece, wanted: number, isLast: boolean): Promise<Found> {
  const held: { readonly block: Buffer; readonly lineEnds: number }[] = [];
  let lineEnds = 0;
  let end = 0;
  for await (const block of readPiece(piece)) {
    end += block.length;
    held.push({ block, lineEnds: countLineEnds(block) });
    lineEnds += held.at(-1)?.lineEnds ?? 0;
    // One more than wanted, for the newline at the very end of the last piece.
    for (let [first] = held; held.length > 1 && first !== undefined && lineEnds - first.lineEnds > wanted; [first] = held) {
      lineEnds -= first.lineEnds;
      held.shift();
    }
  }
  const all = Buffer.concat(held.map(({ block }) => block));
  const { start, ...found } = stepBack(all, wanted, isLast);
  return { ...found, parts: [all.subarray(start)], end };
}

/** Where the wanted lines begin, counted from the end; `isEnd`: a newline at the end is that of the last of them. */
function stepBack(bytes: Buffer, wanted: number, isEnd: boolean): Pick<Found, 'lineEnds' | 'complete'> & { readonly start: number } {
  let lineEnds = 0;
  for (let at = bytes.length - (isEnd && bytes.at(-1) === newline ? 1 : 0); at > 0;) {
    at = bytes.lastIndexOf(newline, at - 1);
    if (at < 0) break;
    lineEnds += 1;
    if (lineEnds === wanted) return { start: at + 1, lineEnds, complete: true };
  }
  return { start: 0, lineEnds, complete: false };
}

function countLineEnds(block: Buffer): number {
  let count = 0;
  for (let at = block.indexOf(newline); at >= 0; at = block.indexOf(newline, at + 1)) count += 1;
  return count;
}
