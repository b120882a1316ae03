import { crc32 } from 'node:zlib';
import type { UnitRecord } from '../../machines/types.ts';
import { textOf } from '../errors.ts';
import { check, isRecord, number, record, string, unexpected } from '../wire/shape.ts';
import { unitRecord } from './record-shapes.ts';

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

/** What lines add up to: of all lines with one key the last one counts. */
export interface LedgerSum {
  readonly entries: Map<string, LedgerEntry>;
  readonly meta: Map<string, unknown>;
  /** The lines that count, as they are written. */
  readonly live: Map<string, string>;
  liveBytes: number;
}

export function emptySum(): LedgerSum {
  return { entries: new Map(), meta: new Map(), live: new Map(), liveBytes: 0 };
}

/** Returns the line as it is written. */
export function addLine(sum: LedgerSum, line: LedgerLine): string {
  const { fact, written } = line;
  const encoded = encodeLine(line);
  for (const key of new Set([END, keyOf(fact)])) {
    sum.liveBytes -= sum.live.get(key)?.length ?? 0;
    sum.live.delete(key);
  }
  switch (fact.kind) {
    case 'record': sum.entries.set(fact.record.unit, { record: fact.record, written }); break;
    case 'note': sum.meta.set(fact.key, fact.value); break;
    case 'forget': sum.entries.delete(fact.unit); return encoded;
    case 'forget-note': sum.meta.delete(fact.key); return encoded;
    case 'clean': break;
  }
  sum.live.set(keyOf(fact), encoded);
  sum.liveBytes += encoded.length;
  return encoded;
}

export function keyOf(fact: LedgerFact): string {
  switch (fact.kind) {
    case 'record': return `unit ${fact.record.unit}`;
    case 'forget': return `unit ${fact.unit}`;
    case 'note': case 'forget-note': return `note ${fact.key}`;
    case 'clean': return END;
  }
}

/** The note of the form that a ledger is written in, which its first line says. Ledgers of release 0.1.0 are without it, and of form 1. */
export const FORM_NOTE = 'form';

/** To be raised with a change that an earlier version would misread: it refuses the ledger then, instead of taking what runs for dead. */
export const FORM = 1;

/** Why the ledger cannot be used by this version, or null. */
export function newerForm({ meta }: Pick<LedgerSum, 'meta'>): string | null {
  const form = meta.has(FORM_NOTE) ? meta.get(FORM_NOTE) : 1;
  return Number.isInteger(form) && Number(form) >= 1 && Number(form) <= FORM ? null : `was written by a newer sysg (form ${JSON.stringify(form)}, this one reads up to form ${FORM}); use that one`;
}

/** The key of the line that says that a run ended in order. */
export const END = 'end';

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
  if (sum !== null && sum[1] !== checksum(`${line.slice(0, sum.index)}}`)) throw new Error(unexpected(`the checksum ${checksum(`${line.slice(0, sum.index)}}`)}`, sum[1], 'crc'));
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
  // A last line that is torn is how a crash leaves it. Where zeroes are all there is they have taken the place of many lines, as after a power cut.
  if (lines.length === 0 && corrupt.length === 0 && bytes.includes(0)) corrupt.push('line 1: zeroes');
  return { lines, corrupt, soundBytes, unterminated };
}

function decodeLine(line: string): { ok: true; line: LedgerLine } | { ok: false; reason: string } {
  try {
    const value: unknown = JSON.parse(line);
    verify(line);
    check(value, stamp, 'line');
    return { ok: true, line: { fact: factOf(value), written: { at: value.at, wallMs: value.wall, bootId: value.boot } } };
  } catch (error) {
    // Of JSON.parse, of the checksum or of a check: each says what is wrong with the line.
    return { ok: false, reason: textOf(error) };
  }
}

const stamp = record({ at: number, wall: number, boot: string });

function factOf(fields: Readonly<Record<string, unknown>>): LedgerFact {
  const named = (key: string): string => {
    const name = fields[key];
    check(name, string, key);
    return name;
  };
  if ('record' in fields) {
    const found = withPresentState(fields['record']);
    check(found, unitRecord, 'record');
    return { kind: 'record', record: found };
  }
  if ('forget' in fields) return { kind: 'forget', unit: named('forget') };
  if ('note' in fields) return { kind: 'note', key: named('note'), value: fields['value'] };
  if ('forget_note' in fields) return { kind: 'forget-note', key: named('forget_note') };
  if (fields['end'] === 'clean') return { kind: 'clean' };
  throw new Error(unexpected('a record, forget, note, forget_note or end', fields, 'line'));
}

/** A unit in `parting`, a state of earlier versions, had no process and waited for the end of a second instance. */
function withPresentState(found: unknown): unknown {
  return isRecord(found) && found['state'] === 'parting' ? { ...found, state: 'stopped' } : found;
}
