import { hasCode, textOf } from '../errors.ts';
import { quarantine, readPlainFile } from '../files.ts';
import { openAppendFile, type AppendFile } from './append-file.ts';
import { addLine, emptySum, END, keyOf, newerForm, readLines, type LedgerEntry, type LedgerLine, type LedgerSum } from './ledger-lines.ts';
import { readReserve } from './ledger-reserve.ts';

/** A ledger as it was found. */
export interface Opened {
  readonly sum: LedgerSum;
  readonly entries: ReadonlyMap<string, LedgerEntry>;
  readonly meta: ReadonlyMap<string, unknown>;
  readonly fresh: boolean;
  readonly clean: boolean;
  readonly damaged: boolean;
  readonly unreadable: string | null;
  readonly soundBytes: number;
  readonly unterminated: boolean;
  /** Lines that a full disk kept in the reserve, still to be written, by their key. */
  readonly reserved: ReadonlyMap<string, string>;
}

export interface LedgerReading {
  /** Takes sentences about what is damaged. */
  readonly onProblem: (text: string) => void;
  /** Keeps a copy of a damaged ledger; for the holder of the lock. */
  readonly quarantine: boolean;
}

/** Reads what there is and reports damage. A ledger that cannot be read at all has its reason in `unreadable`. */
export function readLedger(path: string, reading: LedgerReading): Opened {
  const nothing: Opened = {
    sum: emptySum(), entries: new Map(), meta: new Map(), fresh: true, clean: true, damaged: false, unreadable: null, soundBytes: 0, unterminated: false,
    reserved: new Map(),
  };
  let bytes: Buffer;
  try {
    bytes = readPlainFile(path);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return nothing;
    return { ...nothing, fresh: false, clean: false, unreadable: `${path}: cannot be read: ${textOf(error)}` };
  }
  const { lines, corrupt, soundBytes, unterminated } = readLines(bytes);
  const sum = emptySum();
  for (const line of lines) addLine(sum, line);
  const newer = newerForm(sum);
  // Nothing of it is touched: what looks damaged may be what this version does not know.
  if (newer !== null) return { ...nothing, fresh: false, clean: false, unreadable: `${path}: ${newer}` };
  if (corrupt.length > 0) {
    const damage = `${path}: ${corrupt.length} damaged line${corrupt.length === 1 ? '' : 's'} (${corrupt[0]}); the rest is used`;
    reading.onProblem(reading.quarantine ? damage + quarantine(path) : damage);
  }
  const reserved = notOlder(readReserve(path), lines);
  const unwritten = new Map<string, string>();
  for (const line of reserved) {
    const key = keyOf(line.fact);
    // Each in the place of its newest line: an end in order that came before it must not be written behind it.
    unwritten.delete(key);
    unwritten.set(key, addLine(sum, line));
  }
  const fresh = bytes.length === 0 && reserved.length === 0;
  return {
    ...nothing, sum, entries: sum.entries, meta: sum.meta, fresh, clean: fresh || sum.live.has(END), damaged: corrupt.length > 0, soundBytes, unterminated,
    reserved: unwritten,
  };
}

/** Opens for appending; the first time it cuts off what a crash tore, so that no line is written behind half a line. */
export function soundOpener(path: string, opened: Opened): () => AppendFile {
  let sound = opened.fresh;
  return () => {
    const file = openAppendFile(path);
    if (sound) return file;
    try {
      if (opened.soundBytes < file.size) file.truncate(opened.soundBytes);
      if (opened.unterminated) file.append(Buffer.from('\n'));
      sound = true;
      return file;
    } catch (error) {
      file.close();
      throw error;
    }
  };
}

/** Lines of the reserve that are not older than those of the ledger: a crash may have come between writing the ledger and emptying its reserve. */
function notOlder(reserved: readonly LedgerLine[], lines: readonly LedgerLine[]): LedgerLine[] {
  if (reserved.length === 0) return [];
  const last = new Map(lines.map(({ fact, written }) => [keyOf(fact), written]));
  return reserved.filter(({ fact, written }) => {
    const before = last.get(keyOf(fact));
    return before === undefined || (written.bootId === before.bootId ? written.at >= before.at : written.wallMs >= before.wallMs);
  });
}
