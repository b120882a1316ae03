import type { UnitStatus } from '../../wire/payloads.ts';
import { refusals, type Result } from '../../errors.ts';
import { countSteps, type UnitMarks } from '../../chart/marks.ts';
import { condensedChart } from '../../chart/condense.ts';
import { chartDot } from '../../chart/dot.ts';
import { graphDot, graphJson, graphMermaid, graphText, needsOf, type GraphUnit } from '../../chart/graph.ts';
import { chartConfig } from '../../chart/json.ts';
import { shownMachines, type ShownMachine } from '../../chart/machines.ts';
import { chartMermaid } from '../../chart/mermaid.ts';
import { readChart } from '../../chart/model.ts';
import { chartScxml } from '../../chart/scxml.ts';
import { chartText, presentLine, type TextLook } from '../../chart/text.ts';
import { askFor, askStatus, mostRecords } from '../ask.ts';
import { lookOf, type Call } from '../call.ts';
import { chooseConfigToRead, warnAboutOtherConfig } from '../config-choice.ts';
import { combinedFor, loadOrRefuse } from '../load-config.ts';
import { askedWords, notPresent } from '../names.ts';
import { chartFormats, options, type ChartFormat } from '../options.ts';
import { palette } from '../print/palette.ts';
import { phaseOf, stateOf, unitNamed } from '../print/unit.ts';
import { repeat } from '../repeat.ts';
import type { Shown } from '../screen/repeat-screen.ts';

const LIVE_MS = 500;

type Drawn = Result<{ readonly text: string }>;

/** Shows a machine; with a unit, also the state that the unit is in. With `--graph` the units and their dependencies. */
export async function chart(call: Call): Promise<number> {
  const { flags, terminal } = call;
  const [unit = null, second] = askedWords(call);
  const format = chartFormats.find((known) => known === flags.text(options.format)) ?? 'text';
  const isLive = flags.has(options.live);
  const wrong = conflict(call, unit, format);
  if (second !== undefined) return terminal.refuse(refusals.usage(`a chart is of one unit: expected ${unit} or ${second}\ntry: sysg chart --help`));
  if (wrong !== null) return terminal.refuse(refusals.usage(wrong));
  if (unit !== null) warnAboutOtherConfig(call);
  const draw = (): Promise<Drawn> => (flags.has(options.graph) ? drawGraph(call, format) : drawMachine(call, unit, format));
  if (isLive) {
    let before = '';
    return repeat(call, LIVE_MS, async (): Promise<Shown> => {
      const drawn = await draw();
      if (!drawn.ok) return drawn;
      // On a terminal the chart is drawn over itself; elsewhere it is printed only when it has changed.
      const lines = terminal.isInteractive === true || drawn.text !== before ? drawn.text.trimEnd().split('\n') : [];
      before = drawn.text;
      return { ok: true, lines, complaints: [], exitCode: 0, focus: presentLine(lines) };
    });
  }
  const drawn = await draw();
  if (!drawn.ok) return terminal.refuse(drawn.refusal);
  if (format === 'text') terminal.print(drawn.text.replace(/\n$/, ''));
  else await terminal.write(drawn.text);
  return 0;
}

function conflict({ flags }: Call, unit: string | null, format: ChartFormat): string | null {
  const isGraph = flags.has(options.graph);
  if (isGraph && (unit !== null || flags.text(options.machine) !== null)) return '--graph shows all units: expected neither a unit nor --machine with it';
  if (isGraph && format === 'scxml') return 'SCXML is for machines: expected --graph with another --format';
  if (flags.has(options.live) && format !== 'text') return `--live shows text: expected no --format, got ${format}`;
  if (flags.has(options.live) && unit === null && !isGraph) return '--live follows a unit, or all with --graph: expected one';
  return null;
}

