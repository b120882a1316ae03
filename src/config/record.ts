import { didYouMean } from '../words.ts';
import { meaningOfKey } from './foreign-keys.ts';
import type { JsonSchema, Kind } from './kind.ts';
import { quote } from './document.ts';
import { child, complain, complainExpected, complainKey, entries, inside, isNothing, missing, type Place } from './place.ts';

/** One key of a map: its kind, what it is about, and the value that stands for its absence. */
export interface Key<T, D> {
  readonly kind: Kind<T>;
  readonly about: string;
  readonly otherwise: D;
  readonly required: boolean;
}

export type Keys = { readonly [name: string]: Key<unknown, unknown> };
export type Values<K extends Keys> = { readonly [N in keyof K]: K[N] extends Key<infer T, infer D> ? T | D : never };

/** A key that may be absent: `null` then. */
export function optional<T>(kind: Kind<T>, about: string): Key<T, null> {
  return { kind, about, otherwise: null, required: false };
}

/** A key that may be absent, of a kind that gives `null` a meaning of its own. */
export function nullable<T>(kind: Kind<T>, about: string): Key<T, undefined> {
  return { kind, about, otherwise: undefined, required: false };
}

export function withDefault<T, D extends T>(kind: Kind<T>, about: string, otherwise: D): Key<T, D> {
  return { kind, about, otherwise, required: false };
}

export function required<T>(kind: Kind<T>, about: string): Key<T, never> {
  return { kind, about, otherwise: absent, required: true };
}

// A map that lacks a required key is refused as a whole, so this is never seen.
const absent = undefined as never;

/** A map of known keys; `what` names them in the message about anything else. */
export function record<K extends Keys>(keys: K, what: string): Kind<Values<K>> {
  return {
    schema: recordSchema(keys),
    read(place) {
      if (place.node.kind !== 'map') return complainExpected(place, `a map of ${what}`);
      complainUnknown(place, Object.keys(keys));
      return readKeys(place, keys);
    },
  };
}

/** Reads each key; a refused optional one counts as absent, since a file with problems yields nothing anyway. */
export function readKeys<K extends Keys>(place: Place, keys: K): Values<K> | undefined {
  if (place.node.kind !== 'map') return undefined;
  const { node } = place;
  const values = Object.entries(keys).map(([name, { kind, otherwise, required: needed }]) => {
    const entry = child(node, name);
    if (entry === null && needed) missing(place, `missing field \`${name}\``);
    const value = entry === null ? undefined : kind.read(inside(place, entry));
    return [name, value === undefined ? otherwise : value] as const;
  });
  return values.some(([name, value]) => value === absent && keys[name]?.required === true) ? undefined : decoded<K>(values);
}

/** The values of a map that says nothing. */
export function defaultsOf<K extends Keys>(keys: K): Values<K> {
  return decoded<K>(Object.entries(keys).map(([name, { otherwise }]) => [name, otherwise]));
}

/** Complains about each key that is not known, with what may have been meant. */
export function complainUnknown(place: Place, known: readonly string[]): void {
  for (const [key, inner] of entries(place)) {
    // Those are for other programs, and for anchors.
    if (known.includes(key) || key.startsWith('x-')) continue;
    const meant = meaningOfKey(key, known) ?? didYouMean(key, known);
    complainKey(inner, `unknown key ${quote(key)}${meant === '' && known.length <= FEW_KEYS ? `, expected one of ${known.join(', ')}` : meant}`);
  }
}

/** Of a map with more keys than these a list says less than the documentation does. */
const FEW_KEYS = 20;

/** Of several keys of which one at most may be given, complains about the second. */
export function exclusive(place: Place, names: readonly string[]): void {
  const [first, second] = entries(place).filter(([key, { node }]) => names.includes(key) && !isNothing(node));
  if (first !== undefined && second !== undefined) complain(second[1], `'${first[0]}' and '${second[0]}' exclude each other`);
}

export function recordSchema(keys: Keys): JsonSchema {
  const properties = Object.entries(keys).map(([name, { kind, about, otherwise }]) => {
    const shown = otherwise === null || otherwise === undefined ? {} : { default: kind.show?.(otherwise) ?? otherwise };
    return [name, { description: about, ...kind.schema, ...shown }] as const;
  });
  const needed = Object.entries(keys).filter(([, key]) => key.required).map(([name]) => name);
  return { type: 'object', additionalProperties: false, patternProperties: { '^x-': {} }, properties: Object.fromEntries(properties), ...(needed.length > 0 ? { required: needed } : {}) };
}

/** The entries were read key by key with the kinds that the type is made of. */
function decoded<K extends Keys>(values: readonly (readonly [string, unknown])[]): Values<K> {
  return Object.fromEntries(values) as Values<K>;
}
