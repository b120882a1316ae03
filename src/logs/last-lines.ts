import type { FileHandle } from 'node:fs/promises';
import { blockBytes, closeArchives, openPieces, rawPiece, readPiece, type Piece, type Place } from './pieces.ts';

/** Part of a log, and the open file that it ends in. */
export interface End {
  readonly chunks: readonly Chunk[];
  /** To be closed by the caller; null when there is no file. */
  readonly handle: FileHandle | null;
  /** Where in the file the chunks end. */
  readonly offset: number;
}

export interface Chunk {
  readonly bytes: Buffer;
  readonly place: Place;
}

/** The last `count` lines of a log, archives included; a last line without a newline counts. Empty when there is no file. */
export async function lastLines(file: string, count: number): Promise<Buffer> {
  const { chunks, handle } = await readEnd(file, count);
  await handle?.close();
  return Buffer.concat(chunks.map(({ bytes }) => bytes));
}

/** As `lastLines`, to read on from there. Archives are opened with the file, but read only as far as needed. */
export async function readEnd(file: string, count: number): Promise<End> {
  const pieces = await openPieces(file);
  const handle = pieces.current;
  try {
    const stat = await handle?.stat();
    const offset = stat?.size ?? 0;
    const current = handle === null || stat === undefined ? [] : [rawPiece(handle, stat)];
    return { chunks: count <= 0 ? [] : await collect([...current, ...pieces.archives], handle, offset, count), handle, offset };
  } catch (error) {
    await handle?.close();
    throw error;
  } finally {
    await closeArchives(pieces);
  }
}

const newline = 0x0a;

async function collect(pieces: readonly Piece[], current: FileHandle | null, currentSize: number, count: number): Promise<Chunk[]> {
  let chunks: Chunk[] = [];
  // The newline that ends the very last line opens no further one.
  let lineEnds = 0;
  let isLast = true;
  for (const piece of pieces) {
    const size = piece.handle === current ? currentSize : (await piece.handle.stat()).size;
    if (size === 0) continue;
    const found: Found = piece.compressed
      ? await endOfCompressed(piece, count - lineEnds, isLast)
      : await endOfRaw(piece, size, count - lineEnds, isLast);
    chunks = [...placed(found, piece), ...chunks];
    lineEnds += found.lineEnds;
    // An archive of nothing takes room too, compressed.
    isLast &&= found.parts.every((part) => part.length === 0);
    if (found.complete) break;
  }
  return chunks;
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

interface Found {
  readonly parts: Buffer[];
  /** Where in the (uncompressed) file the last of them ends. */
  readonly end: number;
  readonly lineEnds: number;
  /** All lines that were wanted are there. */
  readonly complete: boolean;
}

/** From the end backwards to behind the newline before the lines wanted. */
async function endOfRaw(piece: Piece, size: number, wanted: number, isLast: boolean): Promise<Found> {
  const parts: Buffer[] = [];
  let lineEnds = 0;
  for (let end = size; end > 0;) {
    const start = Math.max(0, end - blockBytes);
    const block = await readBlock(piece, start, end);
    const offset = isLast && end === size && block.at(-1) === newline ? block.length - 2 : block.length - 1;
    for (let at = offset < 0 ? -1 : block.lastIndexOf(newline, offset); at >= 0; at = at === 0 ? -1 : block.lastIndexOf(newline, at - 1)) {
      lineEnds += 1;
      if (lineEnds === wanted) return { parts: [block.subarray(at + 1), ...parts], end: size, lineEnds, complete: true };
    }
    parts.unshift(block);
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
  let held: { block: Buffer; lineEnds: number }[] = [];
  let lineEnds = 0;
  let size = 0;
  for await (const block of readPiece(piece)) {
    size += block.length;
    const here = countLineEnds(block);
    held.push({ block, lineEnds: here });
    lineEnds += here;
    let spare = 0;
    // One more than wanted, for the newline at the very end of the last piece.
    while (spare < held.length - 1 && lineEnds - (held[spare]?.lineEnds ?? 0) > wanted) {
      lineEnds -= held[spare]?.lineEnds ?? 0;
      spare += 1;
    }
    if (spare > 0) held = held.slice(spare);
  }
  const all = Buffer.concat(held.map(({ block }) => block));
  return endOfBuffer(all, size, wanted, isLast);
}

function endOfBuffer(all: Buffer, end: number, wanted: number, isLast: boolean): Found {
  let lineEnds = 0;
  let at = isLast && all.at(-1) === newline ? all.length - 1 : all.length;
  while (at > 0) {
    at = all.lastIndexOf(newline, at - 1);
    if (at < 0) break;
    lineEnds += 1;
    if (lineEnds === wanted) return { parts: [all.subarray(at + 1)], end, lineEnds, complete: true };
  }
  return { parts: [all], end, lineEnds, complete: false };
}

function countLineEnds(block: Buffer): number {
  let count = 0;
  for (let at = block.indexOf(newline); at >= 0; at = block.indexOf(newline, at + 1)) count += 1;
  return count;
}
