import type { Sourced } from '../yaml-text.ts';
import type { Reasons } from './reasons.ts';
import type { Remarks } from './remarks.ts';

/** Reads the keys of one map of a source. A key that nobody asked for is named as lost at the end. */
export interface Reader {
  readonly node: Sourced;
  readonly remarks: Remarks;
  /** Where a key of the map stands, for remarks. */
  at(key: string): string;
  /** The value of a key, when it says something. */
  take(key: string): Sourced | null;
  /** A reader of the map that a key has. */
  within(key: string): Reader | null;
  /** The first of the keys that is given. What is no scalar is named as lost. */
  scalar(...keys: readonly string[]): Sourced | null;
  /** What a scalar says; what `parse` does not take is named as lost. */
  parsed<Value>(key: string, expected: string, parse: (text: string) => Value | null): { readonly value: Value; readonly from: Sourced } | null;
  /** A scalar as text. Anything else is named as lost. */
  text(key: string): string | null;
  number(key: string): number | null;
  flag(key: string): boolean | null;
  /** Names the key as lost, where it is given. */
  lose(key: string, why: string): void;
  /** Names the key as changed, where it is given. */
  change(key: string, why: string): void;
  /** Names all that was not asked for. */
  rest(reasons: Reasons, otherwise?: string): void;
}

/** `path`: where the map stands; empty for that of the whole file. `written`: the names of keys that were written otherwise. */
export function openReader(node: Sourced, path: string, remarks: Remarks, written: ReadonlyMap<string, string> = new Map()): Reader {
  const asked = new Set<string>();
  const at = (key: string): string => `${path === '' ? '' : `${path}.`}${written.get(key) ?? key}`;
  const take = (key: string): Sourced | null => {
    asked.add(key);
    const found = node.entries?.get(key);
    return found === undefined || isEmpty(found) ? null : found;
  };
  const naming = (kind: 'lost' | 'changed') => (key: string, why: string): void => {
    const found = take(key);
    if (found !== null) remarks[kind](found, at(key), why);
  };
  const lose = naming('lost');
  const parsed: Reader['parsed'] = (key, expected, parse) => {
    const found = take(key);
    const value = found === null || found.value === null ? null : parse(String(found.value));
    if (found === null) return null;
    if (value !== null) return { value, from: found };
    lose(key, `expected ${expected}, got ${shown(found)}`);
    return null;
  };
  const scalar = (...keys: readonly string[]): Sourced | null => {
    // Those behind it are not asked for, so that the value of a second one is named as lost.
    const key = keys.find((each) => take(each) !== null);
    return key === undefined ? null : (parsed(key, 'a text', String)?.from ?? null);
  };
  return {
    node, remarks, at, take, scalar, parsed, lose, change: naming('changed'),
    within(key) {
      const found = take(key);
      return found === null ? null : openReader(found, at(key), remarks);
    },
    text: (key) => parsed(key, 'a text', String)?.value ?? null,
    number: (key) => parsed(key, 'a number', numberIn)?.value ?? null,
    flag: (key) => parsed(key, 'true or false', truth)?.value ?? null,
    rest(reasons, otherwise = 'sysg has no such key') {
      for (const [key, found] of node.entries ?? []) {
        if (asked.has(key) || isEmpty(found) || key.startsWith('x-')) continue;
        remarks.lost(found, at(key), Object.hasOwn(reasons, key) ? (reasons[key] ?? otherwise) : otherwise);
      }
    },
  };
}

/** Words for yes and no of INI and YAML. */
export function truth(text: string): boolean | null {
  if (/^(true|yes|on|1)$/i.test(text.trim())) return true;
  return /^(false|no|off|0)$/i.test(text.trim()) ? false : null;
}

export function numberIn(text: string): number | null {
  return text.trim() === '' || !Number.isFinite(Number(text)) ? null : Number(text);
}

/** 0 or more. */
export function countIn(text: string): number | null {
  const number = numberIn(text);
  return number === null || number < 0 ? null : number;
}

/** Exit codes: what is none is named as lost. */
export function exitCodesIn(read: Reader, key: string, parts: readonly (string | Sourced)[]): readonly number[] {
  return parts.flatMap((part) => {
    const text = typeof part === 'string' ? part : String(part.value ?? '');
    if (/^\d+$/.test(text) && Number(text) <= 255) return [Number(text)];
    read.lose(key, `expected an exit code from 0 to 255, got ${typeof part === 'string' ? JSON.stringify(part) : shown(part)}`);
    return [];
  });
}

/** A list of texts: that of a list, or the one of a scalar. */
export function textsOf(node: Sourced | null): readonly string[] {
  return (node?.items ?? [node]).flatMap((item) => (item === null || item.value === null ? [] : [String(item.value)]));
}

export function shown(node: Sourced): string {
  if (node.entries !== null) return 'a map';
  return node.items !== null ? 'a list' : JSON.stringify(node.value);
}

/** Says nothing, as a key without a value. */
export function isEmpty(node: Sourced): boolean {
  return node.value === null && node.entries === null && node.items === null;
}
