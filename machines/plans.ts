import { exitCodeOf } from './policy.ts';
import { pending, unitOf, type Plan, type Rollout, type SupervisorContext, type Unit } from './context.ts';
import { answer, cancelRollout, drafted, dropUnit, hearNews, known, planned, redefine, send, setUnit, type Draft } from './draft.ts';
import type { RolloutOrder } from './rollout.ts';
import { callOffFor, rollingAmong, swapInstances, undoSwitch } from './rollouts.ts';
import { afterChange, afterService, childSpec, depthOf, isLiving, refusalOf, type ChildEnding } from './spawning.ts';
import { dropTurns, expect, finished, lostAmong, queue, queueRollouts, startInto } from './turns.ts';
import { SECOND_INSTANCE } from './types.ts';
import type {
  AdoptOrder, ChildFacts, ChildRecord, RolloutFacts, ServiceSpec, SlotIndex, SupervisorCommand, Trigger, UnitFacts, UnitRecord,
} from './types.ts';

/**
 * What the root does with an event, as data: the context after it, the events for the units, the answers for the
 * clients. Pure, so that order and tickets can be read and tested without an actor.
 */
type Of<T extends SupervisorCommand['type']> = Extract<SupervisorCommand, { type: T }>;

export const CRASHES_ALLOWED = { count: 3, windowMs: 60_000 } as const;
const NOTHING = { children: 0, depth: 0, descendants: 0, totalMemoryBytes: null, terminationPolicy: 'cascade' } as const;

export function planBoot(context: SupervisorContext, event: Of<'boot'>): Plan {
  const draft = drafted(context);
  for (const { record, verdict } of event.adopt) send(draft, record.unit, { type: 'adopt', at: event.at, record, verdict });
  for (const { record, alive } of event.children ?? []) if (alive) addChild(draft, record, null, event.at);
  for (const open of event.switches ?? []) undoSwitch(draft, open);
  startInto(draft, event.start, null, event.at, { kind: 'boot', by: null });
  return finished(draft, event.at);
}

/** Brings the named units up, and what they need: their dependencies that are down or have failed. */
export function planStart(context: SupervisorContext, event: Of<'start'>): Plan {
  const draft = drafted(context);
  startInto(draft, known(draft, event.units, event.ticket), event.ticket, event.at, event.origin);
  return finished(draft, event.at);
}

/** Each unit stops when those of the same command that need it are down. */
export function planStop(context: SupervisorContext, event: Of<'stop'>): Plan {
  const draft = drafted(context);
  const names = known(draft, event.units, event.ticket);
  queue(draft, names, 'stop', event.ticket, new Map());
  callOffFor(draft, names, 'stop', event.at);
  return finished(draft, event.at);
}

/**
 * Down in the order of a stop, up in the order of a start: a unit comes back when its dependencies have. What can be
 * replaced beside itself is, without a word to those that need it.
 */
export function planRestart(context: SupervisorContext, event: Of<'restart'>): Plan {
  const draft = drafted(context);
  const names = known(draft, event.units, event.ticket);
  const specs = new Map((event.specs ?? []).map((spec) => [spec.name, spec]));
  learnSlots(draft, event.slots);
  const rolling = rollingAmong(draft, names, (name) => specs.get(name) ?? draft.units.get(name)?.spec);
  const plain = names.filter((name) => !rolling.has(name));
  for (const name of names) {
    const spec = specs.get(name);
    if (spec !== undefined) redefine(draft, name, spec, event.at, !rolling.has(name));
  }
  expect(draft, plain, event.at);
  queue(draft, plain, 'restart', event.ticket, specs);
  queueRollouts(draft, rolling, event.ticket, specs, { kind: 'command', by: 'restart' });
  callOffFor(draft, names, 'restart', event.at);
  const plan = finished(draft, event.at);
  const lost = lostAmong(plan.context, plain);
  return { ...plan, sends: [...plan.sends, ...lost.map(({ unit, dependency, reason }) => ({
    unit, event: { type: 'hold' as const, at: event.at, dependency, stops: false, lost: reason },
  }))] };
}

