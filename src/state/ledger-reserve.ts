import { closeSync, constants, fsyncSync, openSync, writeSync } from 'node:fs';
import { attempt } from '../errors.ts';
import { readLines, type LedgerLine } from './ledger-lines.ts';
import { readPlainFile, replaceFile } from '../files.ts';

/** A line that the ledger did not take. `durable`: a loss of power must not take it either. */
export interface ReservedLine {
  readonly line: string;
  readonly durable: boolean;
}

/** Room on the disk that the supervisor holds already. It is written over in place, so that what happens on a full disk is on record for the next supervisor. */
export interface LedgerReserve {
  /**
   * Takes what the ledger has not taken, oldest first. Where not all of it fits, the durable lines go first, then the newest. False: not even the durable ones
   * fit, or there is no reserve.
   */
  keep(lines: readonly ReservedLine[]): boolean;
  /** Empties the reserve, or makes it when it is not there yet. A failure is tried again at the next call. */
  clear(): void;
  close(): void;
}

export function openReserve(ledgerPath: string): LedgerReserve {
  const path = reservePath(ledgerPath);
  let descriptor: number | null = null;
  let used = readReserve(ledgerPath).length > 0;
  let nextTryAt = 0;
  /** What this supervisor has written there, and where that ends. */
  let held = new Set<string>();
  let end = reserveBytes;

  const close = (): void => {
    if (descriptor !== null) closeSync(descriptor);
    descriptor = null;
    nextTryAt = 0;
    held = new Set();
    end = reserveBytes;
  };
  const open = (): number => {
    // Not created here: a new file would need room where there may be none.
    descriptor ??= openSync(path, constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    return descriptor;
  };
  const write = (text: Buffer, at: number, durable: boolean): void => {
    const target = open();
    for (let written = 0; written < text.length;) written += writeSync(target, text, written, text.length - written, at + written);
    if (durable) fsyncSync(target);
  };
  const fill = (lines: readonly ReservedLine[], durable: boolean): void => {
    const text = Buffer.from(textOf(lines));
    const page = Buffer.alloc(reserveBytes, '\n');
    text.copy(page);
    end = reserveBytes;
    write(page, 0, durable);
    held = new Set(lines.map(({ line }) => line));
    end = text.length;
  };

  return {
    keep(lines) {
      const added = lines.filter(({ line }) => !held.has(line));
      const text = Buffer.from(textOf(added));
      try {
        if (end + text.length > reserveBytes) {
          const fitting = thatFit(lines);
          if (fitting === null) return false;
          used = true;
          fill(fitting, fitting.some(({ durable }) => durable));
          return true;
        }
        used = true;
        // Behind what is there: a kill in the middle tears nothing but the line it is about.
        write(text, end, added.some(({ durable }) => durable));
        end += text.length;
        for (const { line } of added) held.add(line);
        return true;
      } catch {
        // The reserve was never made, or was removed: nothing can be kept.
        return false;
      }
    },
    clear() {
      if (!used && (descriptor !== null || performance.now() < nextTryAt)) return;
      nextTryAt = performance.now() + retryMs;
      try {
        if (isWhole(path)) fill([], true);
        else {
          replaceFile(path, '\n'.repeat(reserveBytes), { durable: false });
          // What was open has no name any more.
          close();
        }
        open();
        used = false;
      } catch {
        // No room for it now: it is tried again in a while.
      }
    },
    close,
  };
}

/** In their order. Null: not even those fit that must. */
function thatFit(lines: readonly ReservedLine[]): readonly ReservedLine[] | null {
  let room = reserveBytes;
  const chosen = new Set<ReservedLine>();
  for (const line of lines.filter(({ durable }) => durable)) {
    room -= Buffer.byteLength(line.line);
    chosen.add(line);
  }
  if (room < 0) return null;
  for (const line of lines.filter(({ durable }) => !durable).reverse()) {
    room -= Buffer.byteLength(line.line);
    if (room < 0) break;
    chosen.add(line);
  }
  return lines.filter((line) => chosen.has(line));
}

function textOf(lines: readonly ReservedLine[]): string {
  return lines.map(({ line }) => line).join('');
}

/** Lines that did not fit into the ledger, oldest first. */
export function readReserve(ledgerPath: string): readonly LedgerLine[] {
  const text = attempt(() => readPlainFile(reservePath(ledgerPath)).toString(), '');
  return readLines(Buffer.from(text.replace(/\n+$/, '\n'))).lines;
}

function isWhole(path: string): boolean {
  return attempt(() => readPlainFile(path).length === reserveBytes, false);
}

function reservePath(ledgerPath: string): string {
  return `${ledgerPath}.reserve`;
}

// Some two hundred units.
const reserveBytes = 128 * 1024;
const retryMs = 60_000;
