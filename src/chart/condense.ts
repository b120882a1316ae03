import type { ShownMachine } from './machines.ts';
import { readChart, type Chart, type ChartEdge, type ChartState } from './model.ts';

/**
 * A chart that fits on a page. Transitions that stay where they are go; a state that begins with a decision of its own
 * becomes one state; what a group of states does is said of each of them; what concerns only the bookkeeping goes.
 */
export function condensedChart(shown: ShownMachine): Chart {
  const { plumbing } = shown;
  const whole = readChart(shown, (kind, name) => !(kind === 'guard' ? plumbing.guards : plumbing.actions).includes(name));
  const byId = new Map(whole.states.map((state) => [state.id, state]));
  const folded = whole.states.filter((state) => whole.states.some((child) => child.parent === state.id && child.initial && child.kind === 'decision'));
  const groups = whole.states.filter((state) => state.kind === 'compound' && !folded.includes(state));

  /** The state that stands for this one in the condensed chart. */
  const standIn = (id: string): string => {
    for (let state = byId.get(id); state !== undefined; state = state.parent === null ? undefined : byId.get(state.parent)) {
      if (folded.includes(state)) return state.id;
    }
    return id;
  };
  /** Where one gets when one goes to this state: a group begins somewhere. */
  const arrival = (id: string): string => {
    const into = standIn(id);
    const first = groups.some((group) => group.id === into) ? whole.states.find((state) => state.parent === into && state.initial) : undefined;
    return first === undefined ? into : arrival(first.id);
  };
  const states = whole.states
    .filter((state) => standIn(state.id) === state.id && !groups.includes(state))
    .map((state): ChartState => ({
      ...state, parent: null, kind: folded.includes(state) ? 'plain' : state.kind, initial: state.initial && isFirst(state, byId),
    }));
  const members = (id: string | null): readonly string[] => {
    if (id !== null && states.some((state) => state.id === standIn(id))) return [standIn(id)];
    return states.filter((state) => id === null || state.id.startsWith(`${id}.`)).map((state) => state.id);
  };

  const edges: ChartEdge[] = [];
  for (const edge of whole.edges) {
    if (edge.to === null || isLeftOut(shown, edge)) continue;
    const to = arrival(edge.to);
    // What a group says does not hold for a member that says something else of the same event without a condition.
    const sources = members(edge.from).filter((from) => from === edge.from || !overrules(whole, from, edge));
    for (const from of sources) if (from !== to || edge.reenters) edges.push({ ...edge, from, to });
  }
  const kept = edges.filter((edge, index) => edges.findIndex((other) => sameEdge(edge, other)) === index);
  return { ...whole, states, edges: kept, remarks: remarksOf(shown, whole) };
}

function isLeftOut({ leftOut }: ShownMachine, { event, guard }: ChartEdge): boolean {
  return event !== null && (Object.hasOwn(leftOut, event) || (guard !== null && Object.hasOwn(leftOut, `${event} [${guard}]`)));
}

function isFirst(state: ChartState, byId: ReadonlyMap<string, ChartState>): boolean {
  return state.parent === null || byId.get(state.parent)?.initial === true;
}

/** Whether a state, or each of the states it is made of, takes the event itself, whatever else is true. */
function overrules(whole: Chart, member: string, edge: ChartEdge): boolean {
  if (edge.event === null || edge.from === member || edge.from?.startsWith(`${member}.`) === true) return false;
  const takes = (id: string): boolean => whole.edges.some((own) => own.from === id && own.event === edge.event && own.guard === null);
  const parts = whole.states.filter((state) => state.parent === member && state.kind !== 'decision');
  return takes(member) || (parts.length > 0 && parts.every(({ id }) => takes(id)));
}

function sameEdge(one: ChartEdge, other: ChartEdge): boolean {
  return one.from === other.from && one.to === other.to && one.event === other.event && one.guard === other.guard;
}

function remarksOf(shown: ShownMachine, whole: Chart): readonly string[] {
  const staying = new Set(whole.edges.filter((edge) => edge.to === null && edge.event !== null).map((edge) => edge.event));
  return [
    ...(staying.size > 0 ? [`Not shown: ${staying.size} kinds of events that some states take without leaving.`] : []),
    ...Object.entries(shown.leftOut).map(([event, why]) => `Not shown: ${event} (${why}).`),
  ];
}