export function planReload(context: SupervisorContext, event: Of<'reload'>): Plan {
  const draft = drafted(context);
  const specs = new Map(event.specs.map((spec) => [spec.name, spec]));
  learnSlots(draft, event.slots);
  for (const name of context.units.keys()) {
    if (specs.has(name)) continue;
    send(draft, name, { type: 'reload', at: event.at, spec: null });
    callOffFor(draft, [name], 'stop', event.at);
  }
  const fresh = event.specs.filter((spec) => !context.units.has(spec.name));
  for (const spec of fresh) setUnit(draft, unitOf(spec, event.at));
  draft.returning.clear();
  const kept = event.specs.filter((spec) => context.units.has(spec.name));
  // On its way already: the rollout goes on.
  const coming = (spec: ServiceSpec): boolean => {
    const rollout = context.rollouts.get(spec.name);
    return rollout?.aside.place === 'candidate' && !rollout.calledOff && isSame(rollout.spec.definition, spec.definition);
  };
  const changed = kept.filter((spec) => !coming(spec) && context.units.get(spec.name)?.inForce.process !== spec.definition.process).map(({ name }) => name);
  const rolling = rollingAmong(draft, changed, (name) => specs.get(name));
  for (const spec of kept) {
    const unit = context.units.get(spec.name);
    if (unit === undefined || coming(spec)) continue;
    callOffFor(draft, [spec.name], 'reload', event.at);
    if ((unit.spec.cron === null) !== (spec.cron === null)) {
      draft.returning.set(spec.name, spec);
      send(draft, spec.name, { type: 'reload', at: event.at, spec: null });
      continue;
    }
    redefine(draft, spec.name, spec, event.at, !rolling.has(spec.name));
    if (!rolling.has(spec.name)) send(draft, spec.name, { type: 'reload', at: event.at, spec });
  }
  queueRollouts(draft, rolling, null, specs, { kind: 'reload', by: null });
  startInto(draft, fresh.map((spec) => spec.name), null, event.at, { kind: 'reload', by: null });
  return finished(draft, event.at);
}

export function planChange(context: SupervisorContext, facts: UnitFacts): Plan {
  const draft = drafted(context);
  const unit = draft.units.get(facts.unit);
  if (unit !== undefined) setUnit(draft, { ...unit, facts });
  hearNews(draft, facts.unit);
  takeChildren(draft, afterService(draft.children, facts));
  tellRollout(draft, facts);
  return finished(draft, facts.at, facts.unit);
}

/** Of the instance beside the current one nobody but the rollout is told. */
export function planAsideChange(context: SupervisorContext, facts: UnitFacts): Plan {
  const draft = drafted(context);
  const rollout = draft.rollouts.get(facts.unit);
  if (rollout !== undefined && rollout.aside.place === facts.place) draft.rollouts.set(facts.unit, { ...rollout, aside: { ...rollout.aside, facts } });
  // A candidate that has not begun still counts from the unit's own process.
  if (facts.generation !== draft.units.get(facts.unit)?.facts.generation) takeChildren(draft, afterService(draft.children, facts));
  tellRollout(draft, facts);
  return planned(draft, facts.at);
}

export function planAsideGone(context: SupervisorContext, unit: string, at: number): Plan {
  const draft = drafted(context);
  draft.rolloutSends.push({ to: 'rollout', unit, event: { type: 'aside.gone', at } });
  return planned(draft, at);
}

/** What a rollout asks for: an order to one of the two instances, or that the other one becomes the unit. */
export function planRolloutOrder(context: SupervisorContext, order: RolloutOrder): Plan {
  const draft = drafted(context);
  if (order.type === 'rollout.swap') swapInstances(draft, order.unit, order.at);
  else if (order.to === 'current') send(draft, order.unit, order.order);
  else draft.rolloutSends.push({ to: 'aside', unit: order.unit, event: order.order });
  return finished(draft, order.at, order.unit);
}