async function drawMachine(call: Call, unit: string | null, format: ChartFormat): Promise<Drawn> {
  const { flags } = call;
  const found = unit === null ? null : await findUnit(call, unit);
  if (found !== null && !found.ok) return found;
  const own = found?.status.kind === 'cron' ? 'job' : 'service';
  const name = flags.text(options.machine) ?? own;
  const shown = shownMachines.find((machine) => machine.name === name);
  if (shown === undefined) {
    return { ok: false, refusal: refusals.usage(`--machine: expected ${shownMachines.map((machine) => machine.name).join(', ')}, got "${name}"`) };
  }
  const text = await written(shown, format, { marks: found === null || name !== own ? null : found.marks, isWhole: flags.has(options.full), look: textLook(call) });
  return { ok: true, text };
}

async function written(
  shown: ShownMachine, format: ChartFormat, { marks, isWhole, look }: { readonly marks: UnitMarks | null; readonly isWhole: boolean; readonly look: TextLook },
): Promise<string> {
  if (format === 'json') return `${JSON.stringify(chartConfig(shown, marks), null, 2)}\n`;
  if (format === 'scxml') return chartScxml(shown, marks);
  const whole = isWhole ? readChart(shown) : condensedChart(shown);
  if (format === 'mermaid') return chartMermaid(whole, marks);
  if (format === 'text') return chartText(whole, { marks, look });
  const dot = chartDot(whole, marks);
  return format === 'dot' ? dot : picture(dot);
}

/** The state of the unit, from Status, and the transitions that led there, from the journal. */
async function findUnit(call: Call, name: string): Promise<Result<{ readonly status: UnitStatus; readonly marks: UnitMarks }>> {
  const answer = await askStatus(call);
  if (!answer.ok) return answer;
  const status = unitNamed(answer.snapshot.units, name);
  if (status === undefined) return { ok: false, refusal: await notPresent(call, name, answer.snapshot.units.map((unit) => unit.name)) };
  const history = await askFor(call, { kind: 'history', unit: status.name, limit: mostRecords, since: null }, 'history');
  // A supervisor without a journal knows the phase all the same.
  const records = history.ok ? history.response.records : [];
  const newest = records.findLast(({ to }) => to !== undefined);
  return {
    ok: true, status,
    marks: {
      unit: status.name, phase: phaseOf(status), taken: countSteps(records),
      // A record from before the present phase says nothing of the present state.
      state: status.kind !== 'cron' && newest?.to !== undefined && newest.seq === status.last_event ? newest.to : null,
    },
  };
}

async function drawGraph(call: Call, format: ChartFormat): Promise<Drawn> {
  const chosen = chooseConfigToRead(call);
  if (!chosen.ok) return chosen;
  const loaded = loadOrRefuse(call, chosen.path);
  if (!loaded.ok) return loaded;
  const answer = await askStatus(call);
  if (!answer.ok && answer.refusal.code !== 'no-supervisor') return answer;
  const shown = new Map(answer.ok ? answer.snapshot.units.map((unit) => [unit.name, unit]) : []);
  const units = combinedFor(call, loaded.config).specs.map((spec): GraphUnit => {
    const unit = shown.get(spec.name);
    return {
      name: spec.name, isCron: spec.cron !== null, phase: unit === undefined ? null : phaseOf(unit), state: unit === undefined ? null : stateOf(unit),
      needs: needsOf(spec),
    };
  });
  switch (format) {
    case 'json': return { ok: true, text: graphJson(units) };
    case 'mermaid': return { ok: true, text: graphMermaid(units) };
    case 'dot': return { ok: true, text: graphDot(units) };
    case 'svg': return { ok: true, text: await picture(graphDot(units)) };
    default: return { ok: true, text: graphText(units, textLook(call)) };
  }
}

/** Loaded on demand: Graphviz is larger than the rest of the program. */
async function picture(dot: string): Promise<string> {
  const { drawDot } = await import('../../chart/svg.ts');
  return drawDot(dot);
}

function textLook(call: Call): TextLook {
  const paint = palette(lookOf(call).color);
  return { strong: paint.title, faint: paint.faint, present: (text) => paint.title(paint.state('running')(text)) };
}
