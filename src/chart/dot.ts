import { label, quoted, wrapped, type LabelLine } from './labels.ts';
import { arrowsOf, presentIn, takenWords, type Arrow, type UnitMarks } from './marks.ts';
import { boxesOf, distinct, isFrame, type Box, type Chart, type ChartState } from './model.ts';

/** Colours of a phase: the ground, a line around it, and words on it. Calm ones: the present state is what stands out. */
export const PHASE_COLOURS: Readonly<Record<string, readonly [ground: string, line: string, words: string]>> = {
  stopped: ['#f3f4f6', '#9ca3af', '#6b7280'], starting: ['#eff6ff', '#93c5fd', '#2563eb'], running: ['#ecfdf5', '#6ee7b7', '#047857'],
  stopping: ['#fffbeb', '#fcd34d', '#b45309'], backoff: ['#fff7ed', '#fdba74', '#c2410c'], failed: ['#fef2f2', '#fca5a5', '#b91c1c'],
  waiting: ['#f5f3ff', '#c4b5fd', '#6d28d9'],
  // The words of `status` for units at rest and for checks that fail.
  completed: ['#ecfdf5', '#6ee7b7', '#047857'], skipped: ['#f3f4f6', '#9ca3af', '#6b7280'], suspended: ['#f3f4f6', '#9ca3af', '#6b7280'],
  unready: ['#fffbeb', '#fcd34d', '#b45309'], halted: ['#fffbeb', '#fcd34d', '#b45309'],
};
const PRESENT = '#047857';
const FAINT = '#6b7280';
const WORDS = '#374151';
export const FONT = 'Helvetica,Arial,sans-serif';

/**
 * The chart for Graphviz, `dot` layout. What is said of an arrow is a node on its way, within the innermost frame around both of its ends: arrows are
 * led around nodes, and run across plain labels. What happens without leaving a state is said in its box. `brief`: names of states and bare arrows,
 * for a picture that is small and says the rest when it is asked.
 */
