import { supervisorMachine, type SupervisorSnapshot } from '../../machines/supervisor.ts';
import type { ServiceSpec, Settlement, SupervisorEvent, UnitFacts } from '../../machines/types.ts';
import { definitionOf, nameOf, reportsTo } from './os-events.ts';
import { beginModel, stepModel, type Deeds, type ModelEvent, type ModelState } from './os.ts';
import { purely, type Action } from './pure.ts';
import { brokenIn, keyOf } from './unit-invariants.ts';

/**
 * Every state of the root and of each unit that was seen, once, with the steps out of it that were taken. The states of
 * a whole system are then combinations of these, and a step that was taken before costs a look into a table.
 */
export interface UnitNode {
  readonly id: number;
  readonly state: ModelState;
  readonly broken: string | null;
  readonly reports: readonly ModelEvent[];
  readonly steps: Map<string, UnitStep>;
}

export interface UnitStep {
  readonly to: UnitNode;
  readonly deeds: Deeds;
}

export interface RootNode {
  readonly id: number;
  readonly snapshot: SupervisorSnapshot;
  readonly steps: Map<string, RootStep>;
}

export interface RootStep {
  readonly to: RootNode;
  readonly sends: readonly { readonly unit: string; readonly event: ModelEvent }[];
  readonly settlements: readonly Settlement[];
  /** Units whose open answers are given for them. */
  readonly abandoned: readonly string[];
}

export interface Atlas {
  readonly root: RootNode;
  unit(spec: ServiceSpec): UnitNode;
  /** A state that something else than a step led to. */
  enter(state: ModelState): UnitNode;
  stepUnit(node: UnitNode, event: ModelEvent): UnitStep;
  stepRoot(node: RootNode, event: SupervisorEvent): RootStep;
}

export function openAtlas(specs: readonly ServiceSpec[]): Atlas {
  const units = new Map<string, UnitNode>();
  const roots = new Map<string, RootNode>();
  const root = purely(supervisorMachine, { specs, tokenSeed: 't', seed: 1, at: 0 });
  const enter = (state: ModelState): UnitNode => {
    const key = `${state.snapshot.context.spec.name}|${keyOf(state)}`;
    const known = units.get(key);
    if (known !== undefined) return known;
    const node: UnitNode = { id: units.size, state, broken: brokenIn(state), reports: reportsTo(state), steps: new Map() };
    units.set(key, node);
    return node;
  };
  const rootNode = (snapshot: SupervisorSnapshot): RootNode => {
    const key = keyOfRoot(snapshot);
    const known = roots.get(key) ?? { id: roots.size, snapshot, steps: new Map<string, RootStep>() };
    roots.set(key, known);
    return known;
  };
  return {
    root: rootNode(root.first), enter,
    unit: (spec) => enter(beginModel(spec, spec.dependsOn.map(({ service }) => service))),
    stepUnit: (node, event) => {
      const key = keyOfUnitEvent(event);
      const known = node.steps.get(key);
      if (known !== undefined) return known;
      const { state, deeds } = stepModel(node.state, event);
      const step = { to: enter(state), deeds };
      node.steps.set(key, step);
      return step;
    },
    stepRoot: (node, event) => {
      const key = keyOfRootEvent(event);
      const known = node.steps.get(key);
      if (known !== undefined) return known;
      const { snapshot, actions } = root.step(node.snapshot, event);
      const step = { to: rootNode(snapshot), ...ordersIn(actions) };
      node.steps.set(key, step);
      return step;
    },
  };
}

function ordersIn(actions: readonly Action[]): Omit<RootStep, 'to'> {
  const sends: { unit: string; event: ModelEvent }[] = [];
  const settlements: Settlement[] = [];
  const abandoned: string[] = [];
  for (const { type, params } of actions) {
    if (type === 'settle') settlements.push(...(params as { settlements: readonly Settlement[] }).settlements);
    if (type === 'abandon') abandoned.push((params as { unit: string }).unit);
    if (type !== 'xstate.sendTo') continue;
    const { targetId, to, event } = params as { targetId?: string; to: { readonly id: string }; event: ModelEvent };
    sends.push({ unit: (targetId ?? to.id).replace(/^unit\./, ''), event });
  }
  return { sends, settlements, abandoned };
}

function keyOfUnitEvent(event: ModelEvent): string {
  if (event.type === 'adopt') return JSON.stringify(event);
  const ticket = 'ticket' in event && event.ticket !== null ? ` ${event.ticket}` : '';
  return event.type === 'hold' ? `hold ${event.dependency} ${event.stops} ${event.lost ?? ''}` : `${nameOf(event)}${ticket}`;
}

function keyOfRootEvent(event: SupervisorEvent): string {
  switch (event.type) {
    case 'unit.changed': return `changed ${event.facts.unit} ${keyOfFacts(event.facts)}`;
    case 'unit.removed': return `removed ${event.unit}`;
    case 'start': case 'stop': return `${event.type} ${event.units.join('+')} ${event.ticket ?? ''}`;
    case 'restart': return `restart ${event.units.join('+')} ${event.ticket ?? ''} ${(event.specs ?? []).map(definitionOf).join('+')}`;
    case 'reload': return `reload ${event.specs.map((spec) => `${spec.name} ${definitionOf(spec)}`).join('+')}`;
    case 'shutdown': return `shutdown ${event.ticket ?? ''}`;
    default: return JSON.stringify(event);
  }
}

/** What the root reads of a unit's facts. */
function keyOfFacts({ state, wanted, outcome, ready, stuck, exit }: UnitFacts): string {
  return `${state} ${wanted} ${outcome} ${ready} ${stuck} ${exit?.code ?? ''}`;
}

function keyOfRoot({ value, context }: SupervisorSnapshot): string {
  const units = [...context.units.values()].map(({ name, spec, facts, told }) => {
    const heard = Object.entries(told).map(([dependency, { met, lost }]) => `${dependency} ${met} ${lost ?? ''}`).join('+');
    return `${name} ${definitionOf(spec)} ${keyOfFacts(facts)} ${heard}`;
  });
  const turns = context.turns.map(({ unit, command, ticket, spec, after }) => `${unit} ${command} ${ticket ?? ''} ${spec === null ? '' : definitionOf(spec)} ${after.join('+')}`);
  return [
    JSON.stringify(value), units.join(';'), turns.join(';'), [...context.expected].sort().join('+'), [...context.returning.keys()].join('+'),
    context.ending, context.exitCode, context.endTickets.join('+'),
  ].join('|');
}
