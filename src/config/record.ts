import { didYouMean } from '../words.ts';
import { child, complain, complainExpected, inside, isNothing, missing, type Place } from './place.ts';
import { complainAt, quote } from './finding.ts';
import { hintFor } from './former-keys.ts';
import type { JsonSchema, Kind } from './kind.ts';

/** One key of a map: its kind, what it is about, and what holds when it is absent. */
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
      if (place.node.kind !== 'map') {
        complainExpected(place, `a map of ${what}`);
        return undefined;
      }
      complainUnknown(place, Object.keys(keys));
      return readKeys(place, keys);
    },
  };
}

/** Reads each key; a refused optional one counts as absent, since a file with problems yields nothing anyway. */
export function readKeys<K extends Keys>(place: Place, keys: K): Values<K> | undefined {
  if (place.node.kind !== 'map') return undefined;
  let complete = true;
  const values: [name: string, value: unknown][] = [];
  for (const [name, key] of Object.entries(keys)) {
    const entry = child(place.node, name);
    const value = entry === null ? undefined : key.kind.read(inside(place, entry));
    if (entry === null && key.required) missing(place, `missing field \`${name}\``);
    if (value === undefined && key.required) complete = false;
    values.push([name, value === undefined ? key.otherwise : value]);
  }
  return complete ? decoded<K>(values) : undefined;
}

/** Complains about each key that is not known, with what may have been meant. */
export function complainUnknown(place: Place, known: readonly string[]): void {
  if (place.node.kind !== 'map') return;
  for (const { key, keyOffset } of place.node.entries) {
    if (known.includes(key)) continue;
    const hint = hintFor(key, known) ?? didYouMean(key, known);
    complainAt(place.findings, keyOffset, [...place.path, key], `unknown key ${quote(key)}${hint}`);
  }
}

/** Of several keys of which one at most may be given, complains about the second. */
export function exclusive(place: Place, names: readonly string[]): void {
  if (place.node.kind !== 'map') return;
  const [first, second] = place.node.entries.filter((entry) => names.includes(entry.key) && !isNothing(entry.value));
  if (first !== undefined && second !== undefined) complain(inside(place, second), `'${first.key}' and '${second.key}' exclude each other`);
}

export function recordSchema(keys: Keys): JsonSchema {
  const properties = Object.entries(keys).map(([name, key]) => {
    const shown = key.otherwise === null || key.otherwise === undefined ? {} : { default: key.kind.show?.(key.otherwise) ?? key.otherwise };
    return [name, { description: key.about, ...key.kind.schema, ...shown }] as const;
  });
  const needed = Object.entries(keys).filter(([, key]) => key.required).map(([name]) => name);
  return { type: 'object', additionalProperties: false, properties: Object.fromEntries(properties), ...(needed.length > 0 ? { required: needed } : {}) };
}

/** The entries were read key by key with the kinds that the type is made of. */
function decoded<K extends Keys>(values: readonly (readonly [string, unknown])[]): Values<K> {
  return Object.fromEntries(values) as Values<K>;
}