/** A rollout's news; when it is done, whoever waited for it has its turn. */
export function planRolloutChange(context: SupervisorContext, facts: RolloutFacts): Plan {
  const draft = drafted(context);
  const rollout = draft.rollouts.get(facts.unit);
  if (rollout === undefined) return planned(draft, facts.at);
  if (facts.step !== 'done') draft.rollouts.set(facts.unit, { ...rollout, facts });
  else endRollout(draft, rollout, facts);
  return finished(draft, facts.at, facts.unit);
}

function endRollout(draft: Draft, { unit, ticket, spec }: Rollout, { result, at }: RolloutFacts): void {
  draft.rollouts.delete(unit);
  if (result !== 'replace') return;
  expect(draft, [unit], at);
  redefine(draft, unit, spec, at);
  const note = 'not rolling: its address is in use while the old instance runs';
  draft.turns = [...draft.turns, { unit, command: 'restart', ticket, origin: { kind: 'command', by: 'rollout' }, spec, after: [], note }];
}

function tellRollout(draft: Draft, facts: UnitFacts): void {
  if (draft.rollouts.get(facts.unit)?.ref != null) draft.rolloutSends.push({ to: 'rollout', unit: facts.unit, event: { type: 'instance.changed', at: facts.at, facts } });
}

/** Slots that are known from before, of units that were not known to have any. */
function learnSlots(draft: Draft, slots: Readonly<Record<string, SlotIndex>> = {}): void {
  for (const [unit, slot] of Object.entries(slots)) if (!draft.slots.has(unit)) draft.slots.set(unit, slot);
}

function isSame(one: ServiceSpec['definition'], other: ServiceSpec['definition']): boolean {
  return one.process === other.process && one.policy === other.policy;
}

/** A child of a dynamic service, when its limits let it be. */
export function planSpawn(context: SupervisorContext, { order, usedBytes, ticket, at }: Of<'spawn'>): Plan {
  const draft = drafted(context);
  const unit = draft.units.get(order.unit);
  const refusal = refusalOfParent(unit, draft.rollouts.get(order.unit)?.aside.facts ?? null, order.generation) ?? refusalOf(draft.children, unit?.spec.spawn ?? NOTHING, order, usedBytes, at);
  if (refusal !== null) answer(draft, { ticket, unit: order.unit, error: refusal });
  else addChild(draft, { order, depth: depthOf(draft.children, order), startedAt: at, identity: null }, ticket, at);
  return finished(draft, at);
}

export function planChildChange(context: SupervisorContext, facts: ChildFacts): Plan {
  const draft = drafted(context);
  takeChildren(draft, afterChange(draft.children, facts, (unit) => draft.units.get(unit)?.spec.spawn?.terminationPolicy ?? 'cascade'));
  return finished(draft, facts.at);
}

/** More memory than its service's children may use. */
export function planChildLimit(context: SupervisorContext, child: string, at: number): Plan {
  const draft = drafted(context);
  if (draft.children.has(child)) draft.endings.push({ child, cause: 'limit' });
  return finished(draft, at);
}

function refusalOfParent(unit: Unit | undefined, aside: UnitFacts | null, generation: number): string | null {
  if (unit?.spec.spawn == null) return 'Spawn authorization failed: No spawn tree found for process';
  const { facts, name } = unit;
  const serves = [facts, aside].some((instance) => instance?.generation === generation && (instance.state === 'running' || instance.state === 'starting'));
  return serves ? null : `Spawn authorization failed: service '${name}' is ${facts.phase}`;
}

export function planRemoved(context: SupervisorContext, name: string, at: number): Plan {
  const draft = drafted(context);
  dropUnit(draft, name);
  hearNews(draft, name);
  dropTurns(draft, [name], 'removed from the configuration');
  callOffFor(draft, [name], 'stop', at);
  for (const child of draft.children.values()) {
    if (child.record.order.unit === name && isLiving(child)) draft.endings.push({ child: child.record.id, cause: 'service' });
  }
  const spec = draft.returning.get(name);
  if (spec !== undefined && !context.ending) {
    draft.returning.delete(name);
    setUnit(draft, unitOf(spec, at));
    startInto(draft, [name], null, at, { kind: 'reload', by: null });
  }
  return finished(draft, at);
}

