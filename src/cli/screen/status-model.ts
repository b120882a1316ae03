import type { UnitStatus } from '../../wire/payloads.ts';
import { firstOrder, orderings, type Order, type Ordering } from '../print/status.ts';
import { edited, type Key } from './keys.ts';
import { steps } from './pager.ts';

/** What the table shows, and what the user is about to do. */
export interface StatusModel {
  /** By name; it stays selected while others come and go. */
  readonly selected: string | null;
  /** Only units whose name, state or command holds this are shown. */
  readonly filter: string;
  /** Where `n` and `N` go. */
  readonly search: string;
  readonly mode: 'table' | 'filter' | 'search' | 'confirm';
  /** What is typed, in `filter` and `search`. */
  readonly typed: string;
  /** What `y` would do, in `confirm`. */
  readonly pending: { readonly verb: 'restart' | 'stop'; readonly unit: string } | null;
  readonly unitsOnly: boolean;
  readonly order: Order;
  /** The newest log lines of the selected unit, below the table. */
  readonly hasPane: boolean;
}

export type Action =
  | { readonly kind: 'quit' }
  | { readonly kind: 'help' }
  /** Null: of all units. */
  | { readonly kind: 'logs'; readonly unit: string | null }
  | { readonly kind: 'inspect' | 'start' | 'restart' | 'stop'; readonly unit: string };

export interface Step { readonly model: StatusModel; readonly action: Action | null }

export const firstModel: StatusModel = { selected: null, filter: '', search: '', mode: 'table', typed: '', pending: null, unitsOnly: true, order: firstOrder, hasPane: false };

/** The next model after a key, the same one where it changes nothing. `names` are the units shown, in their order; `height` is how many lines they have. */
export function press(model: StatusModel, key: Key, names: readonly string[], height: number): Step {
  switch (model.mode) {
    case 'table': return pressInTable(model, key, names, height);
    case 'filter': case 'search': return stay(pressInLine(model, key, names));
    case 'confirm': {
      const { pending } = model;
      const closed: StatusModel = { ...model, mode: 'table', pending: null };
      return { model: closed, action: (key === 'y' || key === 'Y') && pending !== null ? { kind: pending.verb, unit: pending.unit } : null };
    }
  }
}

/** The selected unit, or the one in its place when it is gone. */
export function selectionOf(model: StatusModel, names: readonly string[]): string | null {
  return model.selected !== null && names.includes(model.selected) ? model.selected : (names[0] ?? null);
}

export function passes(unit: UnitStatus, state: string, filter: string): boolean {
  const words = filter.toLowerCase().split(/\s+/).filter((word) => word !== '');
  const text = [unit.name, state, unit.health, unit.command ?? ''].join(' ').toLowerCase();
  return words.every((word) => text.includes(word));
}

function pressInTable(model: StatusModel, key: Key, names: readonly string[], height: number): Step {
  const unit = selectionOf(model, names);
  const index = unit === null ? -1 : names.indexOf(unit);
  const select = (to: number): Step => stay({ ...model, selected: names[Math.min(names.length - 1, Math.max(0, to))] ?? null });
  const act = (kind: 'inspect' | 'logs' | 'start'): Step => (unit === null ? stay(model) : { model: { ...model, selected: unit }, action: { kind, unit } });
  const confirm = (verb: 'restart' | 'stop'): Step => stay(unit === null ? model : { ...model, selected: unit, mode: 'confirm', pending: { verb, unit } });
  const move = steps(key, height);
  if (move !== 0) return select(index + move);
  switch (key) {
    case 'g': case 'home': return select(0);
    case 'G': case 'end': return select(names.length - 1);
    case 'enter': case 'right': case 'i': return act('inspect');
    case 'l': return act('logs');
    case 'L': return { model, action: { kind: 'logs', unit: null } };
    case 'p': return stay({ ...model, hasPane: !model.hasPane });
    case '>': case 'o': return stay({ ...model, order: { by: neighbour(model.order.by, 1), isReversed: false } });
    case '<': return stay({ ...model, order: { by: neighbour(model.order.by, -1), isReversed: false } });
    case 'O': return stay({ ...model, order: { ...model.order, isReversed: !model.order.isReversed } });
    case 'S': return act('start');
    case 'r': return confirm('restart');
    case 's': return confirm('stop');
    case 'f': return stay({ ...model, mode: 'filter', typed: model.filter });
    case '/': return stay({ ...model, mode: 'search', typed: '' });
    case 'n': return stay({ ...model, selected: found(names, model.search, index, 1) ?? unit });
    case 'N': return stay({ ...model, selected: found(names, model.search, index, -1) ?? unit });
    case 't': return stay({ ...model, unitsOnly: !model.unitsOnly });
    case '?': case 'h': return { model, action: { kind: 'help' } };
    // Escape takes back one thing at a time, and leaves when there is nothing to take back.
    case 'escape': return model.filter !== '' ? stay({ ...model, filter: '' }) : { model, action: { kind: 'quit' } };
    case 'q': return { model, action: { kind: 'quit' } };
    default: return stay(model);
  }
}

function pressInLine(model: StatusModel, key: Key, names: readonly string[]): StatusModel {
  const typed = edited(model.typed, key);
  if (key === 'escape') return { ...model, mode: 'table', typed: '' };
  if (model.mode === 'filter') {
    return key === 'enter' ? { ...model, mode: 'table', filter: model.typed, typed: '' } : typed === model.typed ? model : { ...model, typed };
  }
  const from = names.indexOf(selectionOf(model, names) ?? '');
  if (key === 'enter') return { ...model, mode: 'table', search: model.typed, selected: found(names, model.typed, from - 1, 1) ?? model.selected, typed: '' };
  return typed === model.typed ? model : { ...model, typed };
}

function neighbour(by: Ordering, step: 1 | -1): Ordering {
  return orderings[(orderings.indexOf(by) + step + orderings.length) % orderings.length] ?? 'attention';
}

/** The next name in that direction that holds the text, once around. */
function found(names: readonly string[], text: string, from: number, direction: 1 | -1): string | null {
  if (text === '') return null;
  const wanted = text.toLowerCase();
  for (let step = 1; step <= names.length; step += 1) {
    const name = names[(from + direction * step + names.length * 2) % names.length];
    if (name !== undefined && name.toLowerCase().includes(wanted)) return name;
  }
  return null;
}

function stay(model: StatusModel): Step {
  return { model, action: null };
}
