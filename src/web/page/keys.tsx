import { signal } from '@preact/signals';
import type { JSX } from 'preact';
import { Dialog, order } from './acts.tsx';
import { go, route } from './router.ts';
import { nextSorting, turnSorting } from './sorting.ts';
import { concerned, filter, mark, selected, shownUnits } from './table.tsx';

const isHelpOpen = signal(false);

const KEYS = [
  ['↑ ↓, j k, g G', 'move'],
  ['Enter, →, i', 'open the unit'],
  ['l', 'its logs'],
  ['Escape, q', 'go back; take the filter away'],
  ['f, /', 'filter; Enter selects the first unit that is left'],
  ['Space', 'mark the unit'],
  ['o or >, <, O', 'the next, the previous order; reverse'],
  ['S, s, r', 'start, stop, restart what is marked or selected; stop and restart ask first'],
  ['d', 'dependencies'],
  ['R', 'rehearse'],
  ['v', 'the supervisor'],
  ['u', 'all units'],
  ['?', 'these keys'],
] as const;

/** The keys of the live table in the terminal, where a page can have them. */
export function listen(): void {
  addEventListener('keydown', (event) => {
    const { target, key } = event;
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]') !== null) return;
    if (target instanceof HTMLInputElement && target.type !== 'checkbox' && target.type !== 'range') {
      if (key === 'Escape') target.blur();
      if (key === 'Enter' && target.id === 'filter') leaveFilter(target);
      return;
    }
    if (target instanceof HTMLSelectElement || (target instanceof Element && target.closest('[role=button],.fault') !== null)) return;
    if (press(key, target)) event.preventDefault();
  });
}

/** The filter stays, and the first unit that it shows is selected, for the next key. */
function leaveFilter(field: HTMLElement): void {
  field.blur();
  const names = shownUnits().map(({ name }) => name);
  if (!names.includes(selected.value ?? '')) selected.value = names[0] ?? null;
}

function press(key: string, target: EventTarget | null): boolean {
  const page = route.value[0] ?? '';
  switch (key) {
    case '?': return open(() => (isHelpOpen.value = true));
    case 'd': return open(() => go('graph'));
    case 'R': return open(() => go('rehearse', ...(page === 'unit' ? [route.value[1] ?? ''] : [])));
    case 'v': return open(() => go('supervisor'));
    case 'u': return open(() => go());
    case 'Escape': case 'q':
      if (page !== '') return open(() => go());
      filter.value = '';
      return true;
    default: return page === '' ? pressInTable(key, target) : page === 'unit' && orderBy(key, [route.value[1] ?? '']);
  }
}

function pressInTable(key: string, target: EventTarget | null): boolean {
  const names = shownUnits().map(({ name }) => name);
  const index = names.indexOf(selected.value ?? '');
  const select = (to: number): boolean => {
    selected.value = names[Math.min(names.length - 1, Math.max(0, to))] ?? null;
    document.getElementById(`row-${selected.value}`)?.scrollIntoView({ block: 'nearest' });
    return true;
  };
  switch (key) {
    case 'ArrowDown': case 'j': return select(index + 1);
    case 'ArrowUp': case 'k': return select(index - 1);
    case 'g': case 'Home': return select(0);
    case 'G': case 'End': return select(names.length - 1);
    case 'i': case 'l':
      if (selected.value !== null) go('unit', selected.value, ...(key === 'l' ? ['logs'] : []));
      return true;
    case 'o': case '>': return open(() => nextSorting(1));
    case '<': return open(() => nextSorting(-1));
    case 'O': return open(turnSorting);
    case 'f': case '/': return open(() => document.getElementById('filter')?.focus());
    case 'Enter': case 'ArrowRight':
      // A link or a button that has the focus is meant.
      if (key === 'Enter' && target instanceof Element && target.closest('a,button') !== null) return false;
      if (selected.value !== null) go('unit', selected.value);
      return true;
    case ' ':
      if (selected.value === null || (target instanceof Element && target.closest('a,button,input') !== null)) return false;
      mark(selected.value);
      return true;
    default: return orderBy(key, concerned());
  }
}

function orderBy(key: string, names: readonly string[]): boolean {
  const verb = ({ S: 'start', s: 'stop', r: 'restart' } as const)[key];
  if (verb !== undefined) order(verb, names, { asks: true });
  return verb !== undefined;
}

function open(what: () => void): true {
  what();
  return true;
}

export function Help(): JSX.Element | null {
  if (!isHelpOpen.value) return null;
  const close = (): void => void (isHelpOpen.value = false);
  return (
    <Dialog title="Keys" onClose={close}>
      <dl class="keys" tabIndex={0} autoFocus>{KEYS.map(([key, about]) => <><dt><kbd>{key}</kbd></dt><dd>{about}</dd></>)}</dl>
      <button onClick={close}>Close</button>
    </Dialog>
  );
}

export function HelpButton(): JSX.Element {
  return <button aria-label="Keys" onClick={() => (isHelpOpen.value = true)}>?</button>;
}
