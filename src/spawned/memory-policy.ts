/** What the children of one service use together, at one moment. */
export interface ChildrenUse {
  readonly at: number;
  readonly limitBytes: number;
  readonly children: readonly {
    readonly child: string;
    readonly bytes: number;
    /** `ending`: it was ordered to end; `killed`: SIGKILL was sent. */
    readonly state: 'living' | 'ending' | 'killed';
  }[];
}

/** Since when the children that were not ordered to end are above the quota, and since when none is left to be ordered. */
export interface MemoryState {
  readonly aboveSince: number | null;
  readonly helplessSince: number | null;
}

export type MemoryVerdict =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'end-child'; readonly child: string; readonly childBytes: number; readonly usedBytes: number }
  | { readonly kind: 'exceeded'; readonly usedBytes: number };

export const CALM: MemoryState = { aboveSince: null, helplessSince: null };

/** A peak shorter than this is forgiven. */
const ABOVE_MS = 3000;
/** How long children may survive SIGKILL before their service is ended for them. */
const HELPLESS_MS = 10_000;

/** Ends the child that uses most when all together stay above the quota; their service, when what was killed does not go away. */
export function judgeMemory(state: MemoryState, { at, limitBytes, children }: ChildrenUse): { readonly state: MemoryState; readonly verdict: MemoryVerdict } {
  const usedBytes = sum(children);
  const living = children.filter((child) => child.state === 'living');
  if (usedBytes <= limitBytes) return { state: CALM, verdict: { kind: 'nothing' } };
  if (sum(living) > limitBytes) {
    const aboveSince = state.aboveSince ?? at;
    const [largest] = living.toSorted((one, other) => other.bytes - one.bytes);
    if (at - aboveSince < ABOVE_MS || largest === undefined) return { state: { aboveSince, helplessSince: null }, verdict: { kind: 'nothing' } };
    return { state: { aboveSince: at, helplessSince: null }, verdict: { kind: 'end-child', child: largest.child, childBytes: largest.bytes, usedBytes } };
  }
  // What was ordered to end will free enough, when it goes.
  if (children.some((child) => child.state === 'ending')) return { state: CALM, verdict: { kind: 'nothing' } };
  const helplessSince = state.helplessSince ?? at;
  if (at - helplessSince < HELPLESS_MS) return { state: { aboveSince: null, helplessSince }, verdict: { kind: 'nothing' } };
  return { state: CALM, verdict: { kind: 'exceeded', usedBytes } };
}

function sum(children: ChildrenUse['children']): number {
  return children.reduce((total, { bytes }) => total + bytes, 0);
}
