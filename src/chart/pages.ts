import { condensedChart } from './condense.ts';
import { chartDot } from './dot.ts';
import { shownMachines, type ShownMachine } from './machines.ts';
import { chartMermaid } from './mermaid.ts';
import { readChart } from './model.ts';
import { drawDot } from './svg.ts';
import { chartText, plainLook } from './text.ts';

export interface Page {
  /** Within `docs/charts`. */
  readonly file: string;
  readonly text: string;
}

/** The pages of the documentation that show the machines, as the machines are now. */
export async function chartPages(): Promise<readonly Page[]> {
  const pages = await Promise.all(shownMachines.map(pagesOf));
  return [{ file: 'index.md', text: index() }, ...pages.flat()];
}

const GENERATED = '<!-- Generated from machines/ by `node .build/charts.mjs`. -->';

function index(): string {
  return [
    GENERATED, '# State charts', '',
    'Everything the supervisor decides is a transition of one of these machines. The pages are generated from the objects that run;',
    '`sysg chart` prints the same, with `sysg chart UNIT` marking where a unit is.', '',
    ...shownMachines.map(({ name, about }) => `- [${name}](${name}.md): ${about}`), '',
    '`sysg chart --machine NAME --format json` is taken by XState\'s `createMachine` and the tools that import it, `--format scxml` by readers of',
    '[SCXML](https://www.w3.org/TR/scxml/): guards are data there, true at first, actions are logged.', '',
  ].join('\n');
}

async function pagesOf(shown: ShownMachine): Promise<readonly Page[]> {
  const options = { marks: null, detailed: false };
  const condensed = condensedChart(shown);
  const whole = chartText(readChart(shown), { marks: null, detailed: true, look: plainLook });
  const page = [
    GENERATED, `# The ${shown.name} machine`, '', `${capitalised(shown.about)}.`, '', `![The ${shown.name} machine](${shown.name}.svg)`, '',
    ...(condensed.remarks.length > 0 ? [...condensed.remarks, ''] : []),
    '## State by state', '', '```', chartText({ ...condensed, remarks: [] }, { ...options, look: plainLook }).trimEnd(), '```', '',
    '## For Mermaid', '', '```mermaid', chartMermaid(condensed, options).trimEnd(), '```', '',
    '## With nothing left out', '', '<details><summary>All states, transitions, guards and actions</summary>', '', '```', whole.trimEnd(), '```', '', '</details>', '',
  ].join('\n');
  return [{ file: `${shown.name}.md`, text: page }, { file: `${shown.name}.svg`, text: await drawDot(chartDot(condensed, options)) }];
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
