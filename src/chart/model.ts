import type { StateNode } from 'xstate';
import type { ShownMachine } from './machines.ts';
import { nameOf, wordsOf, type Reference } from './words.ts';

/** `decision`: entered and left at once, by the first condition that holds. */
export type StateKind = 'plain' | 'compound' | 'final' | 'decision';

export interface ChartState {
  /** Its path, `active.running`. */
  readonly id: string;
  /** Its own name, `running`. */
  readonly name: string;
  readonly parent: string | null;
  readonly kind: StateKind;
  /** Where its parent, or the machine, begins. */
  readonly initial: boolean;
  readonly phase: string | null;
  readonly entry: readonly string[];
  readonly exit: readonly string[];
}

export interface ChartEdge {
  /** Null: the machine as a whole, whatever its state. */
  readonly from: string | null;
  /** Null: the state stays. */
  readonly to: string | null;
  /** Null: at once. */
  readonly event: string | null;
  readonly guard: string | null;
  readonly actions: readonly string[];
  /** Leaves the state and enters it anew. */
  readonly reenters: boolean;
}

export interface Chart {
  readonly name: string;
  readonly about: string;
  /** Parents before their children. */
  readonly states: readonly ChartState[];
  readonly edges: readonly ChartEdge[];
  /** What was left out, in sentences. */
  readonly remarks: readonly string[];
}

/** The whole of a machine, read from the object that runs. `isShown` picks the actions and guards that are worth a reader's while. */
export function readChart(shown: ShownMachine, isShown: (kind: 'guard' | 'action', name: string) => boolean = () => true): Chart {
  const { root } = shown.machine;
  const words = (actions: readonly Reference[]): readonly string[] =>
    distinct(actions.filter((action) => isShown('action', nameOf(action))).map(wordsOf));
  const states: ChartState[] = [];
  const edges: ChartEdge[] = [];
  const visit = (node: StateNode): void => {
    const { parent } = node;
    if (parent !== undefined) {
      states.push({
        id: idOf(node), name: node.key, parent: parent === root ? null : idOf(parent), kind: kindOf(node),
        initial: parent.initial?.target[0] === node, phase: shown.phaseOf(node.key), entry: words(node.entry), exit: words(node.exit),
      });
    }
    for (const { event, definition } of transitionsOf(node)) {
      const { guard, actions, target, reenter } = definition;
      const shownGuard = guard !== undefined && isShown('guard', nameOf(guard)) ? wordsOf(guard) : null;
      for (const to of target ?? [null]) {
        edges.push({
          from: node === root ? null : idOf(node), to: to === null ? null : idOf(to), event, guard: shownGuard, actions: words(actions),
          reenters: reenter,
        });
      }
    }
    for (const child of Object.values(node.states)) visit(child);
  };
  visit(root);
  return { name: shown.name, about: shown.about, states, edges, remarks: [] };
}

/** One transition of a state, as XState has resolved it. */
export interface Definition {
  readonly target: readonly StateNode[] | undefined;
  readonly guard: Reference | undefined;
  readonly actions: readonly Reference[];
  readonly reenter: boolean;
}

export function transitionsOf(node: StateNode): readonly { readonly event: string | null; readonly definition: Definition }[] {
  const always = (node.always ?? []).map((definition) => ({ event: null, definition: definition as Definition }));
  const named = [...node.transitions].flatMap(([event, definitions]) => definitions.map((definition) => ({ event, definition: definition as Definition })));
  return [...always, ...named];
}

export function idOf(node: StateNode): string {
  return node.path.join('.');
}

/** A state with children, all of which are one thing to the outside, is told from a group by where it begins: at a decision. */
export function kindOf(node: StateNode): StateKind {
  if (node.type === 'final') return 'final';
  if (node.type !== 'atomic') return 'compound';
  return (node.always ?? []).length > 0 && node.transitions.size === 0 ? 'decision' : 'plain';
}

export function distinct<T>(items: readonly T[]): readonly T[] {
  return [...new Set(items)];
}
