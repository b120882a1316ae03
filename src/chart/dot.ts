import { arrowsOf, presentIn, takenWords, type Arrow, type UnitMarks } from './marks.ts';
import { boxesOf, distinct, isFrame, type Box, type Chart, type ChartState } from './model.ts';

/** Colours of a phase: the ground, a line around it, and words on it. Calm ones: the present state is what stands out. */
export const PHASE_COLOURS: Readonly<Record<string, readonly [ground: string, line: string, words: string]>> = {
  stopped: ['#f3f4f6', '#9ca3af', '#6b7280'], starting: ['#eff6ff', '#93c5fd', '#2563eb'], running: ['#ecfdf5', '#6ee7b7', '#047857'],
  stopping: ['#fffbeb', '#fcd34d', '#b45309'], backoff: ['#fff7ed', '#fdba74', '#c2410c'], failed: ['#fef2f2', '#fca5a5', '#b91c1c'],
  waiting: ['#f5f3ff', '#c4b5fd', '#6d28d9'],
  // The words of `status` for units at rest and for checks that fail.
  completed: ['#ecfdf5', '#6ee7b7', '#047857'], skipped: ['#f3f4f6', '#9ca3af', '#6b7280'], suspended: ['#f3f4f6', '#9ca3af', '#6b7280'],
  unready: ['#fffbeb', '#fcd34d', '#b45309'],
};
const PRESENT = '#047857';
const FONT = 'Helvetica,Arial,sans-serif';

