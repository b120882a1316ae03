import type { AnyStateMachine, StateNode } from 'xstate';
import type { StateMeta } from '../../machines/unit.ts';
import type { ShownMachine } from './machines.ts';
import { nameOf, wordsOf, type Reference } from './words.ts';

/** `decision`: entered and left at once, by the first condition that is true. `parallel`: in each of its regions at once. */
export type StateKind = 'plain' | 'compound' | 'parallel' | 'region' | 'final' | 'decision';

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
  /** What ends the wait in this state when nothing else does. */
  readonly deadlines: readonly string[];
  readonly entry: readonly string[];
  readonly exit: readonly string[];
}

export interface ChartEdge {
  /** Null: the machine as a whole, whatever its state. */
  readonly from: string | null;
  /** Null: the state stays. */
  readonly to: string | null;
  /** States of other regions that are entered along with it. */
  readonly beside: readonly string[];
  /** Null: at once. */
  readonly event: string | null;
  readonly guard: string | null;
  readonly actions: readonly string[];
  /** Leaves the state and enters it anew. */
  readonly reenters: boolean;
  /** Leads into the chart of another machine, of which the transition spawns one; the own state is not left along it. */
  readonly spawns: boolean;
}

export interface Chart {
  readonly name: string;
  readonly about: string;
  /** A condensed chart is arranged by phases, a whole one by the machine's own hierarchy. */
  readonly isCondensed: boolean;
  /** Parents before their children. */
  readonly states: readonly ChartState[];
  readonly edges: readonly ChartEdge[];
  /** What was left out, in sentences. */
  readonly remarks: readonly string[];
}

/** The whole of a machine, read from the object that runs. */
export function readChart(shown: ShownMachine, isShown: (action: string) => boolean = () => true): Chart {
  const { root } = shown.machine;
  const words = (actions: readonly Reference[]): readonly string[] => distinct(actions.filter((action) => isShown(nameOf(action))).map(wordsOf));
  const states: ChartState[] = [];
  const edges: ChartEdge[] = [];
  const visit = (node: StateNode, phaseAround: string | null): void => {
    const { parent } = node;
    const { phase: own, deadline = [] }: Partial<StateMeta> = node.meta ?? {};
    const phase = own ?? phaseAround;
    if (parent !== undefined) {
      states.push({
        id: idOf(node), name: node.key, parent: parent === root ? null : idOf(parent), kind: kindOf(node),
        initial: parent.type !== 'parallel' && parent.initial?.target[0] === node, phase, deadlines: deadline, entry: words(node.entry), exit: words(node.exit),
      });
    }
    for (const { event, definition: { guard, actions, target: [first, ...beside] = [], reenter } } of transitionsOf(node)) {
      edges.push({
        from: node === root ? null : idOf(node), to: first === undefined ? null : idOf(first), beside: beside.map(idOf), event,
        guard: guard === undefined ? null : wordsOf(guard), actions: words(actions), reenters: reenter, spawns: false,
      });
    }
    for (const child of Object.values(node.states)) visit(child, phase);
  };
  visit(root, null);
  return { name: shown.name, about: shown.about, isCondensed: false, states: states.map((state) => ({ ...state, phase: state.phase ?? phaseWithin(state.id, states) })), edges, remarks: [] };
}

/** The phase of a frame: that of the states in it, where these have one. */
function phaseWithin(id: string, states: readonly ChartState[]): string | null {
  const [phase = null, ...others] = distinct(states.flatMap((state) => (state.id.startsWith(`${id}.`) && state.phase !== null ? [state.phase] : [])));
  return others.length === 0 ? phase : null;
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

/** A state with children, all of which are one thing to the outside, differs from a group by where it begins: at a decision. */
function kindOf(node: StateNode): StateKind {
  if (node.parent?.type === 'parallel') return 'region';
  if (node.type === 'parallel') return node.type;
  if (node.type === 'final' || (node.meta as { readonly ends?: boolean } | undefined)?.ends === true) return 'final';
  if (node.type !== 'atomic') return 'compound';
  return (node.always ?? []).length > 0 && node.transitions.size === 0 ? 'decision' : 'plain';
}

export function distinct<T>(items: readonly T[]): readonly T[] {
  return [...new Set(items)];
}

/** Whether an action only changes the context: what follows from that is seen in the guards. */
export function isBookkeeping(machine: AnyStateMachine, action: string): boolean {
  const implementation: unknown = machine.implementations.actions[action];
  return typeof implementation === 'function' && 'type' in implementation && implementation.type === 'xstate.assign';
}

/** A state with what is inside it, or the frame around the states of a phase: then without a state. */
export interface Box { readonly label: string; readonly state: ChartState | null; readonly inside: readonly Box[] }

/** How a chart is arranged: phases in the order in which they first appear, each final state behind its phase. */
export function boxesOf({ states, isCondensed }: Chart): readonly Box[] {
  const within = (members: readonly ChartState[]): readonly Box[] =>
    members.map((state) => ({ label: state.name, state, inside: within(states.filter(({ parent }) => parent === state.id)) }));
  const all = states.filter(({ parent }) => parent === null);
  if (!isCondensed) return within(all);
  return distinct(all.map(({ phase }) => phase)).flatMap((phase): readonly Box[] => {
    const finals = within(all.filter((state) => state.phase === phase && state.kind === 'final'));
    const others = within(all.filter((state) => state.phase === phase && state.kind !== 'final'));
    return phase === null || others.length === 0 ? [...others, ...finals] : [{ label: phase, state: null, inside: others }, ...finals];
  });
}

export function isFrame({ kind }: ChartState): boolean {
  return kind === 'compound' || kind === 'parallel' || kind === 'region';
}
