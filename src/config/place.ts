import type { SourceEntry, SourceMap, SourceNode } from './document.ts';
import { complainAt, type Finding } from './finding.ts';
import type { Scope } from './interpolate.ts';

/** A node of the source, where it stands, and what its texts may refer to. */
export interface Place {
  readonly node: SourceNode;
  readonly keyOffset: number;
  readonly path: readonly string[];
  readonly scope: Scope;
  readonly findings: Finding[];
}

export function complain(place: Place, message: string): void {
  complainAt(place.findings, place.node.offset, place.path, message);
}

/** Something that is named is not there, which a broken syntax may be the cause of. */
export function complainAbsent(place: Place, message: string): void {
  place.findings.push({ level: 'problem', offset: place.node.offset, path: place.path, message, absent: true });
}

export function complainExpected(place: Place, expected: string, hint = ''): void {
  const complainOf = isNothing(place.node) ? complainAbsent : complain;
  complainOf(place, `expected ${expected}, got ${describe(place.node)}${hint}`);
}

export function warn(place: Place, message: string): void {
  place.findings.push({ level: 'warning', offset: place.node.offset, path: place.path, message, absent: false });
}

export function note(place: Place, message: string): void {
  place.findings.push({ level: 'note', offset: place.node.offset, path: place.path, message, absent: false });
}

export function missing(place: Place, message: string): void {
  place.findings.push({ level: 'problem', offset: place.keyOffset, path: place.path, message, absent: true });
}

export function inside(place: Place, entry: SourceEntry): Place {
  return { ...place, node: entry.value, keyOffset: entry.keyOffset, path: [...place.path, entry.key] };
}

export function item(place: Place, node: SourceNode, index: number): Place {
  return { ...place, node, keyOffset: node.offset, path: [...place.path, String(index)] };
}

/** The value of a key that says something; a key without a value says nothing, as in 0.33.0. */
export function child(map: SourceMap, key: string): SourceEntry | null {
  const entry = map.entries.find((candidate) => candidate.key === key);
  return entry === undefined || isNothing(entry.value) ? null : entry;
}

/** The place of `key` below `place`, when it is there. */
export function below(place: Place, key: string): Place | null {
  const entry = place.node.kind === 'map' ? child(place.node, key) : null;
  return entry === null ? null : inside(place, entry);
}

export function isNothing(node: SourceNode): boolean {
  return node.kind === 'scalar' && node.value === null;
}

/** What was found, for `expected …, got …`. */
export function describe(node: SourceNode): string {
  if (node.kind === 'map') return 'a map';
  if (node.kind === 'list') return node.items.length === 0 ? 'an empty list' : 'a list';
  if (node.value === null) return 'nothing';
  if (typeof node.value !== 'string') return node.text;
  return JSON.stringify(node.value.length > 60 ? `${node.value.slice(0, 60)}…` : node.value);
}
