import { describe, type Finding, type SourceEntry, type SourceMap, type SourceNode } from './document.ts';
import type { Secrets } from '../secrets.ts';
import type { Scope } from './interpolate.ts';
import type { FileText } from './source-file.ts';

/** A node of the source, where it stands, and what its texts may refer to. */
export interface Place {
  readonly node: SourceNode;
  readonly keyOffset: number;
  readonly path: readonly string[];
  readonly scope: Scope;
  readonly findings: Finding[];
  readonly outside: Outside;
}

/** What reading a file has to do with the world beside its text. */
export interface Outside {
  /** Takes each value that comes from an environment, an env file, or under a secret name. */
  readonly learn: Secrets['learn'];
  readonly readEnvFile: (path: string) => FileText;
  /** Takes the names of the variables of each env file. */
  readonly noteEnvFile: (path: string, names: readonly string[]) => void;
  /** The value with which a variable of an `env` block is in use, whatever the block says; `undefined`: what the block says counts. */
  readonly inUse: Scope;
}

/** A place, or `null` for a value that nobody wrote: nothing is ever said about such a value. */
export type Written = Place | null;

export const complain = saying({ level: 'problem' }, 'value');
/** Something that is named is not there, which a broken syntax may be the cause of. */
export const complainAbsent = saying({ level: 'problem', absent: true }, 'value');
/** As `complainAbsent`, of a key that a map must have. */
export const missing = saying({ level: 'problem', absent: true }, 'key');
export const complainKey = saying({ level: 'problem' }, 'key');
export const warn = saying({ level: 'warning' }, 'value');
export const note = saying({ level: 'note' }, 'value');
/** About what systemg 0.33.0 makes of the place. */
export const noteFormer = saying({ level: 'note', former: true }, 'value');

/** As `complain`: what complains gives no value. */
export function complainExpected(place: Place, expected: string, hint = ''): undefined {
  const complainOf = isNothing(place.node) ? complainAbsent : complain;
  return complainOf(place, `expected ${expected}, got ${describe(place.node)}${hint}`);
}

export function inside(place: Place, entry: SourceEntry): Place {
  return { ...place, node: entry.value, keyOffset: entry.keyOffset, path: [...place.path, entry.key] };
}

/** The places of all keys of a map; none in anything else. */
export function entries(place: Place): readonly (readonly [key: string, place: Place])[] {
  return place.node.kind === 'map' ? place.node.entries.map((entry) => [entry.key, inside(place, entry)] as const) : [];
}

/** The places of all items of a list; none in anything else. */
export function items(place: Place): readonly Place[] {
  if (place.node.kind !== 'list') return [];
  return place.node.items.map((node, index) => ({ ...place, node, keyOffset: node.offset, path: [...place.path, String(index)] }));
}

/** The map with each entry as `change` makes it; anything else as it is. */
export function mapEntries(node: SourceNode, change: (entry: SourceEntry) => SourceNode): SourceNode {
  return node.kind === 'map' ? { ...node, entries: node.entries.map((entry) => ({ ...entry, value: change(entry) })) } : node;
}

/** The value of a key that says something; a key without a value says nothing, as in 0.33.0. */
export function child(map: SourceMap, key: string): SourceEntry | null {
  const entry = map.entries.find((candidate) => candidate.key === key);
  return entry === undefined || isNothing(entry.value) ? null : entry;
}

/** As `child` of any node, and its value alone. */
export function valueAt(node: SourceNode | null, key: string): SourceNode | null {
  return node?.kind === 'map' ? (child(node, key)?.value ?? null) : null;
}

/** The place of `key` below `place`, when it is there. */
export function below(place: Written, key: string): Written {
  const entry = place?.node.kind === 'map' ? child(place.node, key) : null;
  return place === null || entry === null ? null : inside(place, entry);
}

export function isNothing(node: SourceNode): boolean {
  return node.kind === 'scalar' && node.value === null;
}

/** `'a', 'b' or 'c'` */
export function oneOf(words: readonly string[]): string {
  const quoted = words.map((word) => `'${word}'`);
  return quoted.length < 2 ? quoted.join('') : `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}`;
}

function saying(kind: Pick<Finding, 'level' | 'absent' | 'former'>, of: 'key' | 'value'): (place: Written, message: string) => undefined {
  return (place, message) => void place?.findings.push({ ...kind, offset: of === 'key' ? place.keyOffset : place.node.offset, path: place.path, message });
}
