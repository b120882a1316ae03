import { setTimeout as sleep } from 'node:timers/promises';
import { lastChunks } from './last-lines.ts';
import { blockBytes, closeArchives, openPieces, readPiece, type Piece, type Take } from './pieces.ts';
import { statLog } from './plain-file.ts';
import { readSpan, type Span } from './span.ts';

/** Calls back after the log was written to; returns the end of that. `LogStore.wake` of one stream is one. */
export type Wake = (notify: () => void) => () => void;

export interface FollowOptions {
  /** Without it the file is looked at four times a second. */
  readonly wake?: Wake;
  /** Called and awaited once, when what was there at the beginning has been handed on. */
  readonly onBegun?: () => void | Promise<void>;
}

/** An offset of the present file, or first its last lines, or what may be of a span of time, archives included. */
export type FollowStart = number | LogStart;
export type LogStart = { readonly lines: number } | Span;

/**
 * Hands on what is written to a log, across rotations and truncations, until `signal` is aborted. Each chunk is awaited
 * before the next is read: a slow reader reads the files at its own pace. Resolves when aborted; rejects with what the
 * file system or `onChunk` says. A log that does not exist yet is waited for, also where something else is in its place.
 */
export async function follow(file: string, from: FollowStart, onChunk: Take, signal: AbortSignal, options: FollowOptions = {}): Promise<void> {
  const bell = makeBell(signal, options.wake);
  let reading: Reading | null = null;
  try {
    reading = await begin(file, from, onChunk);
    await options.onBegun?.();
    while (!signal.aborted) {
      if (reading === null) {
        reading = await begin(file, 0, onChunk);
        if (reading === null) await bell.rung();
        continue;
      }
      if (await copyOn(reading, onChunk, signal)) continue;
      const named = statLog(file);
      const same = named !== undefined && named.ino === reading.piece.inode && named.dev === reading.piece.device;
      if (same && named.size < reading.offset) reading.offset = 0;
      else if (same && named.size > reading.offset) continue;
      else if (same || named === undefined) await bell.rung();
      else reading = await changeOver(file, reading, onChunk, signal);
    }
  } finally {
    bell.end();
    await reading?.piece.handle.close();
  }
}

/** Hands on what is there and ends. */
export async function readLog(file: string, from: LogStart, onChunk: Take): Promise<void> {
  await (await begin(file, from, onChunk))?.piece.handle.close();
}

/** The last `count` lines of a log, archives included; a last line without a newline counts. Empty when there is no file. */
export async function lastLines(file: string, count: number): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  await readLog(file, { lines: count }, (chunk) => void chunks.push(chunk));
  return Buffer.concat(chunks);
}

/** A file that is read on from `offset`. */
interface Reading {
  readonly piece: Piece;
  offset: number;
}

const pollMs = 250;

async function begin(file: string, from: FollowStart, onChunk: Take): Promise<Reading | null> {
  const pieces = await openPieces(file);
  const { current } = pieces;
  try {
    let offset = typeof from === 'number' ? from : (current?.size ?? 0);
    if (typeof from === 'object' && 'lines' in from) for (const { bytes, place } of await lastChunks(pieces, from.lines)) await onChunk(bytes, place);
    else if (typeof from === 'object') offset = Math.max(offset, await readSpan(file, pieces, from, onChunk));
    return current === null ? null : { piece: current, offset };
  } catch (error) {
    await current?.handle.close();
    throw error;
  } finally {
    await closeArchives(pieces);
  }
}

/** One block; false at the end. */
async function copyOn(reading: Reading, onChunk: Take, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return false;
  const { handle, inode } = reading.piece;
  const { bytesRead, buffer } = await handle.read({ buffer: Buffer.allocUnsafe(blockBytes), position: reading.offset });
  if (bytesRead === 0) return false;
  const place = { inode, marks: null, offset: reading.offset };
  reading.offset += bytesRead;
  await onChunk(buffer.subarray(0, bytesRead), place);
  return true;
}

/**
 * From a file that was put away to the present one: its rest, then whatever was put away after it. Rotation may have moved an unfinished line from
 * its end to its successor: as much of that as was read already is skipped there. All are opened at one moment, so that rotations while they are read
 * change nothing. The old file stays when there is no present one yet.
 */
async function changeOver(file: string, reading: Reading, onChunk: Take, signal: AbortSignal): Promise<Reading> {
  while (await copyOn(reading, onChunk, signal));
  const { size, mtimeMs: changedMs } = await reading.piece.handle.stat();
  const next = await openPieces(file, { ...reading.piece, size, changedMs });
  try {
    if (next.current === null) return reading;
    let skip = Math.max(0, reading.offset - size);
    for (const piece of next.archives.toReversed()) {
      let offset = skip;
      for await (const chunk of readPiece(piece, skip)) {
        if (signal.aborted) break;
        await onChunk(chunk, { inode: piece.inode, marks: piece.marks, offset });
        offset += chunk.length;
      }
      skip = 0;
    }
    await reading.piece.handle.close();
    return { piece: next.current, offset: skip };
  } catch (error) {
    await next.current?.handle.close();
    throw error;
  } finally {
    await closeArchives(next);
  }
}

/** Rings when there may be more to read, and at the end. A ring that nobody waits for is kept. */
function makeBell(signal: AbortSignal, wake: Wake | undefined): { rung(): Promise<void>; end(): void } {
  if (wake === undefined) {
    return {
      // Rejects when aborted: the caller looks at the signal itself.
      rung: () => sleep(pollMs, undefined, { signal }).catch(() => undefined),
      end: () => undefined,
    };
  }
  let pending = false;
  let waiting: (() => void) | null = null;
  const ring = (): void => {
    pending = true;
    waiting?.();
  };
  const stop = wake(ring);
  signal.addEventListener('abort', ring);
  return {
    async rung() {
      if (!pending) await new Promise<void>((resolve) => (waiting = resolve));
      pending = false;
      waiting = null;
    },
    end() {
      stop();
      signal.removeEventListener('abort', ring);
    },
  };
}
