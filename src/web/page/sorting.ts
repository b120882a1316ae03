import { computed, signal } from '@preact/signals';
import type { UnitRow } from '../unit-row.ts';
import { units } from './live.ts';
import { sinceOf } from './words.ts';

const URGENCY: Readonly<Record<string, number>> = { failing: 0, degraded: 1 };
/** `web-2` before `web-10`. */
export const naturally = new Intl.Collator('en', { numeric: true });
const byName = (one: UnitRow, other: UnitRow): number => naturally.compare(one.name, other.name);
const most = (value: (row: UnitRow) => number | undefined) => (one: UnitRow, other: UnitRow): number => (value(other) ?? -1) - (value(one) ?? -1);

/** By what units can be put in order: what needs attention first, at the beginning; numbers from the largest down. */
export const sortings = {
  Health: (one: UnitRow, other: UnitRow) => (URGENCY[one.health] ?? 2) - (URGENCY[other.health] ?? 2),
  Unit: byName,
  State: (one: UnitRow, other: UnitRow) => naturally.compare(one.state, other.state),
  Since: most((row) => {
    const since = sinceOf(row);
    return since === undefined ? undefined : Date.parse(since);
  }),
  Restarts: most(({ restarts }) => restarts),
  CPU: most(({ cpu }) => cpu),
  Memory: most(({ rss }) => rss),
} as const satisfies Record<string, (one: UnitRow, other: UnitRow) => number>;

export type SortName = keyof typeof sortings;

export const sorting = signal<{ readonly by: SortName; readonly isTurned: boolean }>({ by: 'Health', isTurned: false });

/** The order that is kept at present, by names. */
const held = signal<readonly string[] | null>(null);

const holders = new Set<'pointer' | 'focus'>();

/** While the pointer is over the rows, or one of them has the focus, they keep their places: a click meets the unit that was under it, and a row that is moved loses the focus. */
export function holdOrder(by: 'pointer' | 'focus', isHeld: boolean): void {
  if (isHeld) holders.add(by);
  else holders.delete(by);
  if (holders.size === 0) held.value = null;
  else held.value ??= namesInOrder();
}

function namesInOrder(): readonly string[] {
  return ordered.peek().map(({ name }) => name);
}

export function releaseOrder(): void {
  holders.clear();
  held.value = null;
}

export const ordered = computed(() => {
  const { by, isTurned } = sorting.value;
  const places = new Map(held.value?.map((name, place) => [name, place]));
  const placeOf = ({ name }: UnitRow): number => places.get(name) ?? places.size;
  const compare = (one: UnitRow, other: UnitRow): number => placeOf(one) - placeOf(other) || (isTurned ? -1 : 1) * sortings[by](one, other);
  return [...units.value.values()].filter(({ kind }) => kind !== 'orphaned').toSorted((one, other) => compare(one, other) || byName(one, other));
});

/** By this column; turned round when that is so already. */
export function sortBy(by: SortName): void {
  choose({ by, isTurned: sorting.value.by === by && !sorting.value.isTurned });
}

export function nextSorting(step: 1 | -1): void {
  const names = Object.keys(sortings) as SortName[];
  choose({ by: names[(names.indexOf(sorting.value.by) + step + names.length) % names.length] ?? 'Health', isTurned: false });
}

export function turnSorting(): void {
  choose({ ...sorting.value, isTurned: !sorting.value.isTurned });
}

function choose(chosen: typeof sorting.value): void {
  held.value = null;
  sorting.value = chosen;
  if (holders.size > 0) held.value = namesInOrder();
}
