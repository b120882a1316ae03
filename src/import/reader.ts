import type { Sourced } from '../yaml-text.ts';
import type { Remarks } from './remarks.ts';

/** Reads the keys of one map of a source. A key that nobody asked for is named as lost at the end. */
export interface Reader {
  readonly path: string;
  readonly remarks: Remarks;
  /** The value of a key, when it says something. */
  take(key: string): Sourced | null;
  /** A scalar as text. Anything else is named as lost. */
  text(key: string): string | null;
  number(key: string): number | null;
  flag(key: string): boolean | null;
  /** Names the key as lost, where it is given. */
  lose(key: string, why: string): void;
  /** Names all that was not asked for. */
  rest(reasons: Readonly<Record<string, string>>, otherwise?: string): void;
}

export function openReader(node: Sourced, path: string, remarks: Remarks): Reader {
  const asked = new Set<string>();
  const take = (key: string): Sourced | null => {
    asked.add(key);
    const found = node.entries?.get(key);
    return found === undefined || isEmpty(found) ? null : found;
  };
  const parsed = <Value>(key: string, expected: string, parse: (text: string) => Value | null): Value | null => {
    const found = take(key);
    if (found === null) return null;
    const value = found.value === null ? null : parse(String(found.value));
    if (value === null) remarks.lost(found, `${path}.${key}`, `expected ${expected}, got ${shown(found)}`);
    return value;
  };
  return {
    path,
    remarks,
    take,
    text: (key) => parsed(key, 'a text', String),
    number: (key) => parsed(key, 'a number', (text) => (text.trim() === '' || Number.isNaN(Number(text)) ? null : Number(text))),
    flag: (key) => parsed(key, 'true or false', truth),
    lose(key, why) {
      const found = take(key);
      if (found !== null) remarks.lost(found, `${path}.${key}`, why);
    },
    rest(reasons, otherwise = 'sysg has no such key') {
      for (const [key, found] of node.entries ?? []) {
        if (asked.has(key) || isEmpty(found) || key.startsWith('x-')) continue;
        remarks.lost(found, `${path}.${key}`, Object.hasOwn(reasons, key) ? (reasons[key] ?? otherwise) : otherwise);
      }
    },
  };
}

/** Words for yes and no of INI and YAML. */
export function truth(text: string): boolean | null {
  if (/^(true|yes|on|1)$/i.test(text.trim())) return true;
  return /^(false|no|off|0)$/i.test(text.trim()) ? false : null;
}

/** A list of texts: that of a list, or the one of a scalar. */
export function textsOf(node: Sourced | null): readonly string[] {
  if (node === null) return [];
  if (node.items !== null) return node.items.flatMap((item) => (item.value === null ? [] : [String(item.value)]));
  return node.value === null ? [] : [String(node.value)];
}

export function shown(node: Sourced): string {
  if (node.entries !== null) return 'a map';
  return node.items !== null ? 'a list' : JSON.stringify(node.value);
}

function isEmpty(node: Sourced): boolean {
  return node.value === null && node.entries === null && node.items === null;
}
