/** What a decoder throws; caught where a line is read. The sentence names place, expectation and finding. */
export class Mismatch extends Error {
  constructor(where: string, expected: string, found: unknown) {
    super(`${where}: expected ${expected}, got ${show(found)}`);
  }
}

export type Decoder<Value> = (value: unknown, where: string) => Value;

export const text: Decoder<string> = (value, where) => {
  if (typeof value !== 'string') throw new Mismatch(where, 'a string', value);
  return value;
};

export const finite: Decoder<number> = (value, where) => {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new Mismatch(where, 'a number', value);
  return value;
};

/** A whole number from `lowest` up. */
export function whole(lowest: number): Decoder<number> {
  return (value, where) => {
    if (!Number.isSafeInteger(value) || Number(value) < lowest) throw new Mismatch(where, `a whole number ≥ ${lowest}`, value);
    return Number(value);
  };
}

export const flag: Decoder<boolean> = (value, where) => {
  if (typeof value !== 'boolean') throw new Mismatch(where, 'true or false', value);
  return value;
};

export function word<Word extends string>(...words: readonly Word[]): Decoder<Word> {
  return (value, where) => {
    const known = words.find((candidate) => candidate === value);
    if (known === undefined) throw new Mismatch(where, `one of ${words.join(', ')}`, value);
    return known;
  };
}

export function orNull<Value>(decode: Decoder<Value>): Decoder<Value | null> {
  return (value, where) => (value === null ? null : decode(value, where));
}

export function list<Value>(decode: Decoder<Value>): Decoder<readonly Value[]> {
  return (value, where) => {
    if (!Array.isArray(value)) throw new Mismatch(where, 'a list', value);
    return value.map((item, index) => decode(item, `${where}[${index}]`));
  };
}

/** Keys that the decoder does not name are dropped: a newer version may have written them. */
export function object<Shape extends Record<string, unknown>>(decoders: { readonly [Key in keyof Shape]: Decoder<Shape[Key]> }): Decoder<Shape> {
  const keys = Object.keys(decoders);
  return (value, where) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Mismatch(where, 'an object', value);
    const found = new Map<string, unknown>(Object.entries(value));
    const entries = keys.map((key) => [key, decoders[key]?.(found.get(key), `${where}.${key}`)]);
    return Object.fromEntries(entries) as Shape;
  };
}

function show(value: unknown): string {
  if (value === undefined) return 'nothing';
  const shown = JSON.stringify(value);
  return shown.length > 60 ? `${shown.slice(0, 60)}…` : shown;
}
