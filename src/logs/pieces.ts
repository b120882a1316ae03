import { constants, statSync, type Stats } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { hasCode } from '../errors.ts';
import { listArchives, timesOf, uncompressedSize, type Archive } from './archives.ts';
import { originOf } from './gzip-origin.ts';
import { parseTimes, readTimesText, type TimeMark } from './times.ts';

/** One file of a rotated log, held open: it can be read to its end whatever becomes of its name. */
export interface Piece {
  readonly handle: FileHandle;
  readonly compressed: boolean;
  /** Of the raw file, which is gone where it was compressed: another may have it by now. 0: it was compressed by somebody else. */
  readonly inode: number;
  /** Of a compressed one; null for a raw one, whose marks are found by its inode and may become more. */
  readonly marks: ReadMarks | null;
  /** Milliseconds of the wall clock: when the last of it was written. */
  readonly changedMs: number;
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
  readonly current: FileHandle | null;
  readonly archives: readonly Piece[];
}

export function openPieces(file: string): Promise<Pieces> {
  return openTogether(file, () => listArchives(file));
}

/** The file, and what was put away after `old` was. */
export function openSuccessors(file: string, old: Old): Promise<Pieces> {
  return openTogether(file, () => archivesAfter(file, old));
}

/** What is known of a file that has lost its name. */
export interface Old {
  readonly ino: number;
  readonly size: number;
  readonly mtimeMs: number;
}

export function rawPiece(handle: FileHandle, { ino, mtimeMs }: Pick<Stats, 'ino' | 'mtimeMs'>): Piece {
  return { handle, compressed: false, inode: ino, marks: null, changedMs: mtimeMs };
}

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

async function openTogether(file: string, choose: () => Archive[]): Promise<Pieces> {
  for (let attempt = 1; ; attempt += 1) {
    const chosen = choose();
    const current = await openIfThere(file);
    const archives: Piece[] = [];
    for (const { path, compressed } of chosen) {
      const handle = await openIfThere(path);
      if (handle !== null) archives.push(await pieceOf(handle, path, compressed));
    }
    const pieces = { current, archives };
    if (attempt === mostAttempts || ((await isNamed(current, file)) && signature(choose()) === signature(chosen))) return pieces;
    // A rotation or a compression came in between: a piece may be missing, or there twice.
    await current?.close();
    await closeArchives(pieces);
  }
}

const mostAttempts = 20;

async function pieceOf(handle: FileHandle, path: string, compressed: boolean): Promise<Piece> {
  const stat = await handle.stat();
  if (!compressed) return rawPiece(handle, stat);
  const inode = inodeNoted(path);
  return { handle, compressed, inode, marks: keepMarks(timesOf(path.slice(0, -'.gz'.length)), inode), changedMs: stat.mtimeMs };
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

function inodeNoted(path: string): number {
  try {
    return originOf(path) ?? 0;
  } catch (error) {
    // Moved on since it was opened: the list is made again.
    if (hasCode(error, 'ENOENT')) return 0;
    throw error;
  }
}

async function openIfThere(path: string): Promise<FileHandle | null> {
  try {
    // Without O_NONBLOCK a FIFO in its place would be waited for.
    return await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null;
    throw error;
  }
}

async function isNamed(handle: FileHandle | null, file: string): Promise<boolean> {
  const named = statSync(file, { throwIfNoEntry: false });
  return handle === null ? named === undefined : named?.ino === (await handle.stat()).ino;
}

function signature(archives: readonly Archive[]): string {
  return archives.map(({ path, stat }) => `${path} ${stat.ino}`).join('\n');
}

function archivesAfter(file: string, old: Old): Archive[] {
  const archives = listArchives(file);
  const found = archives.findIndex((archive) => isSame(archive, old));
  if (found >= 0) return archives.slice(0, found);
  // It was removed since, as the oldest: what was written to later than it came after it.
  return archives.filter((archive) => archive.stat.mtimeMs > old.mtimeMs);
}

/** Inodes are used again: the time of the last write, which compressing keeps, and the size have to be the same too. */
function isSame({ path, compressed, stat }: Archive, old: Old): boolean {
  if (!compressed) return stat.ino === old.ino;
  try {
    return Math.abs(stat.mtimeMs - old.mtimeMs) < 1 && uncompressedSize(path) === old.size % 2 ** 32 && originOf(path) === old.ino;
  } catch (error) {
    // Moved on or removed since it was listed: the list is made again.
    if (hasCode(error, 'ENOENT')) return false;
    throw error;
  }
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