export function chartDot(chart: Chart, marks: UnitMarks | null, { brief = false }: { readonly brief?: boolean } = {}): string {
  const present = presentIn(chart, marks);
  const first = chart.states.find(({ parent, initial }) => parent === null && initial);
  const arrows = brief ? arrowsOf(chart, marks).map((arrow) => ({ ...arrow, lines: [] })) : arrowsOf(chart, marks);
  const inside = new Map((brief ? [] : arrows).filter(isInside).map((arrow) => [arrow.from, arrows.filter((other) => isInside(other) && other.from === arrow.from)]));
  const boxes = boxesOf(chart);
  const framesOf = frames(boxes);
  const said = arrows.filter((arrow) => brief || !isInside(arrow)).map((arrow, index): SaidArrow => ({ ...arrow, lines: brief ? [] : labelOf(arrow), node: `(label ${index})` }));
  const commonFrame = ({ from, to }: SaidArrow): string | null => framesOf(from).findLast((each, index) => framesOf(to)[index] === each) ?? null;
  const drawing: Drawing = {
    present, inside, brief,
    labelsIn: (frame) => said.filter((arrow) => arrow.lines.length > 0 && commonFrame(arrow) === frame)
      .map(({ node, lines }) => `${quoted(node)} [shape=plain, style="", label=${label(lines, LABEL_PADDING)}]`),
  };
  return `${[
    `digraph ${quoted(chart.name)} {`,
    // With the newer ranking the arrows of a whole chart run across tall nodes.
    `  graph [rankdir=TB, compound=true, ${chart.isCondensed ? 'newrank=true, ' : ''}nodesep=${brief ? 0.25 : 0.3}, ranksep=${brief ? 0.4 : 0.35}, pad=${brief ? 0.1 : 0.25}, bgcolor="#ffffff", fontname="${FONT}", fontsize=12, fontcolor="${FAINT}"]`,
    `  node [shape=box, style="rounded,filled", fillcolor="#ffffff", color="#4b5563", fontname="${FONT}", fontsize=12, margin="0.14,0.07"]`,
    `  edge [color="${FAINT}", fontname="${FONT}", arrowsize=0.7]`,
    '  "(begin)" [shape=circle, label="", width=0.14, height=0.14, fixedsize=true, fillcolor="#111827", color="#111827"]',
    ...boxes.flatMap((box) => boxLines(box, '  ', drawing)), ...drawing.labelsIn(null).map((line) => `  ${line}`),
    ...(first === undefined ? [] : [`  "(begin)" -> ${quoted(leafOf(chart, first.id))} [arrowsize=0.6]`]),
    ...(chart.edges.some(({ from }) => from === null) ? [`  "(any state)" [style="rounded,dashed", color="#9ca3af", label=${label([line('(any state)', 12, FAINT), ...stayingLines(drawing, null)])}]`] : []),
    ...said.flatMap((arrow) => arrowLines(chart, arrow).map((line) => `  ${line}`)),
    // What is entered together stands side by side.
    ...distinct(chart.edges.flatMap(({ from, beside }) => (from === null ? [] : beside.map((id) => `  ${quoted(leafOf(chart, from))} -> ${quoted(leafOf(chart, id))} [style=invis]`)))),
    '}',
  ].join('\n')}\n`;
}

interface Drawing {
  readonly brief: boolean;
  readonly present: ReadonlySet<string>;
  /** By state: what happens without leaving it. */
  readonly inside: ReadonlyMap<string | null, readonly Arrow[]>;
  /** The nodes that say what leads along an arrow within this frame and no other one in it. */
  labelsIn(frame: string | null): readonly string[];
}

/** An arrow with what is said of it, and the node that says it. */
interface SaidArrow extends Omit<Arrow, 'lines'> { readonly lines: readonly LabelLine[]; readonly node: string }

function isInside({ from, to }: Arrow): boolean {
  return to === null || to === from;
}

function boxLines({ label: name, state, inside }: Box, indent: string, drawing: Drawing): readonly string[] {
  if (state !== null && !isFrame(state)) return [`${indent}${stateLine(state, drawing)}`];
  const only = onlyState({ label: name, state, inside });
  if (only !== null) return [`${indent}${stateLine(only, drawing, PHASE_COLOURS[name])}`];
  const [ground, line] = state === null ? (PHASE_COLOURS[name] ?? ['#f9fafb', '#d1d5db']) : [indent.length % 4 === 2 ? '#f9fafb' : '#ffffff', '#d1d5db'];
  const style = state?.kind === 'region' ? 'rounded,filled,dashed' : 'rounded,filled';
  const border = state !== null && drawing.present.has(state.id) ? `color="${PRESENT}", penwidth=3` : `color="${line}"`;
  const staying = state === null ? [] : stayingLines(drawing, state.id);
  const title = label([{ text: name, size: 12, color: FAINT, align: 'left' }]);
  return [
    `${indent}subgraph ${quoted(`cluster_${frameOf(name, state)}`)} {`,
    `${indent}  graph [label=${title}, labeljust=l, style="${style}", ${border}, fillcolor="${ground}", margin=12]`,
    ...(staying.length > 0 ? [`${indent}  ${quoted(`(in ${name})`)} [shape=plain, style="", label=${label(staying, LABEL_PADDING)}]`] : []),
    ...inside.flatMap((box) => boxLines(box, `${indent}  `, drawing)), ...drawing.labelsIn(frameOf(name, state)).map((node) => `${indent}  ${node}`), `${indent}}`,
  ];
}

/** A phase that is one state of the same name needs no frame: the state has its colours. */
function onlyState({ label: name, state, inside }: Box): ChartState | null {
  const [only] = inside;
  return state === null && only?.state?.name === name && inside.length === 1 && !isFrame(only.state) ? only.state : null;
}

function stateLine(state: ChartState, drawing: Drawing, [ground, border]: readonly string[] = []): string {
  const isMarked = drawing.present.has(state.id);
  const words = isMarked ? PRESENT : undefined;
  const paint = isMarked ? `, color="${PRESENT}", penwidth=3, fillcolor="#d1fae5"` : ground === undefined ? '' : `, color="${border}", fillcolor="${ground}"`;
  const staying = stayingLines(drawing, state.id);
  if (state.kind === 'decision') {
    return `${quoted(state.id)} [shape=diamond, style=filled, margin="0.02,0.02", label=${label([line(state.name, 10, words), ...staying])}${paint}]`;
  }
  const double = state.kind === 'final' ? ', peripheries=2' : '';
  if (drawing.brief) return `${quoted(state.id)} [label=${label([line(state.name, 12, words)])}${double}${paint}]`;
  const notes = [...(state.deadlines.length > 0 ? [`deadline ${state.deadlines.join(' or ')}`] : []), ...state.entry].join(', ');
  const under = notes === '' ? [] : wrapped(notes, 34).map((text) => line(text, 8, FAINT));
  return `${quoted(state.id)} [label=${label([{ ...line(state.name, 12, words), isBold: true }, ...under, ...staying])}${double}${paint}]`;
}

function line(text: string, size: number, color?: string): LabelLine {
  return color === undefined ? { text, size } : { text, size, color };
}

/** What happens without leaving a state, and what enters it anew. */
function stayingLines({ inside }: Drawing, id: string | null): readonly LabelLine[] {
  return (inside.get(id) ?? []).flatMap((arrow) => {
    const lines = labelOf(arrow);
    return lines.length === 0 ? [] : [{ ...line(arrow.to === null ? 'without leaving it:' : 'entered again:', 8, FAINT), align: 'left' as const }, ...lines];
  });
}

function labelOf({ lines, taken }: Arrow): readonly LabelLine[] {
  const words = [...lines.flatMap((text) => wrapped(text, 40)), ...(taken === null ? [] : [takenWords(taken)])];
  return words.map((text) => ({ ...line(text, 9, WORDS), align: 'left' }));
}

/** Points between words and what passes them. */
const LABEL_PADDING = 3;

/** An arrow to or from a group ends at its border. With something said of it the arrow leads through that. */
function arrowLines(chart: Chart, { from, to, lines, node, taken, spawns }: SaidArrow): readonly string[] {
  const begin = from ?? '(any state)';
  const end = to ?? begin;
  const isAround = (id: string): boolean => begin !== end && chart.states.some((state) => state.id === id && isFrame(state));
  const tail = isAround(begin) ? [`ltail=${quoted(`cluster_${begin}`)}`] : [];
  const head = isAround(end) ? [`lhead=${quoted(`cluster_${end}`)}`] : [];
  const paint = [...(taken === null ? [] : [`color="${PRESENT}"`, 'penwidth=1.8']), ...(spawns ? ['style=dashed'] : [])];
  const leg = (one: string, other: string, traits: readonly string[]): string =>
    `${quoted(one)} -> ${quoted(other)}${traits.length > 0 ? ` [${traits.join(', ')}]` : ''}`;
  const [source, target] = [leafOf(chart, begin), leafOf(chart, end)];
  return lines.length === 0 ? [leg(source, target, [...tail, ...head, ...paint])]
    : [leg(source, node, [...tail, 'arrowhead=none', ...paint]), leg(node, target, [...head, ...paint])];
}

/** The frames around a state, the outermost first; around the frame itself where that is meant. */
function frames(boxes: readonly Box[]): (id: string | null) => readonly string[] {
  const around = new Map<string, readonly string[]>();
  const visit = (box: Box, outer: readonly string[]): void => {
    if (box.state !== null) around.set(box.state.id, outer);
    const own = onlyState(box) === null ? [frameOf(box.label, box.state)] : [];
    for (const inner of box.inside) visit(inner, [...outer, ...own]);
  };
  for (const box of boxes) visit(box, []);
  return (id) => around.get(id ?? '') ?? [];
}

function frameOf(name: string, state: ChartState | null): string {
  return state?.id ?? name;
}

/** The title that Graphviz gives the line of a bare arrow. */
export function arrowTitle(chart: Chart, { from, to }: Pick<Arrow, 'from' | 'to'>): string {
  const begin = from ?? '(any state)';
  return `${leafOf(chart, begin)}->${leafOf(chart, to ?? begin)}`;
}

/** Graphviz draws between nodes: a group is meant by the state it begins with. */
function leafOf(chart: Chart, id: string): string {
  const first = chart.states.find((state) => state.parent === id && state.initial) ?? chart.states.find((state) => state.parent === id);
  return first === undefined ? id : leafOf(chart, first.id);
}
