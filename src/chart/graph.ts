import { restartsWith } from '../../machines/order.ts';
import type { ServiceSpec } from '../../machines/types.ts';
import displayWidth, { padded } from '../width.ts';
import type { TextLook } from './text.ts';
import { FONT, PHASE_COLOURS } from './dot.ts';
import { escaped, label, quoted } from './labels.ts';

/** A unit among the others. `state` in the word of `status`, which says of a unit at rest how it ended; null: nobody knows, because no supervisor runs. */
export interface GraphUnit {
  readonly name: string;
  readonly phase: string | null;
  readonly state: string | null;
  readonly isCron: boolean;
  readonly needs: readonly { readonly service: string; readonly condition: string; readonly restarts: boolean }[];
}

export function needsOf({ dependsOn }: Pick<ServiceSpec, 'dependsOn'>): GraphUnit['needs'] {
  return dependsOn.map((edge) => ({ service: edge.service, condition: edge.condition, restarts: restartsWith(edge) }));
}

/** Units and what they need, for Graphviz: an arrow leads from a unit to its dependency. */
export function graphDot(units: readonly GraphUnit[]): string {
  const edges = edgesOf(units).map((edge, index) => ({ ...edge, node: `(label ${index})` }));
  const lines = [
    'digraph units {',
    '  graph [rankdir=LR, nodesep=0.2, ranksep=0.4, pad=0.25, bgcolor="#ffffff"]',
    `  node [shape=box, style="rounded,filled", fillcolor="#ffffff", color="#4b5563", fontname="${FONT}", fontsize=12, margin="0.18,0.08"]`,
    `  edge [color="#6b7280", fontname="${FONT}", arrowsize=0.7]`,
    ...units.map(({ name, state, isCron }) => {
      const [ground, line, words] = PHASE_COLOURS[state ?? ''] ?? ['#ffffff', '#4b5563', '#4b5563'];
      const under = [...(isCron ? ['cron'] : []), ...(state === null ? [] : [state])].join(', ');
      const second = under === '' ? [] : [{ text: under, size: 9, color: words }];
      return `  ${quoted(name)} [label=${label([{ text: name, size: 12, isBold: true }, ...second])}, fillcolor="${ground}", color="${line}"]`;
    }),
    // Arrows are led around nodes, and run across plain labels.
    ...edges.flatMap(({ from, to, condition, node, restarts }) => [
      `  ${quoted(node)} [shape=plain, style="", label=${label([{ text: condition, size: 9, color: '#374151' }], 3)}]`,
      `  ${quoted(from)} -> ${quoted(node)} [arrowhead=none${restarts ? '' : ', style=dashed'}]`,
      `  ${quoted(node)} -> ${quoted(to)}${restarts ? '' : ' [style=dashed]'}`,
    ]),
    '}',
  ];
  return `${lines.join('\n')}\n`;
}

export function graphMermaid(units: readonly GraphUnit[]): string {
  const ids = new Map(units.map(({ name }, index) => [name, `u${index}`]));
  const states = [...new Set(units.flatMap(({ state }) => (state === null ? [] : [state])))];
  const lines = [
    'flowchart LR',
    ...units.map(({ name, state }) => `  ${ids.get(name)}["${escaped(name).replaceAll('#', '#35;')}${state === null ? '' : `<br/>${state}`}"]`),
    ...edgesOf(units).map(({ from, to, condition, restarts }) => `  ${ids.get(from)} ${restarts ? '-->' : '-.->'}|${condition}| ${ids.get(to)}`),
    ...states.map((state) => `  classDef ${state} fill:${PHASE_COLOURS[state]?.[0] ?? '#fff'},stroke:${PHASE_COLOURS[state]?.[1] ?? '#333'},color:#111`),
    ...units.flatMap(({ name, state }) => (state === null ? [] : [`  class ${ids.get(name)} ${state}`])),
  ];
  return `${lines.join('\n')}\n`;
}

/** Dependencies first, each unit once, with what it needs behind it. */
export function graphText(units: readonly GraphUnit[], look: TextLook): string {
  const width = Math.max(0, ...units.map(({ name }) => displayWidth(name)));
  const stateWidth = Math.max(0, ...units.map(({ state }) => state?.length ?? 0));
  return dependenciesFirst(units).map(({ name, state, isCron, needs }) => {
    const needed = needs.map(({ service, condition, restarts }) => `${service} (${condition}${restarts ? ', restarts with it' : ''})`);
    const traits = [...(isCron ? ['cron'] : []), ...(needed.length > 0 ? [`needs ${needed.join(', ')}`] : [])].join(', ');
    const shown = (state ?? '').padEnd(stateWidth);
    return `${`${look.strong(padded(name, width))}  ${state === null ? shown : look.present(shown)}  ${look.faint(traits)}`.trimEnd()}\n`;
  }).join('');
}

export function graphJson(units: readonly GraphUnit[]): string {
  return `${JSON.stringify({
    units: units.map(({ name, phase, state, isCron, needs }) => ({
      name, kind: isCron ? 'cron' : 'service', ...(phase !== null && { phase }), ...(state !== null && { state }),
      depends_on: needs.map(({ service, condition, restarts }) => ({ service, condition, on_restart: restarts ? 'restart' : 'ignore' })),
    })),
  }, null, 2)}\n`;
}

/** What units need of each other; what is not configured is no node. */
function edgesOf(units: readonly GraphUnit[]): readonly { from: string; to: string; condition: string; restarts: boolean }[] {
  const known = new Set(units.map(({ name }) => name));
  return units.flatMap(({ name, needs }) => needs.flatMap(({ service, condition, restarts }) => (
    known.has(service) ? [{ from: name, to: service, condition, restarts }] : [])));
}

function dependenciesFirst(units: readonly GraphUnit[]): readonly GraphUnit[] {
  const byName = new Map(units.map((unit) => [unit.name, unit]));
  const placed = new Set<GraphUnit>();
  const place = (unit: GraphUnit | undefined): void => {
    if (unit === undefined || placed.has(unit)) return;
    for (const { service } of unit.needs) place(byName.get(service));
    placed.add(unit);
  };
  for (const unit of units) place(unit);
  return [...placed];
}
