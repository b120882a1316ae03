import { arrowsOf, isPresent, takenWords, type UnitMarks } from './marks.ts';
import type { Chart, ChartState } from './model.ts';

/** How text is made to stand out; plain for files and pipes. */
export interface TextLook {
  strong(text: string): string;
  faint(text: string): string;
  present(text: string): string;
}

export const plainLook: TextLook = { strong: (text) => text, faint: (text) => text, present: (text) => text };

/** A chart for a terminal: each state under its phase, with where it goes and what makes it go there. */
export function chartText(chart: Chart, options: { readonly marks: UnitMarks | null; readonly detailed: boolean; readonly look: TextLook }): string {
  const { marks, look } = options;
  const arrows = arrowsOf(chart, options);
  const nameOf = new Map(chart.states.map(({ id, name }) => [id, name]));
  const lines = [`${look.strong(chart.name)}: ${chart.about}`];
  if (marks !== null) lines.push(`${marks.unit} is in ${look.present(marks.state ?? marks.phase)}${marks.state === null || marks.state === marks.phase ? '' : ` (${marks.phase})`}`);
  let phase: string | null = null;
  const width = Math.max(...chart.states.map(({ name }) => name.length));
  for (const state of inPhases(chart)) {
    if (state.phase !== null && state.phase !== phase && !options.detailed) lines.push('', look.strong(state.phase.toUpperCase()));
    else lines.push('');
    phase = state.phase;
    lines.push(...heading(state, options));
    const indent = '    ';
    for (const arrow of arrows.filter(({ from }) => from === state.id)) {
      const target = arrow.to === null ? '(stays)' : `→ ${nameOf.get(arrow.to) ?? arrow.to}`;
      const [first = state.kind === 'decision' ? 'otherwise' : 'at once', ...more] = arrow.lines;
      const taken = arrow.taken === null ? '' : `   ${look.present(takenWords(arrow.taken))}`;
      lines.push(`${indent}${target.padEnd(width + 2)}  ${first}${taken}`, ...more.map((line) => `${indent}${' '.repeat(width + 2)}  ${line}`));
    }
  }
  const anywhere = arrows.filter(({ from }) => from === null);
  if (anywhere.length > 0) lines.push('', look.strong('in any state'), ...anywhere.flatMap(({ to, lines: words }) => words.map((line) => `    ${to === null ? '(stays)' : `→ ${to}`}  ${line}`)));
  if (chart.remarks.length > 0) lines.push('', ...chart.remarks.map((remark) => look.faint(remark)));
  return `${lines.join('\n')}\n`;
}

function heading(state: ChartState, { marks, detailed, look }: { readonly marks: UnitMarks | null; readonly detailed: boolean; readonly look: TextLook }): readonly string[] {
  const present = isPresent(state, marks);
  const name = detailed ? state.id : state.name;
  const traits = [
    ...(state.initial ? ['begins here'] : []), ...(state.kind === 'final' ? ['ends here'] : []), ...(state.kind === 'decision' ? ['decides at once'] : []),
    ...(detailed && state.phase !== null ? [`phase ${state.phase}`] : []),
  ];
  const entry = state.entry.length > 0 ? [look.faint(`      on entry: ${state.entry.join(', ')}`)] : [];
  const exit = state.exit.length > 0 ? [look.faint(`      on exit: ${state.exit.join(', ')}`)] : [];
  return [
    `${present ? look.present('●') : ' '} ${present ? look.present(name) : look.strong(name)}${traits.length > 0 ? look.faint(`  ${traits.join(', ')}`) : ''}`,
    ...entry, ...exit,
  ];
}

/** Condensed charts are read phase by phase, in the order in which the phases first appear. */
export function inPhases(chart: Chart): readonly ChartState[] {
  const phases = [...new Set(chart.states.map(({ phase }) => phase))];
  return chart.states.some(({ parent }) => parent !== null)
    ? chart.states : phases.flatMap((phase) => chart.states.filter((state) => state.phase === phase));
}
