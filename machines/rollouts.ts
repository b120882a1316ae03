import type { Rollout, Turn, Unit } from './context.ts';
import { answer, cancelRollout, expectNews, send, setUnit, slotOf, type Draft } from './draft.ts';
import { inOrder } from './order.ts';
import type { ServiceRef } from './service.ts';
import { gateOf, inSlot } from './slots.ts';
import { isAnnounced, type Place, type ServiceSpec, type SlotChange, type SwitchRecord, type UnitFacts } from './types.ts';

/** What the root does about units that are replaced by a candidate beside them. */

/** Of the named units, which are to be replaced that way: those that run, say so, and do not go down with a dependency. */
export function rollingAmong(draft: Draft, names: readonly string[], specOf: (name: string) => ServiceSpec | undefined): ReadonlySet<string> {
  const rolling = new Set<string>();
  for (const name of inOrder(draft.units, names)) {
    const spec = specOf(name);
    const facts = draft.units.get(name)?.facts;
    if (spec === undefined || facts === undefined || !rollsOver(spec, facts)) continue;
    const goesDown = spec.dependsOn.some(({ service, onRestart }) => names.includes(service) && !rolling.has(service) && onRestart === 'restart');
    if (!goesDown) rolling.add(name);
  }
  return rolling;
}

function rollsOver(spec: ServiceSpec, facts: UnitFacts): boolean {
  return spec.deployment.strategy === 'rolling' && spec.cron === null && facts.state === 'running' && facts.wanted === 'up';
}

/** A candidate beside the running instance; a unit that does not run any more starts in the plain way. */
export function beginRollout(draft: Draft, { unit: name, spec: named, ticket }: Turn, at: number): void {
  const unit = draft.units.get(name);
  if (unit === undefined) return answer(draft, { ticket, unit: name, error: 'removed from the configuration' });
  const spec = named ?? unit.spec;
  if (!rollsOver(spec, unit.facts)) {
    expectNews(draft, name);
    setUnit(draft, { ...unit, inForce: spec.definition });
    return send(draft, name, { type: 'restart', at, ticket, spec });
  }
  const from = slotOf(draft, name);
  const slots: SlotChange | null = spec.deployment.blueGreen === null ? null : { from, to: from === 0 ? 1 : 0 };
  draft.rollouts.set(name, {
    unit: name, spec, former: unit.inForce, slots, mode: 'replace', ticket, ref: null, facts: null, calledOff: false,
    aside: { place: 'candidate', ref: null, facts: { ...unit.facts, place: 'candidate', state: 'stopped', phase: 'stopped', pid: null } },
  });
}

/** A switch that was open when the last supervisor died. */
export function undoSwitch(draft: Draft, { unit: name, slots }: SwitchRecord): void {
  const unit = draft.units.get(name);
  if (unit === undefined || unit.spec.deployment.blueGreen === null) return;
  draft.slots.set(name, slots.from);
  draft.rollouts.set(name, {
    unit: name, spec: unit.spec, former: unit.inForce, slots, mode: 'switch-back', ticket: null, ref: null, facts: null, calledOff: false,
    aside: { place: 'candidate', ref: null, facts: { ...unit.facts, place: 'candidate' } },
  });
}

/**
 * The specification of a candidate: tried once, and nothing hangs on it. A gate that waits for what the process says of
 * itself is its check from the start, since it is said once.
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
  if (rollout.slots !== null) draft.slots.set(name, comes ? rollout.slots.to : rollout.slots.from);
  const facts: UnitFacts = { ...rollout.aside.facts, place: 'current', wanted: 'up' };
  setUnit(draft, { ...unit, ref: rollout.aside.ref, facts, inForce: comes ? rollout.spec.definition : rollout.former });
  if (isService(unit)) draft.rollouts.set(name, { ...rollout, aside: { place: goes, ref: unit.ref, facts: { ...unit.facts, place: goes } } });
  const spec = comes ? inSlot(rollout.spec, slotOf(draft, name)) : null;
  send(draft, name, { type: 'move', at, from: rollout.aside.place, to: 'current', spec });
  // It was made without them.
  for (const [dependency, { met, lost }] of Object.entries(unit.told)) if (comes && !met) send(draft, name, { type: 'hold', at, dependency, stops: false, lost });
  draft.rolloutSends.push({ to: 'aside', unit: name, event: { type: 'move', at, from: 'current', to: goes, spec: null } });
}

/** Whether the unit is through with what it was told together with those that need it. */
export function hasRolledOver(draft: Draft, name: string): boolean {
  return !draft.rollouts.has(name) && !draft.turns.some((turn) => turn.unit === name) && !draft.expected.has(name);
}

/** A restart or reload of units that are being replaced begins again with the newest definition. */
export function callOffFor(draft: Draft, names: Iterable<string>, because: 'restart' | 'reload' | 'stop' | 'shutdown', at: number): void {
  for (const name of names) cancelRollout(draft, name, because, at);
}

/** Cron units are never replaced beside themselves. */
function isService(unit: Unit): unit is Unit & { readonly ref: ServiceRef } {
  return unit.ref !== null && unit.spec.cron === null;
}
