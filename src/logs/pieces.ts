import { constants } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { attempt, hasCode } from '../errors.ts';
import { listArchives, timesOf, type Archive } from './archives.ts';
import { originOf, uncompressedSize } from './gzip.ts';
import { statLog } from './plain-file.ts';
import { parseTimes, readTimesText, type TimeMark } from './times.ts';

/** One file of a rotated log, held open: it can be read to its end whatever becomes of its name. */
export interface Piece {
  readonly handle: FileHandle;
  readonly compressed: boolean;
  readonly device: number;
  /** Of the raw file, which is gone where it was compressed: another may have it by now. 0: it was compressed by somebody else. */
  readonly inode: number;
  /** Of a compressed one; null for a raw one, whose marks are found by its inode and may become more. */
  readonly marks: ReadMarks | null;
  /** Milliseconds of the wall clock: when the last of it was written. */
  readonly changedMs: number;
  /** Bytes that the file itself had when it was opened. */
  readonly size: number;
}

export type ReadMarks = () => readonly TimeMark[];

/** Where bytes of a log were found: in which file, as above, and at which offset of its content. */
export interface Place extends Pick<Piece, 'inode' | 'marks'> {
  readonly offset: number;
}

/** What a reader of a log is given. Each chunk is awaited before the next is read. */
export type Take = (chunk: Uint8Array, place: Place) => void | Promise<void>;

/** Files of a log as they were at one moment. The archives are newest first; `current` is null when there is no file. */
export interface Pieces {
  readonly current: Piece | null;
  readonly archives: readonly Piece[];
}

export type Old = Pick<Piece, 'inode' | 'size' | 'changedMs'>;

/** Bytes of a piece from an offset of its uncompressed content to the end that it has now. */
export async function* readPiece(piece: Piece, from = 0): AsyncGenerator<Buffer> {
  if (piece.compressed) {
    yield* readCompressed(piece.handle, from);
    return;
  }
  for (let offset = from; ;) {
    const { bytesRead, buffer } = await piece.handle.read({ buffer: Buffer.allocUnsafe(blockBytes), position: offset });
    if (bytesRead === 0) return;
    offset += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

export async function closeArchives({ archives }: Pieces): Promise<void> {
  for (const { handle } of archives) await handle.close();
}

export const blockBytes = 64 * 1024;

/** `old`: with what was put away after it alone, a piece that has lost its name, `size` and `changedMs` as they are now. */
export async function openPieces(file: string, old: Old | null = null): Promise<Pieces> {
  const choose = (): Archive[] => (old === null ? listArchives(file) : archivesAfter(file, old));
  for (let attempt = 1; ; attempt += 1) {
    const chosen = choose();
    const current = await openPiece(file, false);
    const archives: Piece[] = [];
    const pieces = { current, archives };
    let areWhole = false;
    try {
      for (const { path, compressed } of chosen) {
        const piece = await openPiece(path, compressed);
        if (piece !== null) archives.push(piece);
      }
      const named = statLog(file);
      areWhole = attempt === mostAttempts || (named?.ino === current?.inode && signature(choose()) === signature(chosen));
      if (areWhole) return pieces;
    } finally {
      // One of them cannot be opened; or a rotation or a compression came in between, and a piece may be missing, or there twice.
      if (!areWhole) {
        await current?.handle.close();
        await closeArchives(pieces);
      }
    }
  }
}

const mostAttempts = 20;

async function openPiece(path: string, compressed: boolean): Promise<Piece | null> {
  let handle: FileHandle;
  try {
    // Without O_NONBLOCK a FIFO in its place would be waited for.
    handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    // ELOOP: a link to itself, ENXIO: a socket.
    if (hasCode(error, 'ENOENT', 'ELOOP', 'ENXIO')) return null;
    throw error;
  }
  try {
    const stat = await handle.stat();
    if (!stat.isFile()) {
      await handle.close();
      return null;
    }
    const { dev: device, ino, mtimeMs: changedMs, size } = stat;
    const common = { handle, compressed, device, changedMs, size };
    if (!compressed) return { ...common, inode: ino, marks: null };
    // ENOENT: moved on since it was opened, and the list is made again.
    const inode = attempt(() => originOf(path) ?? 0, 0, 'ENOENT');
    return { ...common, inode, marks: keepMarks(timesOf(path.slice(0, -'.gz'.length)), inode) };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Reads the index at once, before it is moved on, and looks into it when that is wanted. */
function keepMarks(path: string, inode: number): ReadMarks {
  let text = inode === 0 ? null : readTimesText(path);
  let marks: readonly TimeMark[] = [];
  return () => {
    const times = text === null ? null : parseTimes(text);
    text = null;
    if (times?.inode === inode) ({ marks } = times);
    return marks;
  };
}

function signature(archives: readonly Archive[]): string {
  return archives.map(({ path, stat }) => `${path} ${stat.ino}`).join('\n');
}

function archivesAfter(file: string, old: Old): Archive[] {
  const archives = listArchives(file);
  const found = archives.findIndex((archive) => isSame(archive, old));
  if (found >= 0) return archives.slice(0, found);
  // It was removed since, as the oldest: what was written to later than it came after it.
  return archives.filter((archive) => archive.stat.mtimeMs > old.changedMs);
}

/** Inodes are used again: the time of the last write, which compressing keeps, and the size have to be the same too. */
function isSame({ path, compressed, stat }: Archive, old: Old): boolean {
  if (!compressed) return stat.ino === old.inode;
  // Moved on or removed since it was listed: the list is made again.
  const isLike = Math.abs(stat.mtimeMs - old.changedMs) < 1;
  return isLike && attempt(() => uncompressedSize(path) === old.size % 2 ** 32 && originOf(path) === old.inode, false, 'ENOENT');
}

async function* readCompressed(handle: FileHandle, from: number): AsyncGenerator<Buffer> {
  const source = handle.createReadStream({ start: 0, autoClose: false });
  const content: Readable = source.pipe(createGunzip());
  source.on('error', (error) => content.destroy(error));
  let skip = from;
  for await (const chunk of content) {
    if (!Buffer.isBuffer(chunk)) continue;
    const rest = chunk.subarray(Math.min(skip, chunk.length));
    skip -= chunk.length - rest.length;
    if (rest.length > 0) yield rest;
  }
}
