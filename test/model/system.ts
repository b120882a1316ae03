import type { OperationEvent } from '../../machines/operation-facts.ts';
import { hasEnded } from '../../machines/supervisor.ts';
import type { ServiceSpec, SupervisorCommand } from '../../machines/types.ts';
import { nameOf } from './os-events.ts';
import type { ModelEvent } from './os.ts';
import { openAtlas, type Atlas, type OperationNode, type OperationStep, type RootMessage, type RootNode, type UnitNode } from './nodes.ts';
import { begunWatch, note, watchCommand, watchStep, type NotedWatch } from './system-watch.ts';

/** The real root, its real units and an operating system for each, between two events from outside. */
export interface SystemState {
  readonly root: RootNode;
  /** By the order of their names; null: not configured. */
  readonly units: readonly (UnitNode | null)[];
  /** Open ones, by their number. */
  readonly operations: ReadonlyMap<number, OperationNode>;
  readonly watch: NotedWatch;
}

export type SystemEvent =
  | { readonly kind: 'command'; readonly command: SupervisorCommand }
  | { readonly kind: 'report'; readonly unit: string; readonly event: ModelEvent };

/** What one event from outside set in motion, in order. */
export interface Trace {
  readonly facts: { readonly unit: string; readonly state: string; readonly event: string }[];
  readonly answers: { readonly ticket: number; readonly unit: string; readonly result: string; readonly error: string | null }[];
  readonly effects: string[];
}

export interface System {
  readonly names: readonly string[];
  readonly atlas: Atlas;
  readonly first: SystemState;
  step(state: SystemState, event: SystemEvent): SystemState;
  /** The same, and what was done. */
  trace(state: SystemState, event: SystemEvent): { readonly state: SystemState; readonly trace: Trace };
}

export function openSystem(specs: readonly ServiceSpec[], names: readonly string[] = specs.map(({ name }) => name)): System {
  const atlas = openAtlas(specs);
  const first: SystemState = {
    root: atlas.root, watch: note(begunWatch()), operations: NONE,
    units: names.map((name) => {
      const spec = specs.find((candidate) => candidate.name === name);
      return spec === undefined ? null : atlas.unit(spec);
    }),
  };
  const trace: System['trace'] = (state, event) => deliver(atlas, names, state, event);
  return { names, atlas, first, trace, step: (state, event) => trace(state, event).state };
}

/**
 * As XState delivers: each actor has a queue; what an actor sends is delivered when its step is over, in order, and an
 * actor that is not at work takes it at once. The actions of a step come before all that it sends.
 */
function deliver(atlas: Atlas, names: readonly string[], before: SystemState, event: SystemEvent): { state: SystemState; trace: Trace } {
  let { root } = before;
  const units = [...before.units];
  const operations = new Map(before.operations);
  const trace: Trace = { facts: [], answers: [], effects: [] };
  const queues = new Map<string, object[]>();

  const post = (actor: string, message: object): void => {
    const queue = queues.get(actor);
    if (queue !== undefined) return void queue.push(message);
    const work = [message];
    queues.set(actor, work);
    for (let next = work.shift(); next !== undefined; next = work.shift()) {
      if (actor === '') stepRoot(next as RootMessage);
      else if (actor.startsWith(OPERATION)) stepOperation(Number(actor.slice(OPERATION.length)), next as OperationEvent);
      else stepUnit(actor, next as ModelEvent);
    }
    queues.delete(actor);
  };
  const stepRoot = (message: RootMessage): void => {
    if (message.type === 'unit.changed') trace.facts.push({ unit: message.facts.unit, state: message.facts.state, event: message.facts.event });
    const { to, opened, sends, settlements } = atlas.stepRoot(root, message);
    root = to;
    trace.answers.push(...settlements);
    if (message.type === 'unit.removed') units[names.indexOf(message.unit)] = null;
    for (const [index, name] of names.entries()) {
      const made = units[index] === null ? to.snapshot.context.units.get(name) : undefined;
      if (made !== undefined) units[index] = atlas.unit(made.spec);
    }
    for (const id of operations.keys()) if (!to.snapshot.context.operations.has(id)) operations.delete(id);
    for (const input of opened) follow(input.id, atlas.beginOperation(input));
    for (const sent of sends) {
      if ('unit' in sent) post(sent.unit, sent.event);
      else post(`${OPERATION}${sent.operation}`, sent.event);
    }
  };
  const stepOperation = (id: number, message: OperationEvent): void => {
    const node = operations.get(id);
    // An actor that has come to its end hears nothing more.
    if (node?.snapshot.status === 'active') follow(id, atlas.stepOperation(node, message));
  };
  const follow = (id: number, { to, reports, settlements }: OperationStep): void => {
    operations.set(id, to);
    trace.answers.push(...settlements);
    for (const report of reports) post('', report);
  };
  const stepUnit = (name: string, message: ModelEvent): void => {
    const index = names.indexOf(name);
    const node = units[index];
    if (node == null) return;
    const { to, deeds } = atlas.stepUnit(node, message);
    units[index] = to;
    trace.effects.push(...deeds.effects);
    for (const fact of deeds.facts) post('', fact);
  };

  if (event.kind === 'command') post('', event.command);
  else post(event.unit, event.event);
  const open = operations.size === 0 ? NONE : operations;
  const promised = event.kind === 'command' ? watchCommand(before, event.command) : before.watch;
  return { state: { root, units, operations: open, watch: note(watchStep(before, { units, root, watch: promised }, trace, names)) }, trace };
}

const NONE: SystemState['operations'] = new Map();

const OPERATION = '/operation ';

/** Whether everything has ended. */
export function isOver({ root }: SystemState): boolean {
  return hasEnded(root.snapshot);
}

export function describeSystemEvent(event: SystemEvent): string {
  if (event.kind === 'report') return `${event.unit} ${nameOf(event.event)}`;
  const { command } = event;
  const ticket = 'ticket' in command && command.ticket !== null ? ' with a ticket' : '';
  switch (command.type) {
    case 'start': case 'stop': return `${command.type} ${command.units.join(' ')}${ticket}`;
    case 'restart': return `restart ${command.units.join(' ')}${command.specs === null ? '' : ' changed'}${ticket}`;
    case 'reload': return `reload ${command.specs.map(({ name, definition }) => `${name}:${definition.process}/${definition.policy}`).join(' ')}`;
    default: return `${command.type}${ticket}`;
  }
}
