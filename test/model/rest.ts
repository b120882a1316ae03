/** Whither a state leads by itself, once faults cease and commands end. */
export interface Course<State> {
  keyOf(state: State): string;
  /** What happens next by itself; null: nothing, it rests. */
  next(state: State): State | null;
  /** What is wrong with resting there; null: nothing. */
  unrest(state: State): string | null;
  /** It has to rest before that many steps. */
  readonly steps: number;
}

/** Tells what is wrong with the rest that a state comes to; null: nothing. Each state on the way is looked at once. */
export function makeRestFinderOf<State>({ keyOf, next, unrest, steps }: Course<State>): (from: State) => string | null {
  const known = new Map<string, string | null>();
  const find = (from: State, passed: string[]): string | null => {
    let state = from;
    for (let step = 0; step < steps; step += 1) {
      const key = keyOf(state);
      const before = known.get(key);
      if (before !== undefined) return before;
      passed.push(key);
      const after = next(state);
      if (after === null) return unrest(state);
      state = after;
    }
    return 'does not come to rest';
  };
  return (from) => {
    const passed: string[] = [];
    const problem = find(from, passed);
    for (const key of passed) known.set(key, problem);
    return problem;
  };
}
