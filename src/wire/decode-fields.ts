import { JsonLineError, type JsonLineReader } from './json-line.ts';

/** How one field is read, and what it is when it is not there (`undefined`: it must be). */
export interface Field<T> {
  readonly wire: string;
  readonly read: (reader: JsonLineReader) => T;
  readonly absent: T | undefined;
}

type Values<F> = { -readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never };
type AnyField = Field<unknown>;

/**
 * The fields of a struct variant: an object in any order, unknown keys ignored, duplicates refused; or an array with
 * all of them in the order of `fields`. Throws `JsonLineError`.
 */
export function readFields<F extends Readonly<Record<string, AnyField>>>(
  reader: JsonLineReader, variant: string, fields: F,
): Values<F> {
  const open = reader.peek();
  if (open !== '{' && open !== '[') throw unexpectedType(reader, `struct variant ControlCommand::${variant}`);
  reader.enter();
  let values: Map<string, unknown>;
  try {
    values = open === '{' ? fromObject(reader, fields) : fromArray(reader, variant, fields);
  } catch (error) {
    // serde_json reads on to the closing bracket before it places such an error.
    if (error instanceof JsonLineError && !error.placed) approachEnd(reader, open);
    throw error instanceof JsonLineError ? reader.placed(error) : error;
  }
  reader.leave();
  // The keys of `values` are those of `fields`, each read by its own reader.
  return Object.fromEntries(values) as Values<F>;
}

export function text(wire: string): Field<string> {
  return { wire, read: readString, absent: undefined };
}

export function texts(wire: string): Field<readonly string[]> {
  return { wire, read: readStrings, absent: undefined };
}

export function flag(wire: string): Field<boolean> {
  return { wire, read: readBoolean, absent: undefined };
}

export function count(wire: string, type: IntegerType): Field<number> {
  return { wire, read: (reader) => readInteger(reader, type), absent: undefined };
}

/** `null` and absence are `absent`. */
export function optional<T, A>(field: Field<T>, absent: A): Field<T | A> {
  const read = (reader: JsonLineReader): T | A => {
    if (reader.peek() !== 'n') return field.read(reader);
    reader.literal('null');
    return absent;
  };
  return { wire: field.wire, read, absent };
}

export function readString(reader: JsonLineReader): string {
  if (reader.peek() !== '"') throw unexpectedType(reader, 'a string');
  return reader.string();
}

export function readNull(reader: JsonLineReader): void {
  if (reader.peek() !== 'n') throw unexpectedType(reader, 'unit');
  reader.literal('null');
}

/** Says what is there instead of what was expected. */
export function unexpectedType(reader: JsonLineReader, expected: string): JsonLineError {
  const next = reader.peek();
  if (next === '') return reader.problemAhead('EOF while parsing a value');
  const found = describe(reader, next);
  return found === null ? reader.problemAhead('expected value') : reader.problem(`invalid type: ${found}, expected ${expected}`);
}

function fromObject(reader: JsonLineReader, fields: Readonly<Record<string, AnyField>>): Map<string, unknown> {
  const byWire = new Map(Object.entries(fields).map(([key, field]) => [field.wire, { key, field }]));
  const values = new Map<string, unknown>();
  for (let first = true; ; first = false) {
    let next = reader.peek();
    if (next === '') throw reader.problemAhead('EOF while parsing an object');
    if (next === '}') break;
    if (!first) {
      if (next !== ',') throw reader.problemAhead('expected `,` or `}`');
      reader.take();
      next = reader.peek();
      if (next === '') throw reader.problemAhead('EOF while parsing a value');
      if (next === '}') throw reader.problemAhead('trailing comma');
    }
    if (next !== '"') throw reader.problemAhead('key must be a string');
    const wire = reader.string();
    const known = byWire.get(wire);
    if (known !== undefined && values.has(known.key)) throw new JsonLineError(`duplicate field \`${wire}\``, false);
    reader.colon();
    if (known === undefined) reader.skip();
    else values.set(known.key, known.field.read(reader));
  }
  for (const { key, field } of byWire.values()) {
    if (values.has(key)) continue;
    if (field.absent === undefined) throw new JsonLineError(`missing field \`${field.wire}\``, false);
    values.set(key, field.absent);
  }
  close(reader, '{');
  return values;
}

