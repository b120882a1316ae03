import { condensedChart } from '../src/chart/condense.ts';
import { chartDot } from '../src/chart/dot.ts';
import { shownMachines, type ShownMachine } from '../src/chart/machines.ts';
import { chartMermaid } from '../src/chart/mermaid.ts';
import { readChart } from '../src/chart/model.ts';
import { overviewChart } from '../src/chart/overview.ts';
import { drawDot } from '../src/chart/svg.ts';
import { chartText, plainLook } from '../src/chart/text.ts';

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
  return `${GENERATED}
# State charts

Everything the supervisor decides is a transition of one of these machines. The pages are generated from the objects that run;
\`sysg chart\` prints the same, with \`sysg chart UNIT\` marking where a unit is.

${shownMachines.map(({ name, about }) => `- [${name}](${name}.md): ${about}`).join('\n')}

\`sysg chart --machine NAME --format json\` is taken by XState's \`createMachine\` and the tools that import it, \`--format scxml\` by readers of
[SCXML](https://www.w3.org/TR/scxml/): guards are data there, true at first, actions are logged. With a unit, JSON tags the states it is in as \`present\`
and has what else is known in \`meta.unit\`; in SCXML the same is the datum \`unit\`.
`;
}

async function pagesOf(shown: ShownMachine): Promise<readonly Page[]> {
  const { name, about } = shown;
  const condensed = condensedChart(shown);
  const states = chartText({ ...condensed, remarks: [] }, { marks: null, look: plainLook });
  const whole = chartText(readChart(shown), { marks: null, look: plainLook });
  // A chart with regions is too wide to be read within a page.
  const overview = condensed.states.some(({ kind }) => kind === 'region') ? `${name}-overview.svg` : null;
  const picture = `![The ${name} machine](${name}.svg)`;
  const pictures = overview === null ? picture : `At a glance:

![An overview of the ${name} machine](${overview})

The same with what leads along each arrow, and with what is decided beside it; [by itself](${name}.svg) it is larger:

${picture}`;
  const page = `${GENERATED}
# The ${name} machine

${about.charAt(0).toUpperCase()}${about.slice(1)}.

${pictures}

${condensed.remarks.map((remark) => `${remark}\n`).join('')}${condensed.remarks.length > 0 ? '\n' : ''}## State by state

\`\`\`
${states}\`\`\`

## For Mermaid

\`\`\`mermaid
${chartMermaid(condensed, null)}\`\`\`

## With nothing left out

<details><summary>All states, transitions, guards and actions</summary>

\`\`\`
${whole}\`\`\`

</details>
`;
  return [
    { file: `${name}.md`, text: page }, { file: `${name}.svg`, text: await drawDot(chartDot(condensed, null)) },
    ...(overview === null ? [] : [{ file: overview, text: await drawDot(chartDot(overviewChart(condensed), null, { brief: true })) }]),
  ];
}
