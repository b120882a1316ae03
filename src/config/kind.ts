import type { SignalName } from '../../machines/types.ts';
import { secretDefaultsIn } from '../secrets.ts';
import { bareSignal, signalNamed, signalNames } from '../signals.ts';
import {
  didYouMean, durationForm, durationPattern, formatDuration, formatSize, limitForm, parseDuration, parseLimit, parseSize, sizeForm, sizePattern, type Parsed,
} from '../words.ts';
import { describe, shortened, type SourceNode, type SourceScalar } from './document.ts';
import { interpolate, readDifferentlyBefore, type ReferenceReader } from './interpolate.ts';
import { complain, complainAbsent, complainExpected, isNothing, items, noteFormer, oneOf, type Place, type Written } from './place.ts';

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
      const text = interpolated(place, expected, 'text', 'the rules for references are others now', complainAbsent);
      if (text === undefined) return undefined;
      const parsed = parse(text);
      if (parsed.ok) return parsed.value;
      const written = scalarOf(place).text;
      const got = written === text ? describe(place.node) : `${JSON.stringify(text)} from ${JSON.stringify(written)}`;
      return complain(place, `expected ${parsed.expected}, got ${got}${parsed.hint ?? ''}`);
    },
  };
}

/** A text that must pass a test, and is used as it was written. */
export function verbatim(accepts: (text: string) => boolean, expected: string, schema: JsonSchema, before = 'a string'): Kind<string> {
  return worded((value) => (accepts(value) ? { ok: true, value } : { ok: false, expected }), schema, before);
}

export const text: Kind<string> = verbatim(() => true, '', scalarSchema);

/** A non-empty text. */
export function filled(expected: string): Kind<string> {
  return verbatim((value) => value !== '', expected, scalarSchema, expected);
}

/** A command line: only `${NAME}` of known variables is replaced, the rest is left to the shell. */
export const command: Kind<string> = commandBy('script', 'sysg leaves it to the shell');

/** Of a key that 0.33.0, which takes a number for a command, does not know. `true` and `false` are programs. */
export const spelledCommand: Kind<string> = {
  schema: { ...command.schema, type: ['string', 'boolean'] },
  read(place) {
    if (place.node.kind !== 'scalar' || typeof place.node.value !== 'number') return command.read(place);
    return complainExpected(place, 'a command', `; a program of that name is written "${place.node.text}"`);
  },
};

/** One word of a command that no shell reads. */
export const word: Kind<string> = commandBy('word', null);

export const flag: Kind<boolean> = {
  schema: { type: 'boolean' },
  read(place) {
    const { value } = scalarOf(place);
    return typeof value === 'boolean' ? value : complainExpected(place, 'true or false');
  },
};

/** A whole number, unquoted as in 0.33.0. */
export function integer(least: number, most: number = Number.MAX_SAFE_INTEGER): Kind<number> {
  const range = `a whole number from ${least} to ${most}`;
  return {
    schema: { type: 'integer', minimum: least, ...(most === Number.MAX_SAFE_INTEGER ? {} : { maximum: most }) },
    read(place) {
      const { value, text: written } = scalarOf(place);
      const isWhole = Number.isSafeInteger(value) && /^[-+]?(\d+|0x[\da-f]+|0o[0-7]+)$/i.test(written);
      if (isWhole && Number(value) >= least && Number(value) <= most) return Number(value);
      return complainExpected(place, most > 1_000_000_000 && !(Number(value) > most) ? `a whole number ≥ ${least}` : range, unquoteHint(value));
    },
  };
}

