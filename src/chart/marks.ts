import type { StateValue } from 'xstate';
import { isFrame, type Chart, type ChartEdge, type ChartState } from './model.ts';
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

/** A record of the journal, as far as it matters here. */
export interface JournalStep {
  readonly at: string;
  readonly event: string;
  readonly from?: string;
  readonly to?: string;
}

export function countSteps(steps: readonly JournalStep[]): readonly Taken[] {
  const counted = new Map<string, Taken>();
  for (const { at, event, from, to } of steps) {
    if (from === undefined || to === undefined || from === to) continue;
    const key = `${from}\n${to}\n${event}`;
    counted.set(key, { from, to, event, count: (counted.get(key)?.count ?? 0) + 1, lastAt: at });
  }
  return [...counted.values()];
}

/** Whether the unit is in this state now. */
export function isPresent(state: ChartState, marks: UnitMarks | null): boolean {
  if (marks === null) return false;
  if (marks.state === null) return !isFrame(state) && (state.phase ?? state.name) === marks.phase;
  // A state that stands for those within it is where they are.
  return activeIn(marks.state).some((path) => path === state.id || path === state.name || (!isFrame(state) && path.startsWith(`${state.id}.`)));
}

/** One arrow between two states, with all that leads along it. */
export interface Arrow {
  readonly from: string | null;
  readonly to: string | null;
  readonly lines: readonly string[];
  /** How often and when last, or null when it is not known to have been taken. */
  readonly taken: { readonly count: number; readonly lastAt: string } | null;
}

/** The edges of a chart joined by where they begin and end; in a whole chart with what is done on the way. */
export function arrowsOf(chart: Chart, marks: UnitMarks | null): readonly Arrow[] {
  const joined = new Map<string, { readonly from: string | null; readonly to: string | null; readonly edges: ChartEdge[] }>();
  for (const edge of chart.edges) {
    const { from, to } = edge;
    const key = `${from ?? ''}\n${to ?? ''}`;
    const arrow = joined.get(key);
    if (arrow === undefined) joined.set(key, { from, to, edges: [edge] });
    else arrow.edges.push(edge);
  }
  return [...joined.values()].map(({ from, to, edges }) => ({ from, to, lines: linesOf(edges, !chart.isCondensed), taken: takenAlong(chart, from, to, marks) }));
}

/** `stop, restart [process changes] + again / want down`, with the states of other regions after a plus; events that are alike but for their names share a line. */
function linesOf(edges: readonly ChartEdge[], detailed: boolean): readonly string[] {
  const byRest = new Map<string, string[]>();
  for (const { event, guard, actions, beside } of edges) {
    const along = beside.map((id) => ` + ${id.split('.').at(-1)}`).join('');
    const rest = `${guard === null ? '' : ` [${guard}]`}${along}${detailed && actions.length > 0 ? ` / ${actions.join(', ')}` : ''}`;
    const events = byRest.get(rest) ?? [];
    if (!events.includes(event ?? '')) byRest.set(rest, [...events, event ?? '']);
  }
  return [...byRest].flatMap(([rest, events]) => {
    const named = events.filter((event) => event !== '');
    const whole = `${named.join(', ')}${rest}`.trim();
    return whole === '' ? [] : [whole];
  });
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

/** The arrows that a step went along: one, or two with a decision between; from the state or from a frame around it. */
function wayOf({ states, edges }: Chart, step: Taken): readonly { readonly from: string; readonly to: string }[] {
  const [from, to] = [step.from, step.to].map((name) => states.find((state) => state.name === name && state.kind !== 'compound')?.id);
  if (from === undefined || to === undefined) return [];
  const leg = (one: string, other: string): { readonly from: string; readonly to: string } | undefined =>
    edges.flatMap((edge) => (edge.from !== null && edge.to === other && `${one}.`.startsWith(`${edge.from}.`) ? [{ from: edge.from, to: other }] : []))[0];
  const direct = leg(from, to);
  if (direct !== undefined) return [direct];
  for (const { id } of states.filter(({ kind }) => kind === 'decision')) {
    const [first, second] = [leg(from, id), leg(id, to)];
    if (first !== undefined && second !== undefined) return [first, second];
  }
  return [];
}

/** `×3, last 2026-03-08 14:02:11`, in UTC as the journal has it. */
export function takenWords(taken: NonNullable<Arrow['taken']>): string {
  return `×${taken.count}, last ${taken.lastAt.slice(0, 10)} ${taken.lastAt.slice(11, 19)}`;
}