export function planEnding(context: SupervisorContext, at: number, exitCode: number, origin: Trigger = { kind: 'command', by: 'shutdown' }): Plan {
  const draft = drafted({ ...context, ending: true, exitCode });
  queue(draft, [...draft.units.keys()], 'stop', null, new Map(), origin);
  callOffFor(draft, draft.rollouts.keys(), 'shutdown', at);
  return finished(draft, at);
}

/**
 * A new actor for a unit whose actor threw takes over what the old one had; a unit that keeps throwing is failed. An
 * instance beside a unit is taken over to be ended.
 */
export function planRecovered(context: SupervisorContext, name: string, adopt: AdoptOrder | null, at: number): Plan {
  const draft = drafted(context);
  const [owner = name] = name.split('/');
  if (owner !== name) {
    if (adopt !== null) draft.rolloutSends.push({ to: 'aside', unit: owner, event: { type: 'adopt', at, record: adopt.record, verdict: adopt.verdict } });
    cancelRollout(draft, owner, 'internal', at);
    return finished(draft, at);
  }
  const unit = draft.units.get(name);
  if (unit === undefined) return finished(draft, at);
  setUnit(draft, { ...unit, told: pending(unit.spec) });
  if (draft.rollouts.has(name)) send(draft, name, { type: 'hold', at, dependency: SECOND_INSTANCE, stops: false, lost: null });
  const broken = (context.crashes.get(name) ?? []).length >= CRASHES_ALLOWED.count;
  if (adopt !== null) {
    const owns = adopt.verdict === 'alive' || adopt.verdict === 'dead';
    const record: UnitRecord = broken ? { ...adopt.record, state: owns ? 'stopping' : 'failed', cause: 'internal' } : adopt.record;
    send(draft, name, { type: 'adopt', at, record, verdict: broken && !owns ? 'rest' : adopt.verdict });
  } else if (unit.facts.wanted === 'up') {
    send(draft, name, { type: 'start', at, ticket: null });
  }
  if (context.ending) send(draft, name, { type: 'stop', at, ticket: null });
  return finished(draft, at);
}

/** The exit code with which the end of an essential unit ends everything; null when it does not. */
export function endingOf(context: SupervisorContext, facts: UnitFacts): number | null {
  const spec = context.units.get(facts.unit)?.spec;
  if (spec === undefined || !spec.essential) return null;
  if (facts.state === 'failed') return exitCodeOf(facts.exit) || 1;
  return facts.state === 'stopped' && facts.outcome === 'completed' && spec.restart.oneshot ? exitCodeOf(facts.exit) : null;
}

function addChild(draft: Draft, known: Omit<ChildRecord, 'id' | 'token'> & Partial<ChildRecord>, ticket: number | null, at: number): void {
  draft.childrenMade += 1;
  const fresh = `${draft.base.tokenSeed}.c${draft.childrenMade}`;
  const record: ChildRecord = { ...known, id: known.id ?? fresh, token: known.token ?? fresh };
  const { id, order, depth } = record;
  const service = draft.units.get(order.unit)?.spec;
  if (service === undefined) return;
  const facts: ChildFacts = { child: id, unit: order.unit, state: record.identity === null ? 'spawning' : 'living', cause: null, identity: record.identity, exit: null, stuck: false, at };
  draft.children = new Map(draft.children).set(id, { record, spec: childSpec(service, order, depth), parent: order.parent, ref: null, facts, ticket });
}

function takeChildren(draft: Draft, { children, endings }: { readonly children: Draft['children']; readonly endings: readonly ChildEnding[] }): void {
  draft.children = children;
  draft.endings.push(...endings);
}
