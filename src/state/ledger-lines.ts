import { crc32 } from 'node:zlib';
import type { UnitRecord } from '../../machines/types.ts';
import { textOf } from '../errors.ts';
import { decodeRecord } from './decode-record.ts';
import { finite, Mismatch, object, text, type Decoder } from './decode.ts';

/** When a line was written, by both clocks. `at` is of the boot `bootId`. */
export interface Stamp {
  readonly at: number;
  readonly wallMs: number;
  readonly bootId: string;
}

export interface LedgerEntry {
  readonly record: UnitRecord;
  readonly written: Stamp;
}

/** What a line of the ledger says. `clean`: the run before this line ended in order. */
export type LedgerFact =
  | { readonly kind: 'record'; readonly record: UnitRecord }
  | { readonly kind: 'forget'; readonly unit: string }
  | { readonly kind: 'note'; readonly key: string; readonly value: unknown }
  | { readonly kind: 'forget-note'; readonly key: string }
  | { readonly kind: 'clean' };

export interface LedgerLine {
  readonly fact: LedgerFact;
  readonly written: Stamp;
}

/** What a whole file says, and what in it could not be read. */
export interface LedgerContents {
  readonly lines: readonly LedgerLine[];
  /** Lines before the last one that are not ours, as `line 7: why`. */
  readonly corrupt: readonly string[];
  /** Bytes up to the last line that counts; what follows is a line torn by a crash. */
  readonly soundBytes: number;
  /** The last line that counts has no newline. */
  readonly unterminated: boolean;
}

export function encodeLine({ fact, written }: LedgerLine): string {
  const stamp = { at: written.at, wall: written.wallMs, boot: written.bootId };
  switch (fact.kind) {
    case 'record': return summed({ ...stamp, record: fact.record });
    case 'forget': return summed({ ...stamp, forget: fact.unit });
    case 'note': return summed({ ...stamp, note: fact.key, value: fact.value });
    case 'forget-note': return summed({ ...stamp, forget_note: fact.key });
    case 'clean': return summed({ ...stamp, end: 'clean' });
  }
}

/** With a checksum: a token or pid in which a bit has changed would make a living process look dead. */
function summed(value: object): string {
  const text = JSON.stringify(value);
  return `${text.slice(0, -1)},"crc":"${checksum(text)}"}\n`;
}

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(8, '0');
}

/** Lines without a checksum, as people write them, are taken as they are. */
function verify(line: string): void {
  const sum = /,"crc":"([^"]*)"\}\s*$/.exec(line);
  if (sum !== null && sum[1] !== checksum(`${line.slice(0, sum.index)}}`)) throw new Mismatch('crc', `the checksum ${checksum(`${line.slice(0, sum.index)}}`)}`, sum[1]);
}

export function readLines(bytes: Buffer): LedgerContents {
  const lines: LedgerLine[] = [];
  const corrupt: string[] = [];
  let soundBytes = 0;
  let unterminated = false;
  for (let start = 0, number = 1; start < bytes.length; number += 1) {
    const newline = bytes.indexOf(0x0a, start);
    const end = newline < 0 ? bytes.length : newline;
    const decoded = decodeLine(bytes.toString('utf8', start, end));
    if (decoded.ok) lines.push(decoded.line);
    else if (newline >= 0) corrupt.push(`line ${number}: ${decoded.reason}`);
    if (decoded.ok || newline >= 0) {
      soundBytes = newline < 0 ? end : newline + 1;
      unterminated = newline < 0;
    }
    start = end + 1;
  }
  return { lines, corrupt, soundBytes, unterminated };
}

function decodeLine(line: string): { ok: true; line: LedgerLine } | { ok: false; reason: string } {
  try {
    const value: unknown = JSON.parse(line);
    verify(line);
    const written = stamp(value, 'line');
    return { ok: true, line: { fact: fact(value), written: { at: written.at, wallMs: written.wall, bootId: written.boot } } };
  } catch (error) {
    // SyntaxError of JSON.parse or our own Mismatch: both speak of the line.
    return { ok: false, reason: textOf(error) };
  }
}

const stamp: Decoder<{ at: number; wall: number; boot: string }> = object({ at: finite, wall: finite, boot: text });

function fact(value: unknown): LedgerFact {
  const fields = new Map<string, unknown>(typeof value === 'object' && value !== null ? Object.entries(value) : []);
  if (fields.has('record')) return { kind: 'record', record: decodeRecord(fields.get('record'), 'record') };
  if (fields.has('forget')) return { kind: 'forget', unit: text(fields.get('forget'), 'forget') };
  if (fields.has('note')) return { kind: 'note', key: text(fields.get('note'), 'note'), value: fields.get('value') ?? null };
  if (fields.has('forget_note')) return { kind: 'forget-note', key: text(fields.get('forget_note'), 'forget_note') };
  if (fields.get('end') === 'clean') return { kind: 'clean' };
  throw new Mismatch('line', 'a record, forget, note, forget_note or end', value);
}
