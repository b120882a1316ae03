import { arrowsOf, isPresent, takenWords, type Arrow, type UnitMarks } from './marks.ts';
import type { Chart, ChartState } from './model.ts';

/** The chart for Mermaid, as a `stateDiagram-v2`. */
export function chartMermaid(chart: Chart, options: { readonly marks: UnitMarks | null; readonly detailed: boolean }): string {
  const present = chart.states.filter((state) => isPresent(state, options.marks));
  const isNested = chart.states.some(({ parent }) => parent !== null);
  const arrows = arrowsOf(chart, options).filter(({ from, to }) => from !== null && to !== null);
  const lines = [
    'stateDiagram-v2',
    ...(isNested ? nested(chart, null, 1) : phased(chart)),
    ...chart.states.filter((state) => state.parent === null && state.initial).map((state) => `  [*] --> ${idIn(state.id)}`),
    ...arrows.map((arrow) => `  ${arrowLine(arrow)}`),
    ...chart.states.filter((state) => state.kind === 'final').map((state) => `  ${idIn(state.id)} --> [*]`),
    ...(present.length > 0 ? ['  classDef present fill:#d1fae5,stroke:#047857,stroke-width:3px,color:#047857'] : []),
    ...present.map((state) => `  class ${idIn(state.id)} present`),
  ];
  return `${lines.join('\n')}\n`;
}

function phased(chart: Chart): readonly string[] {
  const phases = [...new Set(chart.states.map(({ phase }) => phase))];
  return phases.flatMap((phase) => {
    const states = chart.states.filter((state) => state.phase === phase && state.kind !== 'final');
    const finals = chart.states.filter((state) => state.phase === phase && state.kind === 'final').map((state) => `  ${stateLine(state)}`);
    if (phase === null) return [...states.map((state) => `  ${stateLine(state)}`), ...finals];
    // One state that is called as its phase needs no frame.
    if (states.length === 1 && states[0]?.name === phase) return [...states.map((state) => `  ${stateLine(state)}`), ...finals];
    return [`  state "${phase}" as phase_${phase} {`, ...states.map((state) => `    ${stateLine(state)}`), '  }', ...finals];
  });
}

function nested(chart: Chart, parent: string | null, depth: number): readonly string[] {
  const indent = '  '.repeat(depth);
  return chart.states.filter((state) => state.parent === parent).flatMap((state) => {
    if (state.kind !== 'compound') return [`${indent}${stateLine(state)}`];
    const first = chart.states.find((child) => child.parent === state.id && child.initial);
    return [
      `${indent}state "${state.name}" as ${idIn(state.id)} {`, ...(first === undefined ? [] : [`${indent}  [*] --> ${idIn(first.id)}`]),
      ...nested(chart, state.id, depth + 1), `${indent}}`,
    ];
  });
}

function stateLine(state: ChartState): string {
  return state.kind === 'decision' ? `state ${idIn(state.id)} <<choice>>` : `state "${state.name}" as ${idIn(state.id)}`;
}

/** Mermaid cannot be given a colon, a semicolon or a hash within a label. */
function arrowLine({ from, to, lines, taken }: Arrow): string {
  const label = [...lines, ...(taken === null ? [] : [takenWords(taken)])].join('<br/>').replaceAll(':', '∶').replaceAll(';', ',').replaceAll('#', '＃');
  return `${idIn(from ?? '')} --> ${idIn(to ?? '')}${label === '' ? '' : `: ${label}`}`;
}

/** Words such as `end` mean something to Mermaid: an identifier of ours is never one of them. */
function idIn(id: string): string {
  return `s_${id.replaceAll(/[^A-Za-z0-9]/g, '_')}`;
}