export function decimal(least: number, most: number): Kind<number> {
  return {
    schema: { type: 'number', minimum: least, maximum: most },
    read(place) {
      const { value } = scalarOf(place);
      if (typeof value === 'number' && value >= least && value <= most) return value;
      return complainExpected(place, `a number from ${least} to ${most}`, unquoteHint(value));
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

/** A signal by name, with or without `SIG`, any case. */
export const signal: Kind<SignalName> = worded((written) => {
  const value = signalNamed(written);
  if (value !== null) return { ok: true, value };
  return { ok: false, expected: 'a signal name such as SIGTERM', hint: didYouMean(`SIG${bareSignal(written)}`, signalNames) };
}, { type: 'string', examples: ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGKILL'] }, 'a signal name such as SIGTERM');

/** One of some words; `expected` says so where there are too many to list. */
export function choice<const T extends string>(words: readonly T[], expected = oneOf(words)): Kind<T> {
  const find = (written: string): Parsed<T> => {
    const value = words.find((word) => word === written);
    return value === undefined ? { ok: false, expected, hint: didYouMean(written, words) } : { ok: true, value };
  };
  return worded(find, { enum: words }, expected);
}

/** `instead` says what to write for a value that is no list. */
export function list<T>(of: Kind<T>, expected: string, least = 0, instead = splitAsList): Kind<readonly T[]> {
  return {
    schema: { type: 'array', items: of.schema, ...(least > 0 ? { minItems: least } : {}) },
    read(place) {
      if (place.node.kind !== 'list' || place.node.items.length < least) {
        const written = isNothing(place.node) ? null : instead(place.node);
        return complainExpected(place, expected, written === null ? '' : `; write ${shortened(written)}`);
      }
      const values = items(place).map((item) => of.read(item));
      return values.every((value): value is Exclude<typeof value, undefined> => value !== undefined) ? values : undefined;
    },
  };
}

/** Words as a YAML list in one line, quoted where they would be read as something else. */
export function yamlList(words: readonly string[]): string {
  return `[${words.map((written) => (/^[\w./][\w./:@%+=-]*$/.test(written) && !written.endsWith(':') ? written : JSON.stringify(written))).join(', ')}]`;
}

/** Any node at all, to be looked at by the caller. */
export function raw(schema: JsonSchema): Kind<Place> {
  return { schema, read: (place) => place };
}

/** A value that has a short form and a long one; a scalar is short unless `isLong` says otherwise. */
export function either<T>(short: Kind<T>, long: Kind<T>, isLong: (place: Place) => boolean = (place) => place.node.kind !== 'scalar'): Kind<T> {
  return { schema: { anyOf: [short.schema, long.schema] }, read: (place) => (isLong(place) ? long : short).read(place) };
}

/** What a value means; `make` complains about what does not go together, and then gives any value or `undefined`. */
export function meaning<T, U>(kind: Kind<T>, make: (value: T, place: Place) => U | undefined): Kind<U> {
  return {
    schema: kind.schema,
    read(place) {
      const value = kind.read(place);
      return value === undefined ? undefined : make(value, place);
    },
  };
}

function commandBy(reader: ReferenceReader, former: string | null): Kind<string> {
  return {
    schema: { ...scalarSchema, minLength: 1 },
    read(place) {
      const now = interpolated(place, 'a command', reader, former, complain);
      return now === undefined || now.trim() !== '' ? now : complainExpected(place, 'a command');
    },
  };
}

/** The text of a scalar as written; complains about anything else and about NUL, which no process can be given. */
export function scalarText(place: Place, expected: string): string | undefined {
  if (place.node.kind !== 'scalar' || place.node.value === null) return complainExpected(place, expected, hintFor(place));
  const { text: written } = place.node;
  if (written.includes('${')) place.outside.learn(secretDefaultsIn(written));
  return written.includes('\0') ? complain(place, `expected ${expected} without NUL characters`) : written;
}

/** The text with its references replaced; `undefined` after having complained. `instead` says what differs from 0.33.0, where that knows the key. */
function interpolated(
  place: Place, expected: string, reader: ReferenceReader, instead: string | null, complainOf: (place: Written, message: string) => void,
): string | undefined {
  const written = scalarText(place, expected);
  if (written === undefined) return undefined;
  const { text: now, problems } = interpolate(written, place.scope, reader);
  for (const problem of problems) complainOf(place, problem);
  if (problems.length > 0) return undefined;
  const { replaced, missing } = instead !== null && written.includes('$') ? readDifferentlyBefore(written, now, place.scope) : { replaced: [], missing: [] };
  const names = (variables: readonly string[]): string => variables.map((name) => `$${name}`).join(', ');
  if (missing.length > 0) noteFormer(place, `systemg 0.33.0 refuses this: ${names(missing)} is not set; ${instead}`);
  else if (replaced.length > 0) noteFormer(place, `systemg 0.33.0 replaces ${names(replaced)} here when it reads the file; ${instead}`);
  return now;
}

/** YAML takes some texts for something else. */
function hintFor({ node, path }: Place): string {
  if (node.kind === 'map') return "; a text that begins with '{' or has ': ' in it needs quotes";
  return node.kind === 'list' && path.length === 3 && path.at(-1) === 'command' ? "; a list of words belongs to 'exec'" : '';
}

function splitAsList(node: SourceNode): string | null {
  return node.kind === 'scalar' ? yamlList(node.text.split(/[\s,]+/).filter((written) => written !== '')) : null;
}

function scalarOf({ node }: Place): Pick<SourceScalar, 'value' | 'text'> {
  return node.kind === 'scalar' ? node : { value: null, text: '' };
}

function unquoteHint(value: SourceScalar['value']): string {
  return typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value) ? ' (a string; remove the quotes)' : '';
}
