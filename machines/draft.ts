import { availability } from './order.ts';
import { PENDING, type Plan, type Rollout, type RolloutSend, type SupervisorContext, type Turn, type Unit } from './context.ts';
import type { CancelReason } from './rollout.ts';
import { inSlot } from './slots.ts';
import type { Child, ChildEnding } from './spawning.ts';
import { SECOND_INSTANCE } from './types.ts';
import type { ServiceCommand, ServiceSpec, Settlement, SlotIndex } from './types.ts';

/** A plan in the making. */
export interface Draft {
  readonly base: SupervisorContext;
  /** Changed by `setUnit` and `dropUnit` alone: a table of a thousand units is copied when it changes, and once. */
  units: ReadonlyMap<string, Unit>;
  turns: readonly Turn[];
  /** The copies that were made. */
  readonly own: { units: Map<string, Unit> | null; expected: Set<string> | null };
  /** Changed by `expectNews` and `hearNews` alone. */
  expected: ReadonlySet<string>;
  readonly returning: Map<string, ServiceSpec>;
  children: ReadonlyMap<string, Child>;
  childrenMade: number;
  readonly rollouts: Map<string, Rollout>;
  readonly slots: Map<string, SlotIndex>;
  readonly sends: { unit: string; event: ServiceCommand }[];
  readonly settlements: Settlement[];
  readonly rolloutSends: RolloutSend[];
  readonly endings: ChildEnding[];
}

export function drafted(context: SupervisorContext): Draft {
  const { turns, children, childrenMade } = context;
  return {
    base: context, units: context.units, turns, expected: context.expected, own: { units: null, expected: null }, returning: new Map(context.returning), children, childrenMade,
    rollouts: new Map(context.rollouts), slots: new Map(context.slots), sends: [], settlements: [], rolloutSends: [], endings: [],
  };
}

/** The plan of a draft that is complete. */
export function planned(draft: Draft, at: number): Plan {
  const { base, units, turns, expected, returning, children, childrenMade, rollouts, slots, sends, settlements, rolloutSends, endings } = draft;
  return {
    context: { ...base, units, turns, expected, returning, children, childrenMade, rollouts, slots, now: Math.max(base.now, at) },
    sends, settlements, rolloutSends, endings,
  };
}

export function setUnit(draft: Draft, unit: Unit): void {
  ownUnits(draft).set(unit.name, unit);
}

export function dropUnit(draft: Draft, name: string): void {
  if (draft.units.has(name)) ownUnits(draft).delete(name);
}

/** The unit was sent on its way: what is known of it is about to change. */
export function expectNews(draft: Draft, name: string): void {
  if (!draft.expected.has(name)) ownExpected(draft).add(name);
}

export function hearNews(draft: Draft, name: string): void {
  if (draft.expected.has(name)) ownExpected(draft).delete(name);
}

function ownUnits(draft: Draft): Map<string, Unit> {
  draft.own.units ??= new Map(draft.base.units);
  draft.units = draft.own.units;
  return draft.own.units;
}

function ownExpected(draft: Draft): Set<string> {
  draft.own.expected ??= new Set(draft.base.expected);
  draft.expected = draft.own.expected;
  return draft.own.expected;
}

/** Calls off the unit's rollout, where there is one. */
export function cancelRollout(draft: Draft, unit: string, because: CancelReason, at: number): void {
  const rollout = draft.rollouts.get(unit);
  if (rollout === undefined) return;
  draft.rollouts.set(unit, { ...rollout, calledOff: true });
  draft.rolloutSends.push({ to: 'rollout', unit, event: { type: 'cancel', at, because } });
}

/** To the unit; a definition goes in the unit's slot, and what its dependencies are up to the instance beside it learns too. */
export function send(draft: Draft, unit: string, event: ServiceCommand): void {
  if (!draft.units.has(unit)) return;
  draft.sends.push({ unit, event: slotted(draft, unit, event) });
  const concernsBoth = (event.type === 'hold' || event.type === 'release') && event.dependency !== SECOND_INSTANCE;
  if (concernsBoth && draft.rollouts.get(unit)?.aside.ref != null) draft.rolloutSends.push({ to: 'aside', unit, event });
}

function slotted(draft: Draft, unit: string, event: ServiceCommand): ServiceCommand {
  return (event.type === 'restart' || event.type === 'reload') && event.spec !== null
    ? { ...event, spec: inSlot(event.spec, slotOf(draft, unit)) } : event;
}

export function slotOf({ slots }: Pick<Draft, 'slots'>, unit: string): SlotIndex {
  return slots.get(unit) ?? 0;
}

export function known(draft: Draft, names: readonly string[], ticket: number | null): readonly string[] {
  for (const unit of names) {
    if (!draft.units.has(unit)) answer(draft, { ticket, unit, error: `Service '${unit}' not found in configuration` });
  }
  return names.filter((name) => draft.units.has(name));
}

export function answer(draft: Draft, refusal: { ticket: number | null; unit: string; error: string }): void {
  const { ticket, unit, error } = refusal;
  if (ticket !== null) draft.settlements.push({ ticket, unit, result: 'failed', error });
}

export function tellDependencies(draft: Draft, name: string, at: number): void {
  const unit = draft.units.get(name);
  if (unit === undefined || unit.spec.dependsOn.length === 0) return;
  const told = { ...unit.told };
  let changed = false;
  for (const edge of unit.spec.dependsOn) {
    const dependency = draft.units.get(edge.service);
    // A replacement is no news to those that need the unit.
    const turn = draft.turns.find(({ unit: waiting, command }) => waiting === edge.service && command !== 'rollout');
    const news = turn !== undefined || draft.expected.has(edge.service) ? PENDING : availability(edge, dependency);
    const old = told[edge.service] ?? PENDING;
    if (news.met === old.met && news.lost === old.lost) continue;
    told[edge.service] = news;
    changed = true;
    const stops = old.met && edge.onRestart === 'restart' && edge.condition !== 'completed' && dependency?.facts.wanted === 'up' && turn?.command !== 'stop';
    send(draft, name, news.met
      ? { type: 'release', at, dependency: edge.service }
      : { type: 'hold', at, dependency: edge.service, stops, lost: news.lost });
    if (!news.met && stops) cancelRollout(draft, name, 'hold', at);
  }
  if (changed) setUnit(draft, { ...unit, told });
}

/** A new definition: edges that went are released, edges that came hold until they are met. `inForce`: of the present instance already. */
export function redefine(draft: Draft, name: string, spec: ServiceSpec, at: number, inForce = true): void {
  const unit = draft.units.get(name);
  if (unit === undefined) return;
  const kept = new Set(spec.dependsOn.map(({ service }) => service));
  for (const { service } of unit.spec.dependsOn) if (!kept.has(service)) send(draft, name, { type: 'release', at, dependency: service });
  for (const service of kept) {
    if (!Object.hasOwn(unit.told, service)) send(draft, name, { type: 'hold', at, dependency: service, stops: false, lost: null });
  }
  setUnit(draft, {
    ...unit, spec, inForce: inForce ? spec.definition : unit.inForce,
    told: Object.fromEntries([...kept].map((service) => [service, unit.told[service] ?? PENDING])),
  });
}
