import { isAnnounced } from './check.ts';
import { afterService } from './children.ts';
import { rollsOver } from './consequence.ts';
import { type Rollout } from './context.ts';
import { expect, restartPlainly } from './dependencies.ts';
import { setRollout, setUnit, type Draft } from './draft.ts';
import { clearTheWay, passAnswers, replacementOf, sendWay } from './operations.ts';
import { inOrder, restartsWith } from './order.ts';
import type { RolloutFact, SlotChange, SwitchRecord } from './rollout-facts.ts';
import type { ServiceRef } from './service.ts';
import { gateOf, inSlot } from './slots.ts';
import { takeChildren } from './spawning.ts';
import type { ServiceSpec } from './spec.ts';
import type { Place, ServiceFact, Settlement, UnitFacts } from './unit-facts.ts';

/** What the root does about units that are replaced by a candidate beside them. */

/** Of the named units those that are to be replaced that way: they run, say so, and do not go down with a dependency. */
export function rollingAmong(draft: Draft, names: readonly string[], specOf: (name: string) => ServiceSpec | undefined): ReadonlySet<string> {
  const rolling = new Set<string>();
  for (const name of inOrder(draft.units, names)) {
    const spec = specOf(name);
    const facts = draft.units.get(name)?.facts;
    if (spec === undefined || facts === undefined || !rollsOver(spec, facts.state, facts.wanted)) continue;
    const goesDown = spec.dependsOn.some((edge) => names.includes(edge.service) && !rolling.has(edge.service) && restartsWith(edge));
    if (!goesDown) rolling.add(name);
  }
  return rolling;
}

/** A candidate beside the running instance; a unit that does not run any more starts in the plain way. */
export function beginRollout(draft: Draft, name: string, tickets: readonly number[], at: number): void {
  const unit = draft.units.get(name);
  if (unit === undefined) return;
  const { spec } = unit;
  if (!rollsOver(spec, unit.facts.state, unit.facts.wanted)) return restartPlainly(draft, name, tickets, at);
  const from = draft.slots.get(name) ?? 0;
  const slots: SlotChange | null = spec.deployment.blueGreen === null ? null : { from, to: from === 0 ? 1 : 0 };
  setRollout(draft, {
    unit: name, spec, former: unit.inForce, slots, mode: 'replace', tickets, ref: null, facts: null, calledOff: false, owed: [],
    aside: { place: 'candidate', ref: null, facts: { ...unit.facts, place: 'candidate', state: 'stopped', phase: 'stopped', pid: null } },
  });
  for (const [dependency, { lost }] of Object.entries(unit.informed)) {
    if (lost !== null) draft.rolloutSends.push({ to: 'aside', unit: name, event: { type: 'hold', at, dependency, stops: false, lost } });
  }
}

/** A switch that was open when the last supervisor died, or when the unit was stopped. */
export function undoSwitch(draft: Draft, { unit: name, slots }: Pick<SwitchRecord, 'unit' | 'slots'>): void {
  draft.openSwitches = new Map([...draft.openSwitches].filter(([other]) => other !== name));
  const unit = draft.units.get(name);
  if (unit === undefined || unit.spec.deployment.blueGreen === null) return;
  draft.slots = new Map(draft.slots).set(name, slots.from);
  setRollout(draft, {
    unit: name, spec: unit.spec, former: unit.inForce, slots, mode: 'switch-back', tickets: [], ref: null, facts: null, calledOff: false, owed: [],
    aside: { place: 'candidate', ref: null, facts: { ...unit.facts, place: 'candidate' } },
  });
}

/** A switch whose way back was ended with its unit. One that is wanted again meanwhile switches back at once, any other with its next start. */
function leaveOpen(draft: Draft, name: string, slots: SlotChange): void {
  const unit = draft.units.get(name);
  if (unit?.facts.wanted === 'up' && unit.turn?.command !== 'stop') undoSwitch(draft, { unit: name, slots });
  else draft.openSwitches = new Map(draft.openSwitches).set(name, slots);
}

/**
 * The specification of a candidate: tried once, and its failure does not fail the unit. A gate that waits for what the
 * process says of itself is its check from the start, since it is said once.
 */
export function candidateSpec({ spec, slots }: Pick<Rollout, 'spec' | 'slots'>): ServiceSpec {
  const slotted = slots === null ? spec : inSlot(spec, slots.to);
  const gate = gateOf(slotted, slots);
  const placed = gate !== null && isAnnounced(gate.probe) ? { ...slotted, check: gate } : slotted;
  return { ...placed, essential: false, restart: { ...placed.restart, mode: 'never', maxRestarts: 0, noRestartExitCodes: [] } };
}

