import type { StateValue } from 'xstate';
import type { JournalRecord } from '../wire/payloads.ts';
import { isFrame, type Chart, type ChartEdge } from './model.ts';
import { activeIn } from './words.ts';

/** What is known of one unit, to be drawn into its chart. */
export interface UnitMarks {
  readonly unit: string;
  readonly phase: string;
  /** Its state by name, as the journal has it, or the value of its snapshot; null: all states of the phase are meant. */
  readonly state: StateValue | null;
  /** How often each transition was taken, as far as the journal goes back. */
  readonly taken: readonly Taken[];
}

export interface Taken {
  /** Names of leaf states. */
  readonly from: string;
  readonly to: string;
  readonly event: string;
  readonly count: number;
  /** RFC 3339, of the last time. */
  readonly lastAt: string;
}

export function countSteps(steps: readonly Pick<JournalRecord, 'at' | 'event' | 'from' | 'to'>[]): readonly Taken[] {
  const counted = new Map<string, Taken>();
  for (const { at, event, from, to } of steps) {
    if (from === undefined || to === undefined || from === to) continue;
    const key = `${from}\n${to}\n${event}`;
    counted.set(key, { from, to, event, count: (counted.get(key)?.count ?? 0) + 1, lastAt: at });
  }
  return [...counted.values()];
}

/** The ids of the states that the unit is in now. */
export function presentIn(chart: Chart, marks: UnitMarks | null): ReadonlySet<string> {
  if (marks === null) return new Set();
  const { phase, state: value } = marks;
  if (value === null) return new Set(chart.states.filter((state) => !isFrame(state) && (state.phase ?? state.name) === phase).map(({ id }) => id));
  if (typeof value === 'string') return new Set([named(chart, value)].filter((id) => id !== null));
  // A state that stands for those within it is where they are.
  const paths = activeIn(value);
  return new Set(chart.states.filter((state) => paths.some((path) => path === state.id || (!isFrame(state) && path.startsWith(`${state.id}.`)))).map(({ id }) => id));
}

/** The state that has this name to the outside; what is within a state may be called the same. */
function named({ states }: Chart, name: string): string | null {
  const depth = (id: string): number => id.split('.').length;
  const [first] = states.filter((state) => state.name === name).toSorted((one, other) => depth(one.id) - depth(other.id));
  return first?.id ?? null;
}

/** One arrow between two states, with all that leads along it. */
export interface Arrow {
  readonly from: string | null;
  readonly to: string | null;
  readonly lines: readonly string[];
  /** To the chart of another machine, of which one is spawned. */
  readonly spawns: boolean;
  /** How often and when last, or null when it is not known to have been taken. */
  readonly taken: { readonly count: number; readonly lastAt: string } | null;
}

/** The edges of a chart joined by where they begin and end; in a whole chart with what is done on the way, in a condensed one with what is spawned, or done where nothing else changes. */
export function arrowsOf(chart: Chart, marks: UnitMarks | null): readonly Arrow[] {
  const joined = new Map<string, { readonly from: string | null; readonly to: string | null; readonly edges: ChartEdge[] }>();
  for (const edge of chart.edges) {
    const { from, to } = edge;
    const key = `${from ?? ''}\n${to ?? ''}`;
    const arrow = joined.get(key);
    if (arrow === undefined) joined.set(key, { from, to, edges: [edge] });
    else arrow.edges.push(edge);
  }
  const decisions = new Set(chart.states.filter(({ kind }) => kind === 'decision').map(({ id }) => id));
  return [...joined.values()].map(({ from, to, edges }) => ({
    from, to, spawns: edges.some(({ spawns }) => spawns), lines: linesOf(edges, !chart.isCondensed, decisions.has(from ?? '') ? 'otherwise' : 'at once'), taken: takenAlong(chart, from, to, marks),
  }));
}

/**
 * `stop, restart [process changes] + again / want down`, with the states of other regions after a plus; events that are alike but for their names share a line.
 * `unlabelled`: the word for a transition without event and condition beside others. Empty: there is such a transition alone.
 */
