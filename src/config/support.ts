import { complainAt } from './finding.ts';
import { inside, isNothing, type Place } from './place.ts';

/** A key that is read and checked but that the program does not act on yet. `*` is any name; `value`: only this value. */
export interface ClosedKey {
  readonly path: string;
  readonly value?: string;
}

export type Gate = readonly ClosedKey[];

/** What is refused as not supported yet. Deleting a line opens a key. */
export const closedKeys: Gate = ['services.*', 'defaults'].flatMap((where): Gate => [
  { path: `${where}.logs.logger` },
  { path: `${where}.deployment.strategy`, value: 'rolling' },
  { path: `${where}.deployment.health_check` },
  { path: `${where}.deployment.grace_period` },
  { path: `${where}.deployment.blue_green` },
  { path: `${where}.deployment.on_address_in_use` },
]);

/** Complains about each closed key that the file uses. `root` is the whole file. */
export function complainClosed(root: Place, gate: Gate): void {
  for (const closed of gate) {
    for (const place of matching(root, closed.path.split('.'))) {
      if (closed.value !== undefined && !(place.node.kind === 'scalar' && place.node.text === closed.value)) continue;
      complainAt(place.findings, place.keyOffset, place.path, notSupported(closed));
    }
  }
}

function notSupported({ path, value }: ClosedKey): string {
  const key = path.split('.').filter((part) => part !== '*' && part !== 'services').join('.');
  return `'${value === undefined ? key : `${key}: ${value}`}' is not supported yet`;
}

function matching(place: Place, path: readonly string[]): readonly Place[] {
  const [key, ...rest] = path;
  if (key === undefined) return isNothing(place.node) ? [] : [place];
  if (place.node.kind === 'list') {
    if (key !== '*') return [];
    return place.node.items.flatMap((node, index) => matching({ ...place, node, keyOffset: node.offset, path: [...place.path, String(index)] }, rest));
  }
  if (place.node.kind !== 'map') return [];
  return place.node.entries.filter((entry) => key === '*' || entry.key === key).flatMap((entry) => matching(inside(place, entry), rest));
}