/** The chart for Graphviz, `dot` layout. `brief`: names of states alone, for a picture that is small and says the rest when it is asked. */
export function chartDot(chart: Chart, marks: UnitMarks | null, { brief = false }: { readonly brief?: boolean } = {}): string {
  const present = presentIn(chart, marks);
  const first = chart.states.find(({ parent, initial }) => parent === null && initial);
  return `${[
    `digraph ${quoted(chart.name)} {`,
    `  graph [rankdir=TB, compound=true, newrank=true, nodesep=${brief ? 0.25 : 0.35}, ranksep=${brief ? 0.4 : 0.55}, pad=${brief ? 0.1 : 0.25}, bgcolor="#ffffff", fontname="${FONT}", fontsize=12, fontcolor="#6b7280"]`,
    `  node [shape=box, style="rounded,filled", fillcolor="#ffffff", color="#4b5563", fontname="${FONT}", fontsize=12, margin="0.14,0.07"]`,
    `  edge [color="#6b7280", fontcolor="#374151", fontname="${FONT}", fontsize=9, arrowsize=0.7]`,
    '  "(begin)" [shape=circle, label="", width=0.14, height=0.14, fixedsize=true, fillcolor="#111827", color="#111827"]',
    ...boxesOf(chart).flatMap((box) => boxLines(box, '  ', { present, brief })),
    ...(first === undefined ? [] : [`  "(begin)" -> ${quoted(leafOf(chart, first.id))} [arrowsize=0.6]`]),
    ...(chart.edges.some(({ from }) => from === null) ? ['  "(any state)" [style="rounded,dashed", fontcolor="#6b7280", color="#9ca3af"]'] : []),
    ...arrowsOf(chart, marks).map((arrow) => `  ${arrowLine(chart, arrow, brief)}`),
    // What is entered together stands side by side.
    ...distinct(chart.edges.flatMap(({ from, beside }) => (from === null ? [] : beside.map((id) => `  ${quoted(leafOf(chart, from))} -> ${quoted(leafOf(chart, id))} [style=invis]`)))),
    '}',
  ].join('\n')}\n`;
}

function boxLines({ label, state, inside }: Box, indent: string, how: { readonly present: ReadonlySet<string>; readonly brief: boolean }): readonly string[] {
  const { present, brief } = how;
  if (state !== null && !isFrame(state)) return [`${indent}${stateLine(state, present.has(state.id), brief)}`];
  const [ground, line] = state === null ? (PHASE_COLOURS[label] ?? ['#f9fafb', '#d1d5db']) : [indent.length % 4 === 2 ? '#f9fafb' : '#ffffff', '#d1d5db'];
  const style = state?.kind === 'region' ? 'rounded,filled,dashed' : 'rounded,filled';
  const border = state !== null && present.has(state.id) ? `color="${PRESENT}", penwidth=3` : `color="${line}"`;
  return [
    `${indent}subgraph ${quoted(`cluster_${state?.id ?? label}`)} {`,
    `${indent}  graph [label=${quoted(label)}, labeljust=l, style="${style}", ${border}, fillcolor="${ground}", margin=12]`,
    ...inside.flatMap((box) => boxLines(box, `${indent}  `, how)), `${indent}}`,
  ];
}

function stateLine(state: ChartState, isMarked: boolean, brief: boolean): string {
  const paint = isMarked ? `, color="${PRESENT}", penwidth=3, fillcolor="#d1fae5", fontcolor="${PRESENT}"` : '';
  if (state.kind === 'decision') return `${quoted(state.id)} [shape=diamond, style=filled, margin="0.02,0.02", fontsize=10, label=${quoted(state.name)}${paint}]`;
  const border = state.kind === 'final' ? ', peripheries=2' : '';
  if (brief) return `${quoted(state.id)} [label=${quoted(state.name)}${border}${paint}]`;
  const notes = [...(state.deadlines.length > 0 ? [`deadline ${state.deadlines.join(' or ')}`] : []), ...state.entry].join(', ');
  const under = notes === '' ? '' : `<br/><font point-size="8" color="#6b7280">${wrapped(notes, 34).map(escaped).join('<br/>')}</font>`;
  return `${quoted(state.id)} [label=<<b>${escaped(state.name)}</b>${under}>${border}${paint}]`;
}

/** An arrow to or from a group ends at its border. */
function arrowLine(chart: Chart, arrow: Arrow, brief: boolean): string {
  const from = arrow.from ?? '(any state)';
  const to = arrow.to ?? from;
  const isAround = (id: string): boolean => from !== to && chart.states.some((state) => state.id === id && isFrame(state));
  const lines = brief ? [] : [...arrow.lines.flatMap((line) => wrapped(line, 40)), ...(arrow.taken === null ? [] : [takenWords(arrow.taken)])];
  const traits = [
    ...(lines.length > 0 ? [`label="${lines.map((line) => `${line.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}\\l`).join('')}"`] : []),
    ...(isAround(from) ? [`ltail=${quoted(`cluster_${from}`)}`] : []), ...(isAround(to) ? [`lhead=${quoted(`cluster_${to}`)}`] : []),
    ...(arrow.taken === null ? [] : [`color="${PRESENT}"`, 'penwidth=1.8']),
    ...(isLeaving(chart, from, to) ? ['constraint=false'] : []),
  ];
  return `${quoted(leafOf(chart, from))} -> ${quoted(leafOf(chart, to))}${traits.length > 0 ? ` [${traits.join(', ')}]` : ''}`;
}

/** An arrow out of a region does not decide where the region stands. */
function isLeaving(chart: Chart, from: string, to: string): boolean {
  return chart.states.some(({ id, kind }) => kind === 'parallel' && from.startsWith(`${id}.`) && !to.startsWith(`${id}.`));
}

/** The title that Graphviz gives the line of an arrow. */
export function arrowTitle(chart: Chart, { from, to }: Pick<Arrow, 'from' | 'to'>): string {
  const begin = from ?? '(any state)';
  return `${leafOf(chart, begin)}->${leafOf(chart, to ?? begin)}`;
}

/** Graphviz draws between nodes: a group is meant by the state it begins with. */
function leafOf(chart: Chart, id: string): string {
  const first = chart.states.find((state) => state.parent === id && state.initial) ?? chart.states.find((state) => state.parent === id);
  return first === undefined ? id : leafOf(chart, first.id);
}

/** Lines of about that many characters, broken at spaces. */
function wrapped(text: string, columns: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= columns) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

export function quoted(text: string): string {
  return `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
}

export function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
