import { fromCallback } from 'xstate';
import type { OperationEvent, OperationInput, OperationReport } from '../../machines/operation-facts.ts';
import { publishedOperation } from '../../machines/operation.ts';
import { leafOf, type ServiceContext } from '../../machines/service-facts.ts';
import { supervisorMachine, type SupervisorSnapshot } from '../../machines/supervisor.ts';
import type { Leaf, ServiceSpec, Settlement, SupervisorEvent, UnitFacts } from '../../machines/types.ts';
import { definitionOf, nameOf, reportsTo } from './os-events.ts';
import { beginModel, stepModel, type Deeds, type ModelEvent, type ModelState } from './os.ts';
import { purely, type Action, type Pure } from './pure.ts';
import { brokenIn, keyOf } from './unit-invariants.ts';

/**
 * Every state of the root and of each unit that was seen, once, with the steps out of it that were taken. The states of
 * a whole system are then combinations of these, and a step that was taken before costs a look into a table.
 */
export interface UnitNode {
  readonly id: number;
  readonly state: ModelState;
  /** Of the state: its context, with the public name of the state. */
  readonly context: NamedContext;
  readonly broken: string | null;
  readonly reports: readonly ModelEvent[];
  readonly steps: Steps<UnitStep>;
}

export type NamedContext = ServiceContext & { readonly leaf: Leaf };

export interface UnitStep {
  readonly to: UnitNode;
  readonly deeds: Deeds;
}

export interface RootNode {
  readonly id: number;
  readonly snapshot: SupervisorSnapshot;
  readonly steps: Steps<RootStep>;
}

export type RootMessage = SupervisorEvent | OperationReport;

/** What the root sends when a step is over, in order: to a unit, or to an operation by its number. */
export type Sent =
  | { readonly unit: string; readonly event: ModelEvent }
  | { readonly operation: number; readonly event: OperationEvent };

/** By the key of the event. Most states are left in one way alone, and need no table for that. */
export interface Steps<Step> {
  key?: number;
  step?: Step;
  more?: Map<number, Step>;
}

export interface RootStep {
  readonly to: RootNode;
  /** Operations that were opened: they begin before anything is sent. */
  readonly opened: readonly OperationInput[];
  readonly sends: readonly Sent[];
  readonly settlements: readonly Settlement[];
}

export interface OperationNode {
  readonly id: number;
  readonly snapshot: Pure<typeof publishedOperation>['first'];
  readonly steps: Steps<OperationStep>;
}

export interface OperationStep {
  readonly to: OperationNode;
  readonly reports: readonly OperationReport[];
  readonly settlements: readonly Settlement[];
}

export interface Atlas {
  readonly root: RootNode;
  unit(spec: ServiceSpec): UnitNode;
  /** A state that something else than a step led to. */
  enter(state: ModelState): UnitNode;
  stepUnit(node: UnitNode, event: ModelEvent): UnitStep;
  stepRoot(node: RootNode, event: RootMessage): RootStep;
  beginOperation(input: OperationInput): OperationStep;
  stepOperation(node: OperationNode, event: OperationEvent): OperationStep;
}

/** Operations are begun beside the root (`beginOperation`): what the root itself spawns for one only has to be something. */
const withoutOperations = supervisorMachine.provide({ actors: { operation: fromCallback(() => undefined) as never } });

const anybody = { send: () => undefined, id: 'root' } as unknown as NonNullable<OperationInput['parent']>;

