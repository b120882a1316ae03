import { arrowsOf, isPresent, takenWords, type Arrow, type UnitMarks } from './marks.ts';
import type { Chart, ChartState } from './model.ts';

/** Colours of a phase: ground, line. Calm ones: the present state is what stands out. */
const PHASE_COLOURS: Readonly<Record<string, readonly [ground: string, line: string]>> = {
  stopped: ['#f3f4f6', '#9ca3af'], starting: ['#eff6ff', '#93c5fd'], running: ['#ecfdf5', '#6ee7b7'], stopping: ['#fffbeb', '#fcd34d'],
  backoff: ['#fff7ed', '#fdba74'], failed: ['#fef2f2', '#fca5a5'], waiting: ['#f5f3ff', '#c4b5fd'],
};
const PRESENT = '#047857';
const FONT = 'Helvetica,Arial,sans-serif';

/** The chart for Graphviz, `dot` layout. */
export function chartDot(chart: Chart, options: { readonly marks: UnitMarks | null; readonly detailed: boolean }): string {
  const lines = [
    `digraph ${quoted(chart.name)} {`,
    `  graph [rankdir=TB, compound=true, newrank=true, nodesep=0.35, ranksep=0.55, pad=0.25, bgcolor="#ffffff", fontname="${FONT}", fontsize=12, fontcolor="#6b7280"]`,
    `  node [shape=box, style="rounded,filled", fillcolor="#ffffff", color="#4b5563", fontname="${FONT}", fontsize=12, margin="0.14,0.07"]`,
    `  edge [color="#6b7280", fontcolor="#374151", fontname="${FONT}", fontsize=9, arrowsize=0.7]`,
    '  "(begin)" [shape=circle, label="", width=0.14, height=0.14, fixedsize=true, fillcolor="#111827", color="#111827"]',
    ...(chart.states.some(({ parent }) => parent !== null) ? nested(chart, null, options) : phased(chart, options)),
    ...firstOf(chart).map((state) => `  "(begin)" -> ${quoted(state.id)} [arrowsize=0.6]`),
    ...anywhereNode(chart),
    ...arrowsOf(chart, options).map((arrow) => `  ${arrowLine(chart, arrow)}`),
    '}',
  ];
  return `${lines.join('\n')}\n`;
}

function phased(chart: Chart, options: { readonly marks: UnitMarks | null }): readonly string[] {
  const phases = [...new Set(chart.states.map(({ phase }) => phase))];
  return phases.flatMap((phase) => {
    const nodes = chart.states.filter((state) => state.phase === phase && state.kind !== 'final').map((state) => stateLine(state, options.marks));
    const finals = chart.states.filter((state) => state.phase === phase && state.kind === 'final').map((state) => `  ${stateLine(state, options.marks)}`);
    if (phase === null) return [...nodes.map((line) => `  ${line}`), ...finals];
    const [ground, line] = PHASE_COLOURS[phase] ?? ['#f9fafb', '#d1d5db'];
    return [
      `  subgraph ${quoted(`cluster_${phase}`)} {`,
      `    graph [label=${quoted(phase)}, labeljust=l, style="rounded,filled", color="${line}", fillcolor="${ground}", margin=12]`,
      ...nodes.map((node) => `    ${node}`), '  }', ...finals,
    ];
  });
}

/** The machine's own hierarchy: each compound state around what it is made of. */
function nested(chart: Chart, parent: string | null, options: { readonly marks: UnitMarks | null }, depth = 1): readonly string[] {
  const indent = '  '.repeat(depth);
  return chart.states.filter((state) => state.parent === parent).flatMap((state) => {
    if (state.kind !== 'compound') return [`${indent}${stateLine(state, options.marks)}`];
    return [
      `${indent}subgraph ${quoted(`cluster_${state.id}`)} {`,
      `${indent}  graph [label=${quoted(state.name)}, labeljust=l, style="rounded,filled", color="#d1d5db", fillcolor="${depth % 2 === 1 ? '#f9fafb' : '#ffffff'}", margin=12]`,
      ...nested(chart, state.id, options, depth + 1), `${indent}}`,
    ];
  });
}

function stateLine(state: ChartState, marks: UnitMarks | null): string {
  const present = isPresent(state, marks);
  const paint = present ? `, color="${PRESENT}", penwidth=3, fillcolor="#d1fae5", fontcolor="${PRESENT}"` : '';
  if (state.kind === 'decision') return `${quoted(state.id)} [shape=diamond, style=filled, margin="0.02,0.02", fontsize=10, label=${quoted(state.name)}${paint}]`;
  const border = state.kind === 'final' ? ', peripheries=2' : '';
  const under = state.entry.length > 0 ? `<br/><font point-size="8" color="#6b7280">${wrapped(state.entry.join(', '), 34).map(escaped).join('<br/>')}</font>` : '';
  return `${quoted(state.id)} [label=<<b>${escaped(state.name)}</b>${under}>${border}${paint}]`;
}

function anywhereNode(chart: Chart): readonly string[] {
  return chart.edges.some(({ from }) => from === null) ? ['  "(any state)" [style="rounded,dashed", fontcolor="#6b7280", color="#9ca3af"]'] : [];
}

/** An arrow to or from a group ends at its border. */
function arrowLine(chart: Chart, arrow: Arrow): string {
  const from = arrow.from ?? '(any state)';
  const to = arrow.to ?? from;
  const isGroup = (id: string): boolean => chart.states.some((state) => state.id === id && state.kind === 'compound');
  const lines = [...arrow.lines.flatMap((line) => wrapped(line, 40)), ...(arrow.taken === null ? [] : [takenWords(arrow.taken)])];
  const traits = [
    ...(lines.length > 0 ? [`label="${lines.map((line) => `${line.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}\\l`).join('')}"`] : []),
    ...(isGroup(from) && from !== to ? [`ltail=${quoted(`cluster_${from}`)}`] : []), ...(isGroup(to) && from !== to ? [`lhead=${quoted(`cluster_${to}`)}`] : []),
    ...(arrow.taken === null ? [] : [`color="${PRESENT}"`, 'penwidth=1.8']),
  ];
  return `${quoted(leafOf(chart, from))} -> ${quoted(leafOf(chart, to))}${traits.length > 0 ? ` [${traits.join(', ')}]` : ''}`;
}

/** Graphviz draws between nodes: a group is meant by the state it begins with. */
function leafOf(chart: Chart, id: string): string {
  const first = chart.states.find((state) => state.parent === id && state.initial) ?? chart.states.find((state) => state.parent === id);
  return first === undefined ? id : leafOf(chart, first.id);
}

function firstOf(chart: Chart): readonly ChartState[] {
  const first = chart.states.find((state) => state.parent === null && state.initial);
  return first === undefined ? [] : chart.states.filter((state) => state.id === leafOf(chart, first.id));
}

/** Lines of about that many characters, broken at spaces. */
export function wrapped(text: string, columns: number): readonly string[] {
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
