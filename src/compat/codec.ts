import { textOf as messageOf } from '../errors.ts';
import { branch, leaf, type XmlElement } from './xml.ts';

/** Takes a sentence with the place about what is left out. */
export type Skip = (problem: string) => void;

/** How a value is written as the elements of one name, and read from them. `read` throws a sentence with the place where nothing can be left out. */
export interface Codec<Value> {
  write(name: string, value: Value): readonly XmlElement[];
  read(found: readonly XmlElement[], at: string, skip: Skip): Value;
}

export function mismatch(at: string, expected: string, found: string | undefined): Error {
  return new Error(`${at}: expected ${expected}, got ${found === undefined ? 'nothing' : JSON.stringify(found.slice(0, 80))}`);
}

export function scalar<Value extends string | number>(parse: (written: string, at: string) => Value): Codec<Value> {
  return { write: (name, value) => [leaf(name, value)], read: (found, at) => parse(textOf(one(found, at), at), at) };
}

export const text = scalar((written) => written);

/** A whole number within bounds, which are those of 0.33.0's types: beyond them it refuses a file, and an answer. */
export function whole(lowest: number, highest = Number.MAX_SAFE_INTEGER): Codec<number> {
  return scalar((written, at) => {
    const value = /^[+-]?[0-9]+$/.test(written) ? Number(written) : Number.NaN;
    if (!(value >= lowest && value <= highest)) throw mismatch(at, `a whole number from ${lowest} to ${highest}`, written);
    return value;
  });
}

/** Seconds; as an instant they end where JavaScript's do. */
export const seconds = whole(0, 8_640_000_000_000);

export const int32 = whole(-(2 ** 31), 2 ** 31 - 1);

/** 0.33.0 takes any for a process id, also one that no process can have. */
export const pid = whole(0, 2 ** 32 - 1);

/** Null: absent or empty, which is how systemg 0.33.0 writes "none". Written as no element, or as one that holds `none`, which is read as null too. */
export function maybe<Value extends string | number>(codec: Codec<Value>, none?: Value): Codec<Value | null> {
  return {
    write: (name, value) => (value !== null ? codec.write(name, value) : none === undefined ? [] : codec.write(name, none)),
    read: (found, at, skip) => {
      const element = atMostOne(found, at);
      const value = element === null || textOf(element, at) === '' ? null : codec.read(found, at, skip);
      return value === none ? null : value;
    },
  };
}

/** What is wrong is left out: one bad run does not cost the others. */
export function many<Value>(codec: Codec<Value>): Codec<readonly Value[]> {
  return {
    write: (name, values) => values.flatMap((value) => codec.write(name, value)),
    read: (found, at, skip) => found.flatMap((element, index) => {
      try {
        return [codec.read([element], `${at}[${index}]`, skip)];
      } catch (error) {
        skip(messageOf(error));
        return [];
      }
    }),
  };
}

/** An element with other elements in it, in the order of the fields. Others may be there when it is read. */
export function group<Value extends object>(fields: { readonly [Key in keyof Value]: readonly [name: string, codec: Codec<Value[Key]>] }): Codec<Value> {
  const keys = Object.keys(fields) as (keyof Value)[];
  return {
    write: (name, value) => [branch(name, keys.flatMap((key) => fields[key][1].write(fields[key][0], value[key])))],
    read: (found, at, skip) => {
      const element = one(found, at);
      // Every key of `Value` has its field.
      return Object.fromEntries(keys.map((key) => [key, fieldOf(element, at, fields[key], skip)])) as Value;
    },
  };
}

export function fieldOf<Value>({ children }: XmlElement, at: string, [name, codec]: readonly [name: string, codec: Codec<Value>], skip: Skip): Value {
  return codec.read(children.filter((child) => child.name === name), at === '' ? name : `${at}.${name}`, skip);
}

/** A map as one element per entry, which holds the key and the value. */
export function entries<Value>(keyName: string, valueName: string, codec: Codec<Value>): Codec<ReadonlyMap<string, Value>> {
  const pairs = many(group<{ key: string; value: Value }>({ key: [keyName, text], value: [valueName, codec] }));
  return {
    write: (name, map) => pairs.write(name, [...map].map(([key, value]) => ({ key, value }))),
    read: (found, at, skip) => new Map(pairs.read(found, at, skip).map(({ key, value }) => [key, value])),
  };
}

export function atMostOne(found: readonly XmlElement[], at: string): XmlElement | null {
  if (found.length > 1) throw mismatch(at, 'one element', `${found.length} of them`);
  return found[0] ?? null;
}

function one(found: readonly XmlElement[], at: string): XmlElement {
  const element = atMostOne(found, at);
  if (element === null) throw mismatch(at, 'an element', undefined);
  return element;
}

function textOf({ children: [child], text: written }: XmlElement, at: string): string {
  if (child !== undefined) throw mismatch(at, 'text', `<${child.name}>`);
  return written;
}