export function openAtlas(specs: readonly ServiceSpec[]): Atlas {
  const numberOf = makeNumbers();
  const units = new Map<string, UnitNode>();
  const roots = new Map<string, RootNode>();
  const operations = new Map<string, OperationNode>();
  const begun: Steps<OperationStep> = {};
  const root = purely(withoutOperations, { specs, tokenSeed: 't', seed: 1, at: 0 });
  const operation = purely(publishedOperation, { id: 0, kind: 'start', ticket: null, parts: [], at: 0, parent: anybody });
  const share = makeSharer();
  const ofUnitEvent = numbersOf(numberOf, keyOfUnitEvent);
  const reads = readsOf(specs);
  const ofRootEvent = numbersOf(numberOf, (event: RootMessage) => keyOfRootEvent(event, reads));
  const ofOperationEvent = numbersOf(numberOf, keyOfOperationEvent);
  const ofInput = numbersOf(numberOf, keyOfInput);
  const ofUnit = numbersOf(numberOf, (unit: Registered) => keyOfRegistered(unit, reads));
  const enter = (state: ModelState): UnitNode => {
    const key = `${state.snapshot.context.spec.name}|${keyOf(state, true)}`;
    const known = units.get(key);
    if (known !== undefined) return known;
    const context = { ...state.snapshot.context, leaf: leafOf(state.snapshot.value) };
    const node: UnitNode = { id: units.size, state, context, broken: brokenIn(state), reports: reportsTo(state), steps: {} };
    units.set(key, node);
    return node;
  };
  const partsOfRoot = ({ value, context }: SupervisorSnapshot): PartsOfRoot => ({
    state: numberOf(`${JSON.stringify(value)} ${context.exitCode} ${context.endTickets.join('+')}`),
    units: [...context.units.values()].map(ofUnit).join(' '), operations: [...context.operations.values()].map(({ input }) => ofInput(input)).join(' '),
  });
  const rootNode = (snapshot: SupervisorSnapshot): RootNode => {
    const parts = partsOfRoot(snapshot);
    const key = Object.values(parts).join('|');
    const known = roots.get(key) ?? { id: roots.size, snapshot: share(snapshot, parts), steps: {} };
    roots.set(key, known);
    return known;
  };
  const operationNode = (snapshot: OperationNode['snapshot']): OperationNode => {
    const key = keyOfOperation(snapshot);
    const known = operations.get(key) ?? { id: operations.size, snapshot, steps: {} };
    operations.set(key, known);
    return known;
  };
  const operationStep = (snapshot: OperationNode['snapshot'], actions: readonly Action[]): OperationStep => ({
    to: operationNode(snapshot),
    reports: actions.flatMap(({ type, params }) => (type === 'xstate.sendTo' ? [(params as { event: OperationReport }).event] : [])),
    settlements: settlementsIn(actions),
  });
  return {
    root: rootNode(root.first), enter,
    unit: (spec) => enter(beginModel(spec, spec.dependsOn.map(({ service }) => service))),
    stepUnit: (node, event) => remembered(node.steps, ofUnitEvent(event), () => {
      const { state, deeds } = stepModel(node.state, event);
      return { to: enter(state), deeds };
    }),
    stepRoot: (node, event) => remembered(node.steps, ofRootEvent(event), () => {
      const { snapshot, actions } = root.step(node.snapshot, event);
      const opened = [...snapshot.context.operations].flatMap(([id, { input, ref }]) => (node.snapshot.context.operations.get(id)?.ref === ref ? [] : [input]));
      return { to: rootNode(snapshot), opened: orNone(opened), sends: orNone(actions.flatMap(sentBy)), settlements: orNone(settlementsIn(actions)) };
    }),
    beginOperation: (input) => remembered(begun, ofInput(input), () => {
      const { first, firstActions } = purely(publishedOperation, { ...input, parent: anybody });
      return operationStep(first, firstActions);
    }),
    stepOperation: (node, event) => remembered(node.steps, ofOperationEvent(event), () => {
      const { snapshot, actions } = operation.step(node.snapshot, event);
      return operationStep(snapshot, actions);
    }),
  };
}

function remembered<Step>(steps: Steps<Step>, key: number, make: () => Step): Step {
  if (steps.key === key && steps.step !== undefined) return steps.step;
  const known = steps.more?.get(key);
  if (known !== undefined) return known;
  const step = make();
  if (steps.step === undefined) [steps.key, steps.step] = [key, step];
  else (steps.more ??= new Map()).set(key, step);
  return step;
}

/** A number for each text: keys of what is known are short that way. */
function makeNumbers(): (text: string) => number {
  const known = new Map<string, number>();
  return (text) => kept(known, text, known.size);
}

/** The number of what an object means. Steps that are remembered give the same objects again and again, whose text was put together once. */
function numbersOf<Thing extends object>(numberOf: (text: string) => number, textOf: (thing: Thing) => string): (thing: Thing) => number {
  const known = new Map<Thing, number>();
  return (thing) => {
    const before = known.get(thing);
    if (before !== undefined) return before;
    const number = numberOf(textOf(thing));
    known.set(thing, number);
    return number;
  };
}

function sentBy({ type, params }: Action): readonly Sent[] {
  if (type !== 'xstate.sendTo') return [];
  const { targetId, to, event } = params as { targetId?: string; to: { readonly id: string }; event: ModelEvent & OperationEvent };
  const id = targetId ?? to.id;
  return id.startsWith('operation.') ? [{ operation: Number(id.slice('operation.'.length)), event }] : [{ unit: id.replace(/^unit\./, ''), event }];
}

function settlementsIn(actions: readonly Action[]): readonly Settlement[] {
  return actions.flatMap(({ type, params }) => (type === 'settle' ? (params as { settlements: readonly Settlement[] }).settlements : []));
}

function keyOfUnitEvent(event: ModelEvent): string {
  if (event.type === 'adopt') return JSON.stringify(event);
  const ticket = 'ticket' in event && event.ticket !== null ? ` ${event.ticket}` : '';
  return event.type === 'hold' ? `hold ${event.dependency} ${event.stops} ${event.lost ?? ''}` : `${nameOf(event)}${ticket}`;
}

function keyOfRootEvent(event: RootMessage, reads: Reads): string {
  switch (event.type) {
    case 'unit.changed': return `changed ${event.facts.unit} ${keyOfFacts(event.facts, reads)} ${keyOfAnswers(event.settlements)}`;
    case 'unit.settled': return `settled ${event.unit} ${keyOfAnswers(event.settlements)}`;
    case 'unit.removed': return `removed ${event.unit} ${keyOfAnswers(event.settlements)}`;
    case 'operation.order': return `order ${event.operation} ${event.parts.map(keyOfPart).join('+')}`;
    case 'operation.done': return `done ${event.operation}`;
    case 'start': case 'stop': return `${event.type} ${event.units.join('+')} ${event.ticket ?? ''}`;
    case 'restart': return `restart ${event.units.join('+')} ${event.ticket ?? ''} ${(event.specs ?? []).map(definitionOf).join('+')}`;
    case 'reload': return `reload ${event.specs.map((spec) => `${spec.name} ${definitionOf(spec)}`).join('+')}`;
    case 'shutdown': return `shutdown ${event.ticket ?? ''}`;
    default: return JSON.stringify(event);
  }
}

