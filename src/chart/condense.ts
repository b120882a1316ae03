import { capitalised, counted } from '../words.ts';
import type { ShownMachine } from './machines.ts';
import { isBookkeeping, isFrame, readChart, type Chart, type ChartEdge, type ChartState, type StateKind } from './model.ts';
import { wordsOf } from './words.ts';

/**
 * A chart that fits on a page. Transitions that stay where they are go, and so do actions that only keep books; a state that begins with a decision
 * of its own becomes one state; what a group of states does is said of each of them. A parallel state and its regions stay frames: what one of them
 * does is said of the frame. A machine that is spawned by some transitions has a frame of its own, with its condensed chart.
 */
export function condensedChart(shown: ShownMachine): Chart {
  const whole = readChart(shown, (action) => !isBookkeeping(shown.machine, action));
  const byId = new Map(whole.states.map((state) => [state.id, state]));
  const around = function* (id: string | null): Generator<ChartState> {
    for (let state = byId.get(id ?? ''); state !== undefined; state = byId.get(state.parent ?? '')) yield state;
  };
  const folded = new Set(whole.states.flatMap(({ kind, initial, parent }) =>
    (kind === 'decision' && initial && parent !== null && byId.get(parent)?.kind === 'compound' ? [parent] : [])));
  const isGroup = (state: ChartState): boolean => state.kind === 'compound' && !folded.has(state.id);
  const isKept = ({ kind }: ChartState): boolean => kind === 'parallel' || kind === 'region';

  /** The state that stands for this one in the condensed chart. */
  const standIn = (id: string): string => [...around(id)].find((state) => folded.has(state.id))?.id ?? id;
  /** The frame that a state is in, or null. */
  const frameOf = ({ parent }: ChartState): string | null => [...around(parent)].find(isKept)?.id ?? null;
  /** Where one gets when one goes to this state: a group or a region begins somewhere. */
  const arrival = (id: string): string => {
    const into = standIn(id);
    const state = byId.get(into);
    const first = state !== undefined && (isGroup(state) || state.kind === 'region') ? whole.states.find(({ parent, initial }) => parent === into && initial) : undefined;
    return first === undefined ? into : arrival(first.id);
  };
  const isFirst = (state: ChartState): boolean => {
    const parent = byId.get(state.parent ?? '');
    return state.initial && (parent === undefined || isKept(parent) || isFirst(parent));
  };
  const states = whole.states.filter((state) => standIn(state.id) === state.id && !isGroup(state)).map((state): ChartState => ({
    ...state, parent: frameOf(state), kind: folded.has(state.id) ? 'plain' : state.kind, initial: isFirst(state),
  }));
  const isInside = (id: string, outer: string | null): boolean => outer === null || id.startsWith(`${outer}.`);
  /** What is said of `id` in the condensed chart: the state, the frame, or each state of a group. */
  const members = (id: string | null): readonly string[] => {
    if (id !== null && states.some((state) => state.id === standIn(id))) return [standIn(id)];
    // A machine in a final state is over and takes no event, nor does a decision, which is left at once.
    const takesNone = (kind: StateKind): boolean => kind === 'final' || kind === 'decision';
    const within = states.filter(({ id: own, parent, kind }) => isInside(own, id) && (parent === null || !isInside(parent, id)) && (id !== null || !takesNone(kind)));
    return within.map((state) => state.id);
  };
  /** Where a transition to `to` begins: within a frame it concerns the states of one region. */
  const sourcesOf = (from: string | null, to: string): readonly string[] => members(from).flatMap((member) => {
    const region = isInside(to, member) ? [...around(to)].find(({ kind }) => kind === 'region')?.id : undefined;
    return region === undefined ? [member] : states.filter((state) => isInside(state.id, region) && !isFrame(state)).map((state) => state.id);
  });

  const spawning = spawningEdges(shown, whole);
  const edges = [...whole.edges, ...spawning].flatMap((edge): readonly ChartEdge[] => {
    if (edge.to === null || isLeftOut(shown, edge)) return [];
    const to = arrival(edge.to);
    // What a group says does not hold for a member that says something else of the same event without a condition.
    const sources = sourcesOf(edge.from, to).filter((from) => from === edge.from || !overrules(whole, from, edge));
    return sources.filter((from) => from !== to || (edge.reenters && edge.from === from)).map((from) => ({ ...edge, from, to, beside: edge.beside.map(arrival) }));
  });
  const kept = edges.filter((edge, index) => edges.findIndex((other) => sameEdge(edge, other)) === index);
  const inner = shown.spawns === undefined ? null : framed(condensedChart(shown.spawns.spawned));
  return {
    ...whole, isCondensed: true, states: [...states, ...(inner?.states ?? [])], edges: [...kept, ...(inner?.edges ?? [])],
    remarks: [...remarksOf(shown, whole, spawning), ...(inner?.remarks ?? [])],
  };
}

