import type { AnyStateMachine, StateNode } from 'xstate';
import { presentIn, type UnitMarks } from './marks.ts';
import { idOf, readChart, transitionsOf, type Definition } from './model.ts';
import type { ShownMachine } from './machines.ts';
import { combinationOf, nameOf, type Reference } from './words.ts';

/** A named guard or action, with those of its parameters that are written down. */
export type PlainReference = string | { readonly type: string; readonly params: Readonly<Record<string, unknown>> };

export interface PlainTransition {
  readonly target?: string | readonly string[];
  readonly guard?: PlainReference;
  readonly actions?: readonly PlainReference[];
  readonly reenter?: true;
}

export interface PlainState {
  readonly id?: string;
  readonly initial?: string;
  readonly type?: 'final' | 'parallel' | 'history';
  readonly tags?: readonly string[];
  readonly meta?: Readonly<Record<string, unknown>>;
  readonly entry?: readonly PlainReference[];
  readonly exit?: readonly PlainReference[];
  readonly always?: readonly PlainTransition[];
  readonly on?: Readonly<Record<string, readonly PlainTransition[]>>;
  readonly states?: Readonly<Record<string, PlainState>>;
}

/** The machine for `--format json`; with a unit, its states are tagged `present`, and the machine's `meta` has what is known of the unit. */
export function chartConfig(shown: ShownMachine, marks: UnitMarks | null): PlainState {
  if (marks === null) return machineConfig(shown.machine);
  const present = [...presentIn(readChart(shown), marks)];
  const { meta, ...config } = machineConfig(shown.machine, present);
  const { unit: name, phase, taken } = marks;
  return { ...config, meta: { ...meta, unit: { name, phase, present, taken: taken.map(({ lastAt, ...step }) => ({ ...step, last_at: lastAt })) } } };
}

/**
 * The machine as the JSON that XState's `createMachine` takes, and the tools that import such: every state with its own id, every target by that id.
 * What is code in it, the context and parameters worked out when it happens, has no place in JSON and is left out.
 */
export function machineConfig(machine: AnyStateMachine, present: readonly string[] = []): PlainState {
  const target = (node: StateNode): string => `#${machine.id}.${idOf(node)}`;
  const plain = (node: StateNode): PlainState => {
    const transitions = transitionsOf(node);
    const events = [...new Set(transitions.flatMap(({ event }) => (event === null ? [] : [event])))];
    const taken = (wanted: string | null): readonly PlainTransition[] =>
      transitions.filter(({ event }) => event === wanted).map(({ definition }) => plainTransition(definition, target));
    const initial = node.type === 'compound' ? node.initial.target[0] : undefined;
    return {
      id: node.parent === undefined ? machine.id : target(node).slice(1),
      ...(initial !== undefined && { initial: initial.key }),
      ...((node.type === 'final' || node.type === 'parallel' || node.type === 'history') && { type: node.type }),
      ...(present.includes(idOf(node)) && { tags: ['present'] }),
      ...(node.meta !== undefined && { meta: node.meta as Readonly<Record<string, unknown>> }),
      ...some('entry', node.entry.map(plainReference)), ...some('exit', node.exit.map(plainReference)),
      ...some('always', taken(null)),
      ...(events.length > 0 && { on: Object.fromEntries(events.map((event) => [event, taken(event)])) }),
      ...(Object.keys(node.states).length > 0 && { states: Object.fromEntries(Object.values(node.states).map((child) => [child.key, plain(child)])) }),
    };
  };
  return plain(machine.root);
}

function plainTransition({ target = [], guard, actions, reenter }: Definition, nameOf: (node: StateNode) => string): PlainTransition {
  const [first, ...more] = target.map(nameOf);
  return {
    ...(first !== undefined && { target: more.length === 0 ? first : [first, ...more] }), ...(guard !== undefined && { guard: plainReference(guard) }),
    ...some('actions', actions.map(plainReference)), ...(reenter && { reenter: true as const }),
  };
}

function plainReference(reference: Reference): PlainReference {
  const combination = combinationOf(reference);
  if (combination !== null) {
    const { kind, guards, state } = combination;
    return { type: kind, params: state === null ? { guards: guards.map(plainReference) } : { state } };
  }
  if (typeof reference !== 'object') return nameOf(reference);
  const { type, params } = reference;
  return typeof params === 'object' && params !== null ? { type, params: JSON.parse(JSON.stringify(params)) as Readonly<Record<string, unknown>> } : type;
}

function some<Key extends string, Item>(key: Key, items: readonly Item[]): Partial<Record<Key, readonly Item[]>> {
  return items.length === 0 ? {} : { [key]: items } as Record<Key, readonly Item[]>;
}