function keyOfOperationEvent(event: OperationEvent): string {
  switch (event.type) {
    case 'way.clear': return `clear ${event.unit} ${event.isDown} ${event.isThrough}`;
    case 'unit.settled': return keyOfAnswers([event.settlement]);
    default: return `${event.type} ${'unit' in event ? event.unit : ''} ${'error' in event ? event.error : ''}`;
  }
}

function keyOfAnswers(settlements: readonly Settlement[]): string {
  return settlements.map(({ ticket, unit, result, error }) => `${ticket} ${unit} ${result} ${error ?? ''}`).join('+');
}

function keyOfPart({ unit, command, after, owes }: OperationInput['parts'][number]): string {
  return `${unit} ${command} ${after.join(',')} ${owes}`;
}

function keyOfInput({ id, kind, ticket, parts }: OperationInput): string {
  return `${id} ${kind} ${ticket ?? ''} ${parts.map(keyOfPart).join('+')}`;
}

/** What the root reads of a unit's facts: some of it only where others need the unit, or where the supervisor ends with the unit. */
function keyOfFacts({ unit, state, wanted, outcome, ready, stuck, exit, ended, reason, restarts }: UnitFacts, reads: Reads): string {
  const forOthers = reads.needed.has(unit) ? `${restarts > 0} ${outcome} ${state === 'failed' ? `${ended?.code ?? ''} ${reason ?? ''}` : ''}` : '';
  return `${state} ${wanted} ${ready} ${stuck} ${forOthers} ${reads.essential.has(unit) ? `${outcome} ${exit?.code ?? ''}` : ''}`;
}

interface Reads {
  readonly needed: ReadonlySet<string>;
  readonly essential: ReadonlySet<string>;
}

function readsOf(specs: readonly ServiceSpec[]): Reads {
  return {
    needed: new Set(specs.flatMap(({ dependsOn }) => dependsOn.map(({ service }) => service))),
    essential: new Set(specs.filter(({ essential }) => essential).map(({ name }) => name)),
  };
}

function keyOfOperation({ value, context }: OperationNode['snapshot']): string {
  const { id, kind, ticket, parts, blocks, due } = context;
  const states = [...parts.values()].map(({ part, left, stage }) => `${keyOfPart(part)} ${left} ${stage}`);
  return [JSON.stringify(value), id, kind, ticket, states.join(';'), [...blocks].map(([unit, waiting]) => `${unit}:${waiting.join(',')}`).join(';'), due.join()].join('|');
}

type Registered = NonNullable<ReturnType<SupervisorSnapshot['context']['units']['get']>>;

/** By numbers: in which state the root is, with which units, and which operations. */
interface PartsOfRoot {
  readonly state: number;
  readonly units: string;
  readonly operations: string;
}

/** What the root knows of a unit. */
function keyOfRegistered({ name, spec, facts, informed, turn, expected, returning }: Registered, reads: Reads): string {
  const knows = Object.entries(informed).map(([dependency, { met, lost, unproven }]) => `${dependency} ${met} ${lost ?? ''} ${unproven}`).join('+');
  const order = turn === null ? '' : `${turn.operation} ${turn.command}${turn.joined.map((operation) => ` ${operation}`).join('')}`;
  return `${name} ${definitionOf(spec)} ${keyOfFacts(facts, reads)} ${knows} ${order} ${expected} ${returning !== null}`;
}

/** Of hundreds of thousands of snapshots: what has the same key is kept once. */
function makeSharer(): (snapshot: SupervisorSnapshot, parts: PartsOfRoot) => SupervisorSnapshot {
  const states = new Map<number, SupervisorSnapshot>();
  const units = new Map<string, SupervisorSnapshot['context']['units']>();
  const operations = new Map<string, Pick<SupervisorSnapshot, 'children' | 'context'>>();
  return (snapshot, parts) => {
    const { value, tags, _nodes } = kept(states, parts.state, snapshot);
    const { children, context } = kept(operations, `${[...snapshot.context.units.keys()].join(' ')}|${parts.operations}`, snapshot);
    return Object.assign(snapshot, {
      value, tags, _nodes, children, context: { ...snapshot.context, units: kept(units, parts.units, snapshot.context.units), operations: context.operations },
    });
  };
}

const NONE: readonly never[] = [];

function orNone<Item>(items: readonly Item[]): readonly Item[] {
  return items.length === 0 ? NONE : items;
}

function kept<Key, Value>(values: Map<Key, Value>, key: Key, value: Value): Value {
  const known = values.get(key);
  if (known !== undefined) return known;
  values.set(key, value);
  return value;
}
