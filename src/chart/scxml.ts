import { escaped } from './labels.ts';
import { chartConfig, type PlainReference, type PlainState, type PlainTransition } from './json.ts';
import type { ShownMachine } from './machines.ts';
import type { UnitMarks } from './marks.ts';
import { plainValues } from './words.ts';

/**
 * The machine as SCXML (https://www.w3.org/TR/scxml/). Guards are data that is true, so that a reader can walk the whole
 * chart and set each of them; actions are logged under their names, with their written parameters. With a unit, the datum
 * `unit` is an object: its name, its phase, the states it is in and the transitions it took.
 */
export function chartScxml(shown: ShownMachine, marks: UnitMarks | null): string {
  const config = chartConfig(shown, marks);
  const name = config.id ?? '';
  const idOf = (full: string): string => (full === name ? name : full.replace('#', '').slice(name.length + 1));
  const guards = new Set<string>();

  const condition = (guard: PlainReference): string => {
    const params = typeof guard === 'object' ? guard.params : {};
    if (typeof params['state'] === 'string') return `In('${params['state'].replace(`${name}.`, '')}')`;
    if (typeof guard === 'object' && Array.isArray(params['guards'])) {
      const parts = (params['guards'] as readonly PlainReference[]).map(condition);
      return guard.type === 'not' ? `!${parts.join('')}` : `(${parts.join(guard.type === 'or' ? ' || ' : ' && ')})`;
    }
    const datum = identifier(guard);
    guards.add(datum);
    return datum;
  };
  const transition = (source: string, event: string | undefined, { target = [], guard, actions, reenter }: PlainTransition): readonly string[] => {
    const targets = [target].flat().map(idOf);
    const isInside = targets.length > 0 && targets.every((id) => source === name || id.startsWith(`${source}.`));
    return element('transition', {
      event, cond: guard === undefined ? undefined : condition(guard), target: targets.join(' ') || undefined, type: isInside && reenter !== true ? 'internal' : undefined,
    }, (actions ?? []).flatMap(log));
  };
  const state = ({ id: full = '', type, initial, entry, exit, always = [], on = {}, states = {} }: PlainState): readonly string[] => {
    const id = idOf(full);
    return element(type === 'final' || type === 'parallel' ? type : 'state', { id, initial: initial === undefined ? undefined : idOf(`${full}.${initial}`) }, [
      ...(entry === undefined ? [] : element('onentry', {}, entry.flatMap(log))), ...(exit === undefined ? [] : element('onexit', {}, exit.flatMap(log))),
      ...always.flatMap((each) => transition(id, undefined, each)),
      ...Object.entries(on).flatMap(([event, each]) => each.flatMap((one) => transition(id, event, one))), ...Object.values(states).flatMap(state),
    ]);
  };
  // Only a state has transitions: what the whole machine does is said of one state around all others.
  const isAround = config.on !== undefined || config.always !== undefined || config.type === 'parallel';
  const body = isAround ? state(config) : Object.values(config.states ?? {}).flatMap(state);
  const data = [
    ...(config.meta?.['unit'] === undefined ? [] : element('data', { id: 'unit', expr: JSON.stringify(config.meta['unit']) })),
    ...[...guards].sort().flatMap((id) => element('data', { id, expr: 'true' })),
  ];
  return `${['<?xml version="1.0" encoding="UTF-8"?>', ...element('scxml', {
    xmlns: 'http://www.w3.org/2005/07/scxml', version: '1.0', datamodel: 'ecmascript', name, initial: isAround ? name : config.initial,
  }, [...(data.length > 0 ? element('datamodel', {}, data) : []), ...body])].join('\n')}\n`;
}

function element(tag: string, attributes: Readonly<Record<string, string | undefined>>, inside: readonly string[] = []): readonly string[] {
  const open = [`<${tag}`, ...Object.entries(attributes).flatMap(([key, value]) => (value === undefined ? [] : [`${key}="${escaped(value)}"`]))].join(' ');
  return inside.length === 0 ? [`${open}/>`] : [`${open}>`, ...inside.map((line) => `  ${line}`), `</${tag}>`];
}

function log(action: PlainReference): readonly string[] {
  const [label, params] = typeof action === 'string' ? [action, []] : [action.type, plainValues(action.params)];
  return element('log', { label, expr: `'${params.join(' ').replaceAll("'", ' ')}'` });
}

/** One name for each guard and each of its written parameters: `verdictIs_retry`. */
function identifier(guard: PlainReference): string {
  return (typeof guard === 'string' ? [guard] : [guard.type, ...plainValues(guard.params)]).join('_').replaceAll(/[^A-Za-z0-9_]/g, '_');
}
