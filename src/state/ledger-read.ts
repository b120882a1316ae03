import { readFileSync } from 'node:fs';
import { hasCode, textOf } from '../errors.ts';
import { quarantine } from '../files.ts';
import { openAppendFile, type AppendFile } from './append-file.ts';
import { encodeLine, readLines, type LedgerEntry, type LedgerFact, type LedgerLine, type Stamp } from './ledger-lines.ts';
import { readReserve } from './ledger-reserve.ts';

/** A ledger as it was found. */
export interface Opened {
  readonly entries: ReadonlyMap<string, LedgerEntry>;
  readonly live: ReadonlyMap<string, string>;
  readonly meta: ReadonlyMap<string, unknown>;
  readonly fresh: boolean;
  readonly clean: boolean;
  readonly damaged: boolean;
  readonly unreadable: string | null;
  readonly soundBytes: number;
  readonly unterminated: boolean;
  /** What a full disk kept out of the file and in its reserve, still to be written: by key. */
  readonly reserved: ReadonlyMap<string, string>;
}

export interface LedgerReading {
  /** Told in sentences what is damaged. */
  readonly onProblem: (text: string) => void;
  /** Keeps a copy of a damaged ledger; for the holder of the lock. */
  readonly quarantine: boolean;
}

/** Reads what there is; damage is told, what cannot be read at all is said in `unreadable`. */
export function readLedger(path: string, reading: LedgerReading): Opened {
  const nothing: Opened = {
    entries: new Map(), live: new Map(), meta: new Map(), fresh: true, clean: true, damaged: false, unreadable: null, soundBytes: 0, unterminated: false,
    reserved: new Map(),
  };
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return nothing;
    return { ...nothing, fresh: false, clean: false, unreadable: `${path}: cannot be read: ${textOf(error)}` };
  }
  const { lines: written, corrupt, soundBytes, unterminated } = readLines(bytes);
  if (corrupt.length > 0) {
    const damage = `${path}: ${corrupt.length} damaged line${corrupt.length === 1 ? '' : 's'} (${corrupt[0]}); the rest is used`;
    reading.onProblem(reading.quarantine ? damage + quarantine(path) : damage);
  }
  const entries = new Map<string, LedgerEntry>();
  const live = new Map<string, string>();
  const meta = new Map<string, unknown>();
  const reserved = newer(readReserve(path), written);
  const lines = [...written, ...reserved];
  for (const line of lines) {
    const { fact, written } = line;
    live.delete(endKey);
    if (fact.kind === 'clean') live.set(endKey, encodeLine(line));
    if (fact.kind === 'record') {
      entries.set(fact.record.unit, { record: fact.record, written });
      live.set(unitKey(fact.record.unit), encodeLine(line));
    }
    if (fact.kind === 'forget') {
      entries.delete(fact.unit);
      live.delete(unitKey(fact.unit));
    }
    if (fact.kind === 'note') {
      meta.set(fact.key, fact.value);
      live.set(noteKey(fact.key), encodeLine(line));
    }
    if (fact.kind === 'forget-note') {
      meta.delete(fact.key);
      live.delete(noteKey(fact.key));
    }
  }
  const clean = live.has(endKey) || (bytes.length === 0 && lines.length === 0);
  return {
    entries, live, meta, fresh: lines.length === 0 && bytes.length === 0, clean, damaged: corrupt.length > 0, unreadable: null, soundBytes, unterminated,
    reserved: new Map(reserved.map((line) => [keyOf(line.fact), encodeLine(line)])),
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

/** Of all lines with one key the last one counts. */
export const endKey = 'end';

export function unitKey(unit: string): string {
  return `unit ${unit}`;
}

export function noteKey(key: string): string {
  return `note ${key}`;
}

export function keyOf(fact: LedgerFact): string {
  switch (fact.kind) {
    case 'record': return unitKey(fact.record.unit);
    case 'forget': return unitKey(fact.unit);
    case 'note': case 'forget-note': return noteKey(fact.key);
    case 'clean': return endKey;
  }
}

/** Those that say nothing earlier than the ledger does: a crash may have come between writing the ledger and emptying its reserve. */
function newer(reserved: readonly LedgerLine[], lines: readonly LedgerLine[]): LedgerLine[] {
  if (reserved.length === 0) return [];
  const last = new Map(lines.map(({ fact, written }) => [keyOf(fact), written]));
  return reserved.filter(({ fact, written }) => {
    const before = last.get(keyOf(fact));
    return before === undefined || isNotEarlier(written, before);
  });
}

function isNotEarlier(one: Stamp, other: Stamp): boolean {
  return one.bootId === other.bootId ? one.at >= other.at : one.wallMs >= other.wallMs;
}
