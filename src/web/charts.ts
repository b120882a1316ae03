import { condensedChart } from '../chart/condense.ts';
import { arrowTitle, chartDot } from '../chart/dot.ts';
import { graphDot, needsOf } from '../chart/graph.ts';
import { shownMachines } from '../chart/machines.ts';
import { arrowsOf, presentIn, wayOf } from '../chart/marks.ts';
import type { Chart } from '../chart/model.ts';
import { overviewChart } from '../chart/overview.ts';
import type { ServiceSpec } from '../../machines/types.ts';
import type { JournalRecord } from '../wire/payloads.ts';

/** A machine as it is drawn, once for all units: what is present and what was taken is marked by the page. */
export interface DrawnMachine {
  readonly svg: string;
  readonly chart: Chart;
  /** What was found of the way from one state to another. */
  readonly ways: Map<string, readonly string[]>;
  /** For each arrow the title that its line has in the picture, and what leads along it. */
  readonly arrows: readonly { readonly from: string | null; readonly to: string | null; readonly title: string; readonly lines: readonly string[] }[];
}

const drawn = new Map<string, Promise<DrawnMachine>>();

/** Null: there is no such machine. */
export function drawMachine(name: string): Promise<DrawnMachine> | null {
  const shown = shownMachines.find((machine) => machine.name === name);
  if (shown === undefined) return null;
  const known = drawn.get(name) ?? draw(overviewChart(condensedChart(shown)));
  drawn.set(name, known);
  return known;
}

async function draw(chart: Chart): Promise<DrawnMachine> {
  const arrows = arrowsOf(chart, null).map(({ from, to, lines }) => ({ from, to, lines, title: arrowTitle(chart, { from, to }) }));
  return { svg: await picture(chartDot(chart, null, { brief: true })), chart, arrows, ways: new Map() };
}

/** The state that a machine is in, by name, or all states of a phase where only that is known. */
export function presentStates({ chart }: DrawnMachine, unit: string, at: { readonly phase: string; readonly state: string | null }): readonly string[] {
  return [...presentIn(chart, { unit, ...at, taken: [] })];
}

/** The steps that the records of a unit have in a machine: its own states, those of a cron unit around its runs, or those of its replacements. */
export function stepsAlong(drawn: DrawnMachine, machine: string, isCron: boolean, records: readonly JournalRecord[]): readonly ChartStep[] {
  let step: string | undefined;
  return records.flatMap((record) => {
    if (machine !== 'rollout') return record.to === undefined ? [] : stepOf(drawn, record.seq, machine === 'job' ? aroundRun(record) : isCron && isBetweenRuns(record) ? {} : record);
    if (record.event !== 'rollout') return [];
    const from = step ?? 'starting';
    const next = record.detail?.['step'];
    step = typeof next === 'string' && next !== 'done' ? next : undefined;
    return stepOf(drawn, record.seq, { from, ...(typeof next === 'string' && { to: next }) });
  });
}

export interface ChartStep { readonly seq: number; readonly arrows: readonly string[] }

/** How often each arrow was taken. */
export function countArrows(steps: readonly ChartStep[]): readonly { readonly title: string; readonly count: number }[] {
  const counts = new Map<string, number>();
  for (const title of steps.flatMap(({ arrows }) => arrows)) counts.set(title, (counts.get(title) ?? 0) + 1);
  return [...counts].map(([title, count]) => ({ title, count }));
}

function stepOf(drawn: DrawnMachine, seq: number, way: Pick<JournalRecord, 'from' | 'to'>): readonly ChartStep[] {
  const arrows = titlesOf(drawn, way);
  return arrows.length === 0 ? [] : [{ seq, arrows }];
}

function isBetweenRuns({ from, to }: JournalRecord): boolean {
  return from === 'waiting' || to === 'waiting';
}

/** To the machine of a cron unit a run is one state. */
export function aroundRun({ from, to }: JournalRecord): Pick<JournalRecord, 'from' | 'to'> {
  const word = (state = ''): string => (['waiting', 'stopped', 'failed', 'backoff'].includes(state) ? 'waiting' : 'running');
  return { from: word(from), to: word(to) };
}

/** The titles of the arrows along which a record led, in their order. */
function titlesOf({ chart, arrows, ways }: DrawnMachine, { from, to }: Pick<JournalRecord, 'from' | 'to'>): readonly string[] {
  if (from === undefined || to === undefined || from === to) return [];
  const key = `${from}\n${to}`;
  const known = ways.get(key)
    ?? wayOf(chart, { from, to }).flatMap((leg) => arrows.find((arrow) => arrow.from === leg.from && arrow.to === leg.to)?.title ?? []);
  ways.set(key, known);
  return known;
}

let lastGraph: { readonly dot: string; readonly svg: Promise<string> } | null = null;

/** The units that need another one or are needed, joined; those on their own would push them out of sight. */
export function drawGraph(specs: readonly ServiceSpec[]): Promise<string> {
  const known = new Set(specs.map(({ name }) => name));
  const joined = new Set(specs.flatMap(({ name, dependsOn }) => dependsOn.filter(({ service }) => known.has(service)).flatMap(({ service }) => [name, service])));
  const dot = graphDot(specs.filter(({ name }) => joined.has(name)).map((spec) => ({
    name: spec.name, isCron: spec.cron !== null, phase: null, state: null, needs: needsOf(spec),
  })));
  if (lastGraph?.dot !== dot) lastGraph = { dot, svg: picture(dot) };
  return lastGraph.svg;
}

async function picture(dot: string): Promise<string> {
  const { drawDot } = await import('../chart/svg.ts');
  // The page has its own size for it.
  return (await drawDot(dot)).replace(/^[\s\S]*?(?=<svg)/, '');
}