export function isLeftOut({ leftOut }: ShownMachine, { event, guard }: ChartEdge): boolean {
  return event !== null && (Object.hasOwn(leftOut, event) || (guard !== null && Object.hasOwn(leftOut, `${event} [${guard}]`)));
}

/** Whether a state, or each of the states it is made of, takes the event itself, whatever else is true. */
function overrules(whole: Chart, member: string, edge: ChartEdge): boolean {
  if (edge.event === null || edge.from === member || edge.from?.startsWith(`${member}.`) === true) return false;
  const takes = (id: string): boolean => whole.edges.some((own) => own.from === id && own.event === edge.event && own.guard === null);
  const parts = whole.states.filter((state) => state.parent === member && state.kind !== 'decision');
  return takes(member) || (parts.length > 0 && parts.every(({ id }) => takes(id)));
}

/** What spawns leads to the frame of what it spawns, whether or not the own state is left too. */
function spawningEdges({ spawns }: ShownMachine, whole: Chart): readonly ChartEdge[] {
  if (spawns === undefined) return [];
  const { spawned: { name }, actions } = spawns;
  const opening = new Set(actions.map(wordsOf));
  return whole.edges.filter((edge) => edge.actions.some((action) => opening.has(action)))
    .map((edge) => ({ ...edge, to: name, beside: [], actions: [`spawn ${name}`], reenters: false, spawns: true }));
}

/** A chart as a part of another one, within a frame that has its name. */
function framed({ name, about, states, edges }: Chart): Pick<Chart, 'states' | 'edges' | 'remarks'> {
  const within = (id: string): string => `${name}.${id}`;
  const frame: ChartState = { id: name, name, parent: null, kind: 'compound', initial: false, phase: null, deadlines: [], entry: [], exit: [] };
  return {
    states: [frame, ...states.map((state) => ({ ...state, id: within(state.id), parent: state.parent === null ? name : within(state.parent) }))],
    edges: edges.map((edge) => ({ ...edge, from: edge.from === null ? name : within(edge.from), to: edge.to === null ? null : within(edge.to), beside: edge.beside.map(within) })),
    remarks: [`${capitalised(name)}: ${about}. As many of them as were spawned go on, whatever state this machine is in.`],
  };
}

function sameEdge(one: ChartEdge, other: ChartEdge): boolean {
  return one.from === other.from && one.to === other.to && one.event === other.event && one.guard === other.guard && one.beside.join() === other.beside.join();
}

function remarksOf(shown: ShownMachine, whole: Chart, spawning: readonly ChartEdge[]): readonly string[] {
  const said = new Set(spawning.map(({ event }) => event));
  const staying = new Set(whole.edges.filter(({ to, event }) => to === null && event !== null && !said.has(event)).map(({ event }) => event));
  return [
    ...(staying.size > 0 ? [`Not shown: ${counted(staying.size, 'kind')} of events after which a state stays as it is.`] : []),
    ...Object.entries(shown.leftOut).map(([event, why]) => `Not shown: ${event} (${why}).`),
  ];
}
