import { arrowsOf, presentIn, takenWords, type Arrow, type UnitMarks } from './marks.ts';
import { boxesOf, type Box, type Chart, type ChartState } from './model.ts';

/** The chart for Mermaid, as a `stateDiagram-v2`. */
export function chartMermaid(chart: Chart, marks: UnitMarks | null): string {
  const present = [...presentIn(chart, marks)];
  const arrows = arrowsOf(chart, marks).filter(({ from, to }) => from !== null && to !== null);
  return `${[
    'stateDiagram-v2',
    ...boxesOf(chart).flatMap((box) => boxLines(box, '  ')),
    ...chart.states.filter((state) => state.parent === null && state.initial).map((state) => `  [*] --> ${idIn(state.id)}`),
    ...arrows.map((arrow) => `  ${arrowLine(arrow)}`),
    ...finals(chart.states.filter(({ parent }) => parent === null), '  '),
    ...(present.length > 0 ? ['  classDef present fill:#d1fae5,stroke:#047857,stroke-width:3px,color:#047857'] : []),
    ...present.map((id) => `  class ${idIn(id)} present`),
  ].join('\n')}\n`;
}

function boxLines({ label, state, inside }: Box, indent: string): readonly string[] {
  // One state that is called as its phase needs no frame.
  if (state === null && inside.length === 1 && inside[0]?.label === label) return boxLines(inside[0], indent);
  if (state !== null && inside.length === 0) return [`${indent}${stateLine(state)}`];
  const first = state === null ? undefined : inside.find((box) => box.state?.initial === true)?.state;
  const lines = inside.map((box) => boxLines(box, `${indent}  `));
  // Regions of a parallel state are kept apart by two dashes.
  const apart = state?.kind === 'parallel' ? lines.flatMap((region, index) => (index === 0 ? region : [`${indent}  --`, ...region])) : lines.flat();
  return [
    `${indent}${state === null ? `state "${label}" as phase_${label}` : stateLine(state)} {`,
    ...(first == null ? [] : [`${indent}  [*] --> ${idIn(first.id)}`]), ...apart,
    ...finals(state === null ? [] : inside.flatMap((box) => box.state ?? []), `${indent}  `), `${indent}}`,
  ];
}

/** What ends a machine, within the frame that it is in. */
function finals(states: readonly ChartState[], indent: string): readonly string[] {
  return states.filter(({ kind }) => kind === 'final').map(({ id }) => `${indent}${idIn(id)} --> [*]`);
}

function stateLine(state: ChartState): string {
  return state.kind === 'decision' ? `state ${idIn(state.id)} <<choice>>` : `state "${state.name}" as ${idIn(state.id)}`;
}

/** Mermaid cannot be given a colon, a semicolon or a hash within a label. */
function arrowLine({ from, to, lines, taken }: Arrow): string {
  const label = [...lines, ...(taken === null ? [] : [takenWords(taken)])].join('<br/>').replaceAll(':', '∶').replaceAll(';', ',').replaceAll('#', '＃');
  return `${idIn(from ?? '')} --> ${idIn(to ?? '')}${label === '' ? '' : `: ${label}`}`;
}

/** Words such as `end` have a meaning of their own in Mermaid: an identifier of ours is never one of them. */
function idIn(id: string): string {
  return `s_${id.replaceAll(/[^A-Za-z0-9]/g, '_')}`;
}