function linesOf(edges: readonly ChartEdge[], detailed: boolean, unlabelled: string): readonly string[] {
  const byRest = new Map<string, string[]>();
  for (const { from, to, event, guard, actions, beside, spawns } of edges) {
    const along = beside.map((id) => ` + ${id.split('.').at(-1)}`).join('');
    const rest = `${guard === null ? '' : ` [${guard}]`}${along}${(detailed || spawns || from === to) && actions.length > 0 ? ` / ${actions.join(', ')}` : ''}`;
    const events = byRest.get(rest) ?? [];
    if (!events.includes(event ?? '')) byRest.set(rest, [...events, event ?? '']);
  }
  const lines = [...byRest].flatMap(([rest, events]) => {
    const named = events.filter((event) => event !== '');
    return [...(named.length > 0 ? [`${named.join(', ')}${rest}`] : []), ...(events.includes('') ? [rest.trim()] : [])];
  });
  return lines.length === 1 && lines[0] === '' ? [] : lines.map((line) => (line === '' ? unlabelled : line));
}

/** The journal has no record of a decision: what led through one is counted on both of its sides. */
function takenAlong(chart: Chart, from: string | null, to: string | null, marks: UnitMarks | null): Arrow['taken'] {
  if (marks === null || from === null || to === null) return null;
  const steps = marks.taken.filter((step) => wayOf(chart, step).some((leg) => leg.from === from && leg.to === to));
  if (steps.length === 0) return null;
  return {
    count: steps.reduce((sum, { count }) => sum + count, 0),
    lastAt: steps.reduce((latest, { lastAt }) => (lastAt > latest ? lastAt : latest), ''),
  };
}

/**
 * The arrows that a step went along: one, or some with decisions between, and with states that a unit only passes through and that have no record. They
 * begin at the state, at a frame around it or, where the state is in a region, in another region of the same frame.
 */
export function wayOf(chart: Chart, step: Leg): readonly Leg[] {
  const [from, to] = [named(chart, step.from), named(chart, step.to)];
  if (from === null || to === null) return [];
  const parallel = chart.states.filter(({ kind }) => kind === 'parallel').map(({ id }) => `${id}.`);
  const leads = (one: string, source: string): boolean => `${one}.`.startsWith(`${source}.`) || parallel.some((frame) => one.startsWith(frame) && source.startsWith(frame));
  const leg = (one: string, other: string): Leg | undefined => {
    const found = chart.edges.find((edge) => edge.from !== null && edge.to === other && leads(one, edge.from));
    return found === undefined ? undefined : { from: found.from ?? one, to: other };
  };
  // Of two ways a decision is the likelier one: what waits would mostly have a record.
  const between = [...chart.states.filter(({ kind }) => kind === 'decision'), ...chart.states.filter(({ kind, name }) => kind !== 'decision' && PASSED.has(name))].map(({ id }) => id);
  let ways: readonly { readonly at: string; readonly legs: readonly Leg[] }[] = [{ at: from, legs: [] }];
  for (let length = 1; length <= MOST_LEGS; length += 1) {
    for (const { at, legs } of ways) {
      const last = leg(at, to);
      if (last !== undefined) return [...legs, last];
    }
    ways = ways.flatMap(({ at, legs }) => between.flatMap((id) => {
      const next = legs.some((one) => one.to === id) ? undefined : leg(at, id);
      return next === undefined ? [] : [{ at: id, legs: [...legs, next] }];
    }));
  }
  return [];
}

type Leg = Pick<Taken, 'from' | 'to'>;

const PASSED: ReadonlySet<string> = new Set(['waiting', 'preparing']);
const MOST_LEGS = 3;

/** `×3, last 2026-03-08 14:02:11`, in UTC as the journal has it. */
export function takenWords(taken: NonNullable<Arrow['taken']>): string {
  return `×${taken.count}, last ${taken.lastAt.slice(0, 10)} ${taken.lastAt.slice(11, 19)}`;
}
