/** A walk through every state that can be reached, nearest first, so that the way to a broken one is the shortest. */
export interface Exploration<State, Event> {
  readonly begin: readonly State[];
  /** How the beginning with this index came about. */
  beforeBegin?(index: number): readonly string[];
  events(state: State): readonly Event[];
  step(state: State, event: Event): State;
  /** States with the same key are one. */
  keyOf(state: State): string;
  /** What is wrong with a state or with the way into it; null: nothing. */
  wrong(state: State): string | null;
  /** Of the sentence that tells how a broken state was reached. */
  describe(event: Event): string;
  /** Steps from the beginning; default: until nothing new is found. */
  readonly depth?: number;
  readonly mostStates?: number;
}

export interface Explored<State> {
  readonly states: readonly State[];
  readonly transitions: number;
  /** Steps to the farthest state. */
  readonly depth: number;
  /** Nothing was left out for depth. */
  readonly complete: boolean;
  /** The shortest way to a state. */
  way(index: number): readonly string[];
}

export function explore<State, Event>(exploration: Exploration<State, Event>): Explored<State> {
  const { begin, events, step, keyOf, wrong, describe, depth: deepest = Infinity, mostStates = 2_000_000 } = exploration;
  const states: State[] = [];
  const from: number[] = [];
  const by: (Event | null)[] = [];
  const begun: number[] = [];
  const depths: number[] = [];
  const known = new Set<string>();
  let transitions = 0;
  let complete = true;
  const way = (index: number): readonly string[] => {
    const steps: string[] = [];
    let at = index;
    for (; (from[at] ?? -1) >= 0; at = from[at] ?? -1) steps.unshift(describe(by[at] as Event));
    return [...(exploration.beforeBegin?.(begun[at] ?? 0) ?? []), ...steps];
  };
  const add = (state: State, parent: number, event: Event | null): void => {
    const key = keyOf(state);
    if (known.has(key)) return;
    known.add(key);
    states.push(state);
    from.push(parent);
    by.push(event);
    depths.push(parent < 0 ? 0 : (depths[parent] ?? 0) + 1);
    const problem = wrong(state);
    if (problem !== null) throw new Error(`${problem}\nafter: ${way(states.length - 1).join(', ')}\nin ${key}`);
    if (states.length > mostStates) throw new Error(`more than ${mostStates} states`);
  };
  for (const [index, state] of begin.entries()) {
    begun[states.length] = index;
    add(state, -1, null);
  }
  for (let index = 0; index < states.length; index += 1) {
    const state = states[index] as State;
    if ((depths[index] ?? 0) >= deepest) {
      complete = false;
      continue;
    }
    for (const event of events(state)) {
      transitions += 1;
      add(step(state, event), index, event);
    }
  }
  return { states, transitions, depth: depths.at(-1) ?? 0, complete, way };
}
