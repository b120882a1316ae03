import { signal } from '@preact/signals';
import type { UnitRow } from '../unit-row.ts';
import { makeGather } from './gather.ts';

/** What screen readers say by themselves, in one element that nobody sees: nothing else that changes with time is read out. */
export const announcement = signal('');

type Change = Pick<UnitRow, 'name' | 'state' | 'health'>;

/** What follows at once is said with it, and a state that was left again is not said at all. */
const GATHER_MS = 1000;
const MOST_NAMED = 3;

const changes = makeGather<Change>((all) => {
  announcement.value = changeText([...new Map(all.map((change) => [change.name, change])).values()]);
}, { most: Infinity, withinMs: GATHER_MS });

/** Has the change of a unit said, once it has lasted. */
export function announceChange(change: Change): void {
  changes.add([change]);
}

/** `api failed, db is running`; of more than three units how many came to which state. */
export function changeText(changed: readonly Change[]): string {
  if (changed.length <= MOST_NAMED) {
    return changed.map(({ name, state, health }) => {
      const unwell = state === 'running' && health !== 'healthy' ? `, ${health}` : '';
      return `${name} ${VERBS[state] ?? `is ${state}`}${unwell}`;
    }).join(', ');
  }
  const counts = new Map<string, number>();
  for (const { state } of changed) counts.set(state, (counts.get(state) ?? 0) + 1);
  return `${changed.length} units changed: ${[...counts].map(([state, count]) => `${count} ${state}`).join(', ')}`;
}

const VERBS: Readonly<Record<string, string>> = { failed: 'failed', completed: 'completed', backoff: 'is in backoff', unready: 'is not ready', halted: 'is halted by a signal' };
