import type { AnyStateMachine, StateNode } from 'xstate';
import { idOf, transitionsOf, type Definition } from './model.ts';
import type { Reference } from './words.ts';

/** A named guard or action, with those of its parameters that are written down. */
type PlainReference = string | { readonly type: string; readonly params: Readonly<Record<string, unknown>> };

interface PlainTransition {
  readonly target?: string;
  readonly guard?: PlainReference;
  readonly actions?: readonly PlainReference[];
  readonly reenter?: true;
}

export interface PlainState {
  readonly id?: string;
  readonly initial?: string;
  readonly type?: 'final' | 'parallel' | 'history';
  readonly entry?: readonly PlainReference[];
  readonly exit?: readonly PlainReference[];
  readonly always?: readonly PlainTransition[];
  readonly on?: Readonly<Record<string, readonly PlainTransition[]>>;
  readonly states?: Readonly<Record<string, PlainState>>;
}

/**
 * The machine as the JSON that XState's `createMachine` takes, and the tools that import such: every state with its
 * own id, every target by that id. What is code in it, the context and parameters worked out when it happens, has no
 * place in JSON and is left out.
 */
export function chartConfig(machine: AnyStateMachine): PlainState {
  const target = (node: StateNode): string => `#${machine.id}.${idOf(node)}`;
  const plain = (node: StateNode): PlainState => {
    const transitions = transitionsOf(node);
    const events = [...new Set(transitions.flatMap(({ event }) => (event === null ? [] : [event])))];
    const taken = (wanted: string | null): readonly PlainTransition[] =>
      transitions.filter(({ event }) => event === wanted).map(({ definition }) => plainTransition(definition, target));
    const initial = node.initial?.target[0];
    return {
      id: node.parent === undefined ? machine.id : target(node).slice(1),
      ...(initial !== undefined && { initial: initial.key }),
      ...((node.type === 'final' || node.type === 'parallel' || node.type === 'history') && { type: node.type }),
      ...some('entry', node.entry.flatMap(plainReference)), ...some('exit', node.exit.flatMap(plainReference)),
      ...some('always', taken(null)),
      ...(events.length > 0 && { on: Object.fromEntries(events.map((event) => [event, taken(event)])) }),
      ...(Object.keys(node.states).length > 0 && { states: Object.fromEntries(Object.values(node.states).map((child) => [child.key, plain(child)])) }),
    };
  };
  return plain(machine.root);
}

function plainTransition({ target, guard, actions, reenter }: Definition, nameOf: (node: StateNode) => string): PlainTransition {
  const [first] = target ?? [];
  const [condition] = guard === undefined ? [] : plainReference(guard);
  return {
    ...(first !== undefined && { target: nameOf(first) }), ...(condition !== undefined && { guard: condition }),
    ...some('actions', actions.flatMap(plainReference)), ...(reenter && { reenter: true as const }),
  };
}

function plainReference(reference: Reference): readonly PlainReference[] {
  if (typeof reference === 'string') return [reference];
  if (typeof reference === 'function') return [reference.name === '' ? 'inline' : reference.name];
  const { type, params } = reference;
  if (typeof params !== 'object' || params === null) return [type];
  return [{ type, params: JSON.parse(JSON.stringify(params)) as Readonly<Record<string, unknown>> }];
}

function some<Key extends string, Item>(key: Key, items: readonly Item[]): Partial<Record<Key, readonly Item[]>> {
  return items.length === 0 ? {} : { [key]: items } as Record<Key, readonly Item[]>;
}