/** The instance beside the unit becomes the unit, and the unit the instance beside it. */
export function swapInstances(draft: Draft, name: string, at: number): void {
  const rollout = draft.rollouts.get(name);
  const unit = draft.units.get(name);
  if (rollout === undefined || unit === undefined || rollout.aside.ref === null) return;
  const comes = rollout.aside.place === 'candidate';
  const goes: Exclude<Place, 'current'> = comes ? 'retired' : 'candidate';
  if (rollout.slots !== null) draft.slots = new Map(draft.slots).set(name, comes ? rollout.slots.to : rollout.slots.from);
  const facts: UnitFacts = { ...rollout.aside.facts, place: 'current', wanted: 'up' };
  setUnit(draft, { ...unit, ref: rollout.aside.ref, facts, inForce: comes ? rollout.spec.definition : rollout.former });
  // A cron unit is never replaced beside itself.
  setRollout(draft, { ...rollout, aside: { place: goes, ref: unit.ref as ServiceRef | null, facts: { ...unit.facts, place: goes } } });
  const spec = comes ? inSlot(rollout.spec, draft.slots.get(name) ?? 0) : null;
  // First the record of the one that goes: a supervisor that dies between the two would leave a process that nobody knows.
  draft.rolloutSends.push({ to: 'aside', unit: name, event: { type: 'move', at, from: 'current', to: goes, spec: null } });
  draft.rolloutSends.push({ to: 'unit', unit: name, event: { type: 'move', at, from: rollout.aside.place, to: 'current', spec } });
  for (const [dependency, { met, lost }] of Object.entries(unit.informed)) {
    // It was made without them.
    if (comes && !met) draft.rolloutSends.push({ to: 'unit', unit: name, event: { type: 'hold', at, dependency, stops: false, lost } });
  }
}

export function informRollout(draft: Draft, facts: UnitFacts): void {
  if (draft.rollouts.get(facts.unit)?.ref != null) draft.rolloutSends.push({ to: 'rollout', unit: facts.unit, event: { type: 'instance.changed', at: facts.at, facts } });
}

// ─── Reports ─────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Of the instance beside the current one the rollout alone is informed. */
export function followAside(draft: Draft, { facts, settlements, at }: Extract<ServiceFact, { type: 'unit.changed' }>): void {
  const rollout = draft.rollouts.get(facts.unit);
  if (rollout !== undefined && rollout.aside.place === facts.place) setRollout(draft, { ...rollout, aside: { ...rollout.aside, facts } });
  // A candidate that has not begun still counts from the unit's own process.
  if (facts.generation !== draft.units.get(facts.unit)?.facts.generation) takeChildren(draft, afterService(draft.children, facts));
  informRollout(draft, facts);
  passAnswers(draft, settlements, at);
}

export function reportAsideGone(draft: Draft, { unit, at, settlements }: Extract<ServiceFact, { type: 'unit.removed' }>): void {
  const actor = draft.rollouts.get(unit)?.aside.ref;
  if (actor != null) draft.ended.push(actor);
  draft.rolloutSends.push({ to: 'rollout', unit, event: { type: 'aside.gone', at } });
  passAnswers(draft, settlements, at);
}

export function followRollout(draft: Draft, { facts, switchOpen, at }: RolloutFact): void {
  const rollout = draft.rollouts.get(facts.unit);
  if (rollout === undefined) return;
  if (facts.step !== 'done') return setRollout(draft, { ...rollout, facts });
  if (rollout.ref !== null) draft.ended.push(rollout.ref);
  const rollouts = new Map(draft.rollouts);
  rollouts.delete(facts.unit);
  draft.rollouts = rollouts;
  if (switchOpen && rollout.slots !== null) leaveOpen(draft, facts.unit, rollout.slots);
  passAnswers(draft, [...answersOf(facts, rollout.tickets), ...rollout.owed], at);
  if (facts.result === 'replace') {
    expect(draft, [facts.unit], at);
    restartPlainly(draft, facts.unit, rollout.tickets, at, 'not rolling: its address is in use while the old instance runs');
  }
  sendWay(draft, { type: 'way.clear', at, unit: replacementOf(facts.unit), isDown: true, isThrough: true });
  clearTheWay(draft, facts.unit, at);
}

/** A rollout that gives way to a plain restart leaves the answer to that one. */
function answersOf({ unit, result, reason }: RolloutFact['facts'], tickets: readonly number[]): readonly Settlement[] {
  if (result === 'replace') return [];
  const [answer, error] = result === 'replaced' ? ['started' as const, null] : ['failed' as const, reason ?? 'called off'];
  return tickets.map((ticket) => ({ ticket, unit, result: answer, error }));
}
