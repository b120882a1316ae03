import { stripVTControlCharacters } from 'node:util';
import { arrowsOf, presentIn, takenWords, type UnitMarks } from './marks.ts';
import { boxesOf, isFrame, type Box, type Chart, type ChartState } from './model.ts';

const PRESENT = '●';

/** How text is made to stand out; plain for files and pipes. */
export interface TextLook { strong(text: string): string; faint(text: string): string; present(text: string): string }

export const plainLook: TextLook = { strong: (text) => text, faint: (text) => text, present: (text) => text };

/** A chart for a terminal: each state under its phase, with where it goes and what makes it go there. */
export function chartText(chart: Chart, options: { readonly marks: UnitMarks | null; readonly look: TextLook }): string {
  const { marks, look } = options;
  const present = presentIn(chart, marks);
  const arrows = arrowsOf(chart, marks);
  const nameOf = new Map(chart.states.map(({ id, name }) => [id, name]));
  const width = Math.max(...chart.states.map(({ name }) => name.length)) + 2;
  const stateLines = (state: ChartState, indent: string): readonly string[] => [
    ...heading(chart, state, present.has(state.id), look).map((line) => indent + line),
    ...arrows.filter(({ from }) => from === state.id).flatMap((arrow) => {
      const target = arrow.to === null ? '(stays)' : `→ ${nameOf.get(arrow.to) ?? arrow.to}`;
      const [first = state.kind === 'decision' ? 'otherwise' : 'at once', ...more] = arrow.lines;
      const taken = arrow.taken === null ? '' : `   ${look.present(takenWords(arrow.taken))}`;
      return [`${indent}    ${target.padEnd(width)}  ${first}${taken}`, ...more.map((line) => `${indent}    ${' '.repeat(width)}  ${line}`)];
    }),
  ];
  const boxLines = (box: Box, indent: string): readonly string[] => {
    if (box.state === null) return ['', look.strong(box.label.toUpperCase()), ...box.inside.flatMap((inner, index) => boxLines(inner, indent).slice(index === 0 ? 1 : 0))];
    // A whole chart names each state by its path; in a condensed one frames are shown by how far what is inside stands in.
    const deeper = chart.isCondensed && isFrame(box.state) ? `${indent}  ` : indent;
    return ['', ...stateLines(box.state, indent), ...box.inside.flatMap((inner) => boxLines(inner, deeper))];
  };
  const anywhere = arrows.filter(({ from }) => from === null);
  return `${[
    `${look.strong(chart.name)}: ${chart.about}`,
    ...(marks === null ? [] : [whereabouts(chart, marks, present, look)]),
    ...boxesOf(chart).flatMap((box) => boxLines(box, '')),
    ...(anywhere.length === 0 ? [] : ['', look.strong('in any state')]),
    ...anywhere.flatMap(({ to, lines }) => lines.map((line) => `    ${to === null ? '(stays)' : `→ ${to}`}  ${line}`)),
    ...(chart.remarks.length === 0 ? [] : ['', ...chart.remarks.map((remark) => look.faint(remark))]),
  ].join('\n')}\n`;
}

/** Where a chart says which state is the present one, the first of them; null: it does not. */
export function presentLine(lines: readonly string[]): number | null {
  const isPresent = (line: string): boolean => stripVTControlCharacters(line).trimStart().startsWith(`${PRESENT} `);
  const first = lines.findIndex(isPresent);
  return first < 0 ? null : first;
}

function whereabouts(chart: Chart, marks: UnitMarks, present: ReadonlySet<string>, look: TextLook): string {
  const names = marks.state === null ? [] : chart.states.filter(({ id }) => present.has(id)).map(({ name }) => name);
  const known = names.length === 0 ? [marks.phase] : names;
  return `${marks.unit} is in ${known.map((name) => look.present(name)).join(' and ')}${known.includes(marks.phase) ? '' : ` (${marks.phase})`}`;
}

function heading(chart: Chart, state: ChartState, isMarked: boolean, look: TextLook): readonly string[] {
  const name = chart.isCondensed ? state.name : state.id;
  const traits = [
    ...(state.initial ? ['begins here'] : []), ...(state.kind === 'final' ? ['ends here'] : []), ...(state.kind === 'decision' ? ['decides at once'] : []),
    ...(state.kind === 'parallel' ? ['all of these at once'] : []), ...(!chart.isCondensed && state.phase !== null ? [`phase ${state.phase}`] : []),
    ...(state.deadlines.length > 0 ? [`deadline ${state.deadlines.join(' or ')}`] : []),
  ];
  return [
    `${isMarked ? look.present(PRESENT) : ' '} ${isMarked ? look.present(name) : look.strong(name)}${traits.length > 0 ? look.faint(`  ${traits.join(', ')}`) : ''}`,
    ...(state.entry.length > 0 ? [look.faint(`      on entry: ${state.entry.join(', ')}`)] : []),
    ...(state.exit.length > 0 ? [look.faint(`      on exit: ${state.exit.join(', ')}`)] : []),
  ];
}
