import type { AnyStateMachine, StateNode } from 'xstate';
import { escaped } from './dot.ts';
import { idOf, transitionsOf, type Definition } from './model.ts';
import { nameOf, plainValues, type Reference } from './words.ts';

/**
 * The machine as SCXML (https://www.w3.org/TR/scxml/). Guards are data that is true, so that a reader can walk the whole
 * chart and set each of them; actions are logged under their names, with their written parameters.
 */
export function chartScxml(machine: AnyStateMachine): string {
  const guards = new Set<string>();
  const body = Object.values(machine.root.states).flatMap((child) => stateLines(child, 1, guards));
  const anywhere = transitionsOf(machine.root).flatMap(({ event, definition }) => transitionLines(machine.root, event, definition, 1, guards));
  const first = machine.root.initial.target[0];
  const data = [...guards].sort().map((guard) => `    <data id="${guard}" expr="true"/>`);
  const name = escaped(machine.id);
  // Only a state has transitions: what the whole machine does is said of one state around all others.
  const inner = anywhere.length === 0 ? body : [`  <state id="${name}"${first === undefined ? '' : ` initial="${escaped(idOf(first))}"`}>`, ...[...anywhere, ...body].map((line) => `  ${line}`), '  </state>'];
  const initial = anywhere.length === 0 ? (first === undefined ? '' : idOf(first)) : machine.id;
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<scxml xmlns="http://www.w3.org/2005/07/scxml" version="1.0" datamodel="ecmascript" name="${name}" initial="${escaped(initial)}">`,
    ...(data.length > 0 ? ['  <datamodel>', ...data, '  </datamodel>'] : []), ...inner, '</scxml>', '',
  ].join('\n');
}

function stateLines(node: StateNode, depth: number, guards: Set<string>): readonly string[] {
  const indent = '  '.repeat(depth);
  const tag = node.type === 'final' ? 'final' : node.type === 'parallel' ? 'parallel' : 'state';
  const first = node.initial?.target[0];
  const inner = [
    ...handler('onentry', node.entry, depth + 1), ...handler('onexit', node.exit, depth + 1),
    ...transitionsOf(node).flatMap(({ event, definition }) => transitionLines(node, event, definition, depth + 1, guards)),
    ...Object.values(node.states).flatMap((child) => stateLines(child, depth + 1, guards)),
  ];
  const open = `${indent}<${tag} id="${escaped(idOf(node))}"${node.type === 'compound' && first !== undefined ? ` initial="${escaped(idOf(first))}"` : ''}`;
  return inner.length === 0 ? [`${open}/>`] : [`${open}>`, ...inner, `${indent}</${tag}>`];
}

function transitionLines(source: StateNode, event: string | null, { target, guard, actions, reenter }: Definition, depth: number, guards: Set<string>): readonly string[] {
  const indent = '  '.repeat(depth);
  const to = (target ?? []).map(idOf).join(' ');
  const isInside = target?.every((node) => node !== source && isWithin(node, source)) === true;
  const condition = guard === undefined ? null : identifier(guard);
  if (condition !== null) guards.add(condition);
  const open = [
    `${indent}<transition`, ...(event === null ? [] : [`event="${escaped(event)}"`]), ...(condition === null ? [] : [`cond="${condition}"`]),
    ...(to === '' ? [] : [`target="${escaped(to)}"`]), ...(to !== '' && isInside && !reenter ? ['type="internal"'] : []),
  ].join(' ');
  return actions.length === 0 ? [`${open}/>`] : [`${open}>`, ...actions.map((action) => logLine(action, depth + 1)), `${indent}</transition>`];
}

function handler(tag: 'onentry' | 'onexit', actions: readonly Reference[], depth: number): readonly string[] {
  const indent = '  '.repeat(depth);
  return actions.length === 0 ? [] : [`${indent}<${tag}>`, ...actions.map((action) => logLine(action, depth + 1)), `${indent}</${tag}>`];
}

function logLine(action: Reference, depth: number): string {
  const params = typeof action === 'object' ? plainValues(action.params) : [];
  return `${'  '.repeat(depth)}<log label="${escaped(nameOf(action))}" expr="'${escaped(params.join(' ').replaceAll("'", ' '))}'"/>`;
}

/** One name for each guard and each of its written parameters: `verdictIs_retry`. */
function identifier(guard: Reference): string {
  const params = typeof guard === 'object' ? plainValues(guard.params) : [];
  return [nameOf(guard), ...params].join('_').replaceAll(/[^A-Za-z0-9_]/g, '_');
}

function isWithin(node: StateNode, ancestor: StateNode): boolean {
  for (let at: StateNode | undefined = node; at !== undefined; at = at.parent) if (at === ancestor) return true;
  return false;
}
