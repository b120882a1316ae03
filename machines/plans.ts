import { exitCodeOf } from './policy.ts';
import { pending, unitOf, type Plan, type SupervisorContext } from './context.ts';
import { cancelRollout, drafted, dropUnit, hearNews, known, redefine, send, setUnit, type Draft } from './draft.ts';
import { tellRollout } from './rollout-plans.ts';
import { callOffFor, rollingAmong, undoSwitch } from './rollouts.ts';
import { addChild, takeChildren } from './spawn-plans.ts';
import { afterService, isLiving } from './spawning.ts';
import { dropTurns, expect, finished, lostAmong, queue, queueRollouts, startInto } from './turns.ts';
import { SECOND_INSTANCE } from './types.ts';
import type { AdoptOrder, ServiceSpec, SlotIndex, SupervisorCommand, Trigger, UnitFacts, UnitRecord } from './types.ts';

/**
 * What the root does with an event, as data: the context after it, the events for the units, the answers for the
 * clients. Pure, so that order and tickets can be read and tested without an actor.
 */

type Of<T extends SupervisorCommand['type']> = Extract<SupervisorCommand, { type: T }>;

export const CRASHES_ALLOWED = { count: 3, windowMs: 60_000 } as const;

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
    dropTurns(draft, [name], 'removed from the configuration');
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

/** Slots that are known from before, of units that were not known to have any. */
function learnSlots(draft: Draft, slots: Readonly<Record<string, SlotIndex>> = {}): void {
  for (const [unit, slot] of Object.entries(slots)) if (!draft.slots.has(unit)) draft.slots.set(unit, slot);
}

function isSame(one: ServiceSpec['definition'], other: ServiceSpec['definition']): boolean {
  return one.process === other.process && one.policy === other.policy;
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

