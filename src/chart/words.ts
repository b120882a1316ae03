import type { StateValue } from 'xstate';

/** A guard or action as it stands in a chart: a name, or a name with parameters. Functions stand for themselves. */
export type Reference = string | { readonly type: string; readonly params?: unknown } | ((...args: never[]) => unknown);

/** XState's `and`, `or`, `not` and `stateIn`. */
export interface Combination {
  readonly kind: string;
  readonly guards: readonly Reference[];
  /** The path of the state that has to be active too. */
  readonly state: string | null;
}

/** `verdictIs {verdict: 'retry'}` → `verdict is retry`; parameters that are worked out when it happens are left out. */
export function wordsOf(reference: Reference): string {
  if (typeof reference === 'string') return humanise(reference);
  if (typeof reference !== 'function') return [humanise(reference.type), ...plainValues(reference.params).map(String)].join(' ');
  const combination = combinationOf(reference);
  if (combination === null) return humanise(nameOf(reference));
  const { kind, guards, state } = combination;
  if (state !== null) return `in ${state.split('.').at(-1)}`;
  return kind === 'not' ? `not ${guards.map(wordsOf).join(' ')}` : guards.map(wordsOf).join(` ${kind} `);
}

/** The name under which a guard or action is found again in `setup()`. */
export function nameOf(reference: Reference): string {
  if (typeof reference === 'string') return reference;
  return typeof reference === 'function' ? reference.name || 'function' : reference.type;
}

/** Values of the parameters that are written down in the chart, in their order. */
export function plainValues(params: unknown): readonly (string | number | boolean)[] {
  if (typeof params !== 'object' || params === null) return [];
  return Object.values(params).filter((value) => ['string', 'number', 'boolean'].includes(typeof value));
}

/** These are functions that carry their guards, or the state that they ask for. */
export function combinationOf(reference: Reference): Combination | null {
  if (typeof reference !== 'function' || !('check' in reference)) return null;
  if ('stateValue' in reference) return { kind: reference.name, guards: [], state: activeIn(reference.stateValue as StateValue).join(' and ').replace('#', '') };
  return 'guards' in reference && Array.isArray(reference.guards) ? { kind: reference.name, guards: reference.guards, state: null } : null;
}

/** `{ending: {process: 'stopping', afterwards: 'rest'}}` → `ending.process.stopping`, `ending.afterwards.rest`. */
export function activeIn(value: StateValue): readonly string[] {
  if (typeof value === 'string') return [value];
  return Object.entries(value).flatMap(([name, inner = {}]) => (Object.keys(inner).length === 0 ? [name] : activeIn(inner).map((path) => `${name}.${path}`)));
}

function humanise(name: string): string {
  return name.replaceAll(/[._-]+/g, ' ').replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2').toLowerCase();
}
