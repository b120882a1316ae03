import { didYouMean, durationForm, durationPattern, formatDuration, formatSize, limitForm, type Parsed, parseDuration, parseLimit, parseSize, sizeForm, sizePattern } from '../words.ts';
import { oneOf } from './finding.ts';
import { interpolateCommand, interpolateText, readDifferentlyBefore } from './interpolate.ts';
import { complain, complainAbsent, complainExpected, describe, item, note, type Place } from './place.ts';

export type JsonSchema = { readonly [keyword: string]: unknown };

/** A kind of value: how it is read from a place, and how it is described to editors. */
export interface Kind<T> {
  readonly schema: JsonSchema;
  /** The value, or `undefined` after having complained. */
  read(place: Place): T | undefined;
  /** The value as it would be written in the file. */
  show?(value: T): unknown;
}

/** As 0.33.0 does, a number or boolean is taken as its text wherever a text is wanted. */
export const scalarSchema: JsonSchema = { type: ['string', 'number', 'boolean'] };

/** A kind whose text is interpolated and then parsed. */
export function worded<T>(parse: (text: string) => Parsed<T>, schema: JsonSchema, expected = 'a string'): Kind<T> {
  return {
    schema,
    read(place) {
      const text = readText(place, expected);
      if (text === undefined) return undefined;
      const parsed = parse(text);
      if (parsed.ok) return parsed.value;
      const written = place.node.kind === 'scalar' ? place.node.text : '';
      const got = written === text ? describe(place.node) : `${JSON.stringify(text)} from ${JSON.stringify(written)}`;
      complain(place, `expected ${parsed.expected}, got ${got}${parsed.hint ?? ''}`);
      return undefined;
    },
  };
}

export const text: Kind<string> = worded((value) => ({ ok: true, value }), scalarSchema);

/** A non-empty text. */
export function filled(expected: string): Kind<string> {
  return worded((value) => (value === '' ? { ok: false, expected } : { ok: true, value }), scalarSchema, expected);
}

/** A command line: only `${NAME}` of known variables is replaced, the rest is left to the shell. */
export const command: Kind<string> = {
  schema: { type: ['string', 'number', 'boolean'], minLength: 1 },
  read(place) {
    const written = scalarText(place, 'a command');
    if (written === undefined) return undefined;
    const { text: now, problems } = interpolateCommand(written, place.scope);
    for (const problem of problems) complain(place, problem);
    if (problems.length > 0) return undefined;
    noteFormerReading(place, written, now, 'sysg leaves it to the shell');
    if (now.trim() !== '') return now;
    complainExpected(place, 'a command');
    return undefined;
  },
};

export const flag: Kind<boolean> = {
  schema: { type: 'boolean' },
  read(place) {
    if (place.node.kind === 'scalar' && typeof place.node.value === 'boolean') return place.node.value;
    complainExpected(place, 'true or false');
    return undefined;
  },
};

/** A whole number, unquoted as in 0.33.0. */
export function integer(least: number, most: number = Number.MAX_SAFE_INTEGER): Kind<number> {
  const range = `a whole number from ${least} to ${most}`;
  const expected = most > 1_000_000_000 ? `a whole number ≥ ${least}` : range;
  return {
    schema: { type: 'integer', minimum: least, ...(most === Number.MAX_SAFE_INTEGER ? {} : { maximum: most }) },
    read(place) {
      const { node } = place;
      if (node.kind === 'scalar' && Number.isSafeInteger(node.value) && /^[-+]?(\d+|0x[\da-f]+|0o[0-7]+)$/i.test(node.text)) {
        const value = Number(node.value);
        if (value >= least && value <= most) return value;
      }
      complainExpected(place, node.kind === 'scalar' && Number(node.value) > most ? range : expected, unquoteHint(place));
      return undefined;
    },
  };
}

