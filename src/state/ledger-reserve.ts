import { closeSync, constants, fsyncSync, openSync, writeSync } from 'node:fs';
import { attempt } from '../errors.ts';
import { readLines, type LedgerLine } from './ledger-lines.ts';
import { readPlainFile, replaceFile } from '../files.ts';

/** Room on the disk that the supervisor holds already. It is written over in place, so that an operator's command can be recorded when the disk is full. */
export interface LedgerReserve {
  /** Replaces the content by these lines, durably. False: they do not fit, or there is no reserve. */
  keep(lines: readonly string[]): boolean;
  /** Empties the reserve, or makes it when it is not there yet. A failure is tried again at the next call. */
  clear(): void;
  close(): void;
}

export function openReserve(ledgerPath: string): LedgerReserve {
  const path = reservePath(ledgerPath);
  let descriptor: number | null = null;
  let used = readReserve(ledgerPath).length > 0;
  let nextTryAt = 0;

  const open = (): number => {
    // Not created here: a new file would need room where there may be none.
    descriptor ??= openSync(path, constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    return descriptor;
  };
  const fill = (text: Buffer): void => {
    const page = Buffer.alloc(reserveBytes, '\n');
    text.copy(page);
    const target = open();
    for (let written = 0; written < page.length;) written += writeSync(target, page, written, page.length - written, written);
    fsyncSync(target);
  };

  return {
    keep(lines) {
      const text = Buffer.from(lines.join(''));
      if (text.length > reserveBytes) return false;
      try {
        fill(text);
        used = true;
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
        if (isWhole(path)) fill(Buffer.alloc(0));
        else replaceFile(path, '\n'.repeat(reserveBytes), { durable: false });
        open();
        used = false;
      } catch {
        // No room for it now: it is tried again in a while.
      }
    },
    close() {
      if (descriptor !== null) closeSync(descriptor);
      descriptor = null;
      nextTryAt = 0;
    },
  };
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

// Some sixty units.
const reserveBytes = 32 * 1024;
const retryMs = 60_000;