function fromArray(reader: JsonLineReader, variant: string, fields: Readonly<Record<string, AnyField>>): Map<string, unknown> {
  const entries = Object.entries(fields);
  const values = new Map<string, unknown>();
  for (const [key, field] of entries) {
    if (nextElement(reader, values.size === 0)) values.set(key, field.read(reader));
    else if (key === OURS_AT_THE_END) values.set(key, field.absent);
    else {
      const size = entries.filter(([name]) => name !== OURS_AT_THE_END).length;
      throw new JsonLineError(
        `invalid length ${values.size}, expected struct variant ControlCommand::${variant} with ${size} element${size === 1 ? '' : 's'}`, false,
      );
    }
  }
  close(reader, '[');
  return values;
}

/** Moves to the next element of an array; false at its end, which is not taken. */
function nextElement(reader: JsonLineReader, first: boolean): boolean {
  const next = reader.peek();
  if (next === '') throw reader.problemAhead('EOF while parsing a list');
  if (next === ']') return false;
  if (first) return true;
  if (next !== ',') throw reader.problemAhead('expected `,` or `]`');
  reader.take();
  const after = reader.peek();
  if (after === '') throw reader.problemAhead('EOF while parsing a value');
  if (after === ']') throw reader.problemAhead('trailing comma');
  return true;
}

/** Takes the closing bracket and nothing else. */
function close(reader: JsonLineReader, open: '{' | '['): void {
  const next = reader.peek();
  const after = approachEnd(reader, open);
  if (after === null) return;
  if (next === '') throw reader.problemAhead(open === '{' ? 'EOF while parsing an object' : 'EOF while parsing a list');
  throw reader.problemAhead(next === ',' && (open === '{' || after === ']') ? 'trailing comma' : 'trailing characters');
}

/** Reads to the closing bracket as far as serde_json does; what comes next if that was not it, else `null`. */
function approachEnd(reader: JsonLineReader, open: '{' | '['): string | null {
  const next = reader.peek();
  if (next === (open === '{' ? '}' : ']')) {
    reader.take();
    return null;
  }
  if (next === ',' && open === '[') reader.take();
  return reader.peek();
}

function readStrings(reader: JsonLineReader): readonly string[] {
  if (reader.peek() !== '[') throw unexpectedType(reader, 'a sequence');
  reader.enter();
  const values: string[] = [];
  while (nextElement(reader, values.length === 0)) values.push(readString(reader));
  reader.take();
  reader.leave();
  return values;
}

function readBoolean(reader: JsonLineReader): boolean {
  const next = reader.peek();
  if (next !== 't' && next !== 'f') throw unexpectedType(reader, 'a boolean');
  reader.literal(next === 't' ? 'true' : 'false');
  return next === 't';
}

/** What an integer may be, by its Rust name. */
export type IntegerType = 'u32' | 'u64' | 'usize';

/**
 * Above 2^53 − 1 a number is taken as that: as seconds, as lines, as a sequence number it means "without end" either way.
 */
function readInteger(reader: JsonLineReader, type: IntegerType): number {
  const next = reader.peek();
  if (next !== '-' && !(next >= '0' && next <= '9' && next.length === 1)) throw unexpectedType(reader, type);
  const number = reader.number();
  if (number.kind === 'float') throw reader.problem(`invalid type: floating point \`${floatText(number.value)}\`, expected ${type}`);
  const { value } = number;
  if (value < 0n || (type === 'u32' && value > 0xffff_ffffn)) {
    throw reader.problem(`invalid value: integer \`${value}\`, expected ${type}`);
  }
  return value > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(value);
}

function describe(reader: JsonLineReader, next: string): string | null {
  if (next === '{') return 'map';
  if (next === '[') return 'sequence';
  if (next === '"') return `string ${JSON.stringify(reader.string())}`;
  if (next === 'n') {
    reader.literal('null');
    return 'null';
  }
  if (next === 't' || next === 'f') return `boolean \`${readBoolean(reader)}\``;
  if (next !== '-' && !(next >= '0' && next <= '9')) return null;
  const number = reader.number();
  return number.kind === 'integer' ? `integer \`${number.value}\`` : `floating point \`${floatText(number.value)}\``;
}

/** As serde_json writes an f64: `.0` after whole numbers, an exponent outside 1e-5 … 1e16. */
function floatText(value: number): string {
  const [mantissa = '', exponent = '0'] = value.toExponential().split('e');
  if (Number(exponent) > 15 || Number(exponent) < -5) return `${mantissa}e${Number(exponent)}`;
  const plain = Object.is(value, -0) ? '-0' : String(value);
  return Number.isInteger(value) ? `${plain}.0` : plain;
}

/** In the array form only this field of ours may be missing: 0.33.0's clients do not know it. */
const OURS_AT_THE_END = 'wait';