export function decimal(least: number, most: number): Kind<number> {
  return {
    schema: { type: 'number', minimum: least, maximum: most },
    read(place) {
      const value = place.node.kind === 'scalar' ? place.node.value : null;
      if (typeof value === 'number' && value >= least && value <= most) return value;
      complainExpected(place, `a number from ${least} to ${most}`, unquoteHint(place));
      return undefined;
    },
  };
}

/** Milliseconds. `zero`: nothing at all is meaningful. */
export function duration(zero: 'zero' | 'positive'): Kind<number> {
  const parse = (value: string): Parsed<number> => {
    const parsed = parseDuration(value);
    return parsed.ok && parsed.value === 0 && zero === 'positive' ? { ok: false, expected: 'a duration longer than 0s' } : parsed;
  };
  return { ...worded(parse, { type: ['string', 'number'], pattern: durationPattern, minimum: 0 }, durationForm), show: formatDuration };
}

/** Bytes. */
export const size: Kind<number> = {
  ...worded(parseSize, { type: ['string', 'integer'], pattern: sizePattern, minimum: 0 }, sizeForm),
  show: formatSize,
};

/** A resource limit; `null` is unlimited. */
export const limit: Kind<number | null> = worded(parseLimit, { type: ['string', 'integer'], minimum: 0 }, limitForm);

export function choice<const T extends string>(words: readonly T[]): Kind<T> {
  const find = (value: string): Parsed<T> => {
    const found = words.find((word) => word === value);
    if (found !== undefined) return { ok: true, value: found };
    return { ok: false, expected: oneOf(words), hint: didYouMean(value, words) };
  };
  return worded(find, { enum: words }, oneOf(words));
}

export function list<T>(of: Kind<T>, expected: string, least = 0): Kind<readonly T[]> {
  return {
    schema: { type: 'array', items: of.schema, ...(least > 0 ? { minItems: least } : {}) },
    read(place) {
      if (place.node.kind !== 'list' || place.node.items.length < least) {
        const hint = place.node.kind === 'scalar' && place.node.value !== null ? `; write [${place.node.text.slice(0, 60)}]` : '';
        complainExpected(place, expected, hint);
        return undefined;
      }
      const items = place.node.items.map((node, index) => of.read(item(place, node, index)));
      return items.every((value): value is Exclude<typeof value, undefined> => value !== undefined) ? items : undefined;
    },
  };
}

/** Any node at all, to be looked at by the caller. */
export function raw(schema: JsonSchema): Kind<Place> {
  return { schema, read: (place) => place };
}

/** The text of a scalar as written; complains about anything else and about NUL, which no process can be given. */
export function scalarText(place: Place, expected: string): string | undefined {
  if (place.node.kind !== 'scalar' || place.node.value === null) {
    complainExpected(place, expected);
    return undefined;
  }
  if (!place.node.text.includes('\0')) return place.node.text;
  complain(place, `expected ${expected} without NUL characters`);
  return undefined;
}

function readText(place: Place, expected: string): string | undefined {
  const written = scalarText(place, expected);
  if (written === undefined) return undefined;
  const { text: now, problems } = interpolateText(written, place.scope);
  for (const problem of problems) complainAbsent(place, problem);
  if (problems.length > 0) return undefined;
  noteFormerReading(place, written, now, 'the rules for references are others now');
  return now;
}

function noteFormerReading(place: Place, written: string, now: string, instead: string): void {
  if (!written.includes('$')) return;
  const { replaced, missing } = readDifferentlyBefore(written, now, place.scope);
  if (missing.length > 0) note(place, `systemg 0.33.0 refuses this: ${missing.map((name) => `$${name}`).join(', ')} is not set; ${instead}`);
  else if (replaced.length > 0) note(place, `systemg 0.33.0 replaces ${replaced.map((name) => `$${name}`).join(', ')} here when it reads the file; ${instead}`);
}

function unquoteHint(place: Place): string {
  const quoted = place.node.kind === 'scalar' && typeof place.node.value === 'string' && /^-?\d+(\.\d+)?$/.test(place.node.value);
  return quoted ? ' (a string; remove the quotes)' : '';
}
