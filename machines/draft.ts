import type { AnyActorRef } from 'xstate';
import { dependentsIn, type Rollout, type SupervisorContext, type Unit } from './context.ts';
import type { ServiceCommand, SupervisorFact } from './events.ts';
import type { OperationEvent } from './operation-facts.ts';
import { isAtRest } from './order.ts';
import type { CancelReason, RolloutEvent } from './rollout-setup.ts';
import { inSlot } from './slots.ts';
import type { SpawnedEvent } from './spawned.ts';
import type { Dependency } from './spec.ts';
import { SECOND_INSTANCE, type Settlement } from './unit-facts.ts';

/** An action of the root in the making: the context to come, and what goes to whom. */
export type Draft = { -readonly [Key in keyof SupervisorContext]: SupervisorContext[Key] } & {
  readonly sends: { readonly unit: string; readonly event: ServiceCommand }[];
  readonly rolloutSends: RolloutSend[];
  readonly operationSends: { readonly operation: number; readonly event: OperationEvent }[];
  readonly childSends: { readonly child: string; readonly event: SpawnedEvent }[];
  /** Answers that no operation gives. */
  readonly settlements: Settlement[];
  /** Keys of units, and of instances beside them, that are looked up in the ledger. */
  readonly lookups: string[];
  readonly facts: SupervisorFact[];
  /** Actors that are stopped, and spawned ones by name. */
  readonly ended: (AnyActorRef | string)[];
  /** A unit, or a spawned child, without an actor was set. */
  makesUnits: boolean;
  makesChildren: boolean;
};

/** In the order in which they are carried out, after those to units alone. */
export type RolloutSend =
  | { readonly to: 'aside' | 'unit'; readonly unit: string; readonly event: ServiceCommand }
  | { readonly to: 'rollout'; readonly unit: string; readonly event: RolloutEvent };

export type Coming =
  | Omit<Extract<ServiceCommand, { type: 'start' }>, 'at' | 'ticket'>
  | Omit<Extract<ServiceCommand, { type: 'restart' }>, 'at' | 'ticket'>;

/** Each property by its name: copied as a whole, an object that XState has put together costs ten times as much. */
export function drafted(context: SupervisorContext, at: number): Draft {
  return {
    units: context.units, dependents: context.dependents, busy: context.busy, underOrder: context.underOrder, operations: context.operations, children: context.children,
    childrenMade: context.childrenMade, rollouts: context.rollouts, openSwitches: context.openSwitches, slots: context.slots, tokenSeed: context.tokenSeed,
    unitsMade: context.unitsMade, seed: context.seed, crashes: context.crashes, exitCode: context.exitCode, hurried: context.hurried, endTickets: context.endTickets,
    now: Math.max(context.now, at), sends: [], rolloutSends: [], operationSends: [], childSends: [], settlements: [], lookups: [], facts: [], ended: [],
    makesUnits: false, makesChildren: false,
  };
}

/** Those properties of `before` that `after` has another value of; `null`: none. */
export function changesOf<Whole extends object>(before: Whole, after: Whole): Partial<Whole> | null {
  const changes: Partial<Whole> = {};
  let count = 0;
  for (const key in before) {
    if (before[key] === after[key]) continue;
    changes[key] = after[key];
    count += 1;
  }
  return count === 0 ? null : changes;
}

export function setUnit(draft: Draft, unit: Unit): void {
  const old = draft.units.get(unit.name);
  draft.busy += Number(isBusy(unit)) - Number(old !== undefined && isBusy(old));
  draft.underOrder += Number(isUnderOrder(unit)) - Number(old !== undefined && isUnderOrder(old));
  draft.units = draft.units.set(unit.name, unit);
  draft.makesUnits ||= unit.ref === null;
  noteNeeds(draft, old?.spec.dependsOn, unit.spec.dependsOn);
}

export function dropUnit(draft: Draft, name: string): void {
  const old = draft.units.get(name);
  if (old === undefined) return;
  draft.busy -= Number(isBusy(old));
  draft.underOrder -= Number(isUnderOrder(old));
  draft.units = draft.units.delete(name);
  noteNeeds(draft, old.spec.dependsOn, []);
}

/** A file that was read again has other lists with the same in them: looking through all units for each of them would cost the square of their number. */
function noteNeeds(draft: Draft, before: readonly Dependency[] = [], after: readonly Dependency[]): void {
  if (before.length !== after.length || before.some(({ service }, place) => service !== after[place]?.service)) draft.dependents = dependentsIn(draft.units);
}

export function setRollout(draft: Draft, rollout: Rollout): void {
  draft.rollouts = new Map(draft.rollouts).set(rollout.unit, rollout);
}

/** To the unit; a definition goes in the unit's slot, and what concerns its dependencies goes to the instance beside it too. */
export function send(draft: Draft, unit: string, event: ServiceCommand): void {
  if (!draft.units.has(unit)) return;
  const slotted = (event.type === 'restart' || event.type === 'reload') && event.spec !== null ? { ...event, spec: inSlot(event.spec, draft.slots.get(unit) ?? 0) } : event;
  draft.sends.push({ unit, event: slotted });
  const concernsBoth = (event.type === 'hold' || event.type === 'release') && event.dependency !== SECOND_INSTANCE;
  if (concernsBoth && draft.rollouts.get(unit)?.aside.ref != null) draft.rolloutSends.push({ to: 'aside', unit, event });
}

/** The first of the tickets goes with the order, the others with starts, which join it. */
export function bringUp(draft: Draft, unit: string, order: Coming, tickets: readonly number[], at: number): void {
  const [first = null, ...others] = tickets;
  send(draft, unit, { ...order, at, ticket: first });
  for (const ticket of others) send(draft, unit, { ...order, type: 'start', at, ticket });
}

/** Those of the named units that there are; for the others the client gets an error. */
export function known(draft: Draft, names: readonly string[], ticket: number | null): readonly string[] {
  for (const unit of names) {
    if (!draft.units.has(unit)) refuse(draft, { ticket, unit, error: `Service '${unit}' not found in configuration` });
  }
  return names.filter((name) => draft.units.has(name));
}

/** Calls off the unit's rollout, where there is one. */
export function cancelRollout(draft: Draft, unit: string, because: CancelReason, at: number): void {
  const rollout = draft.rollouts.get(unit);
  if (rollout === undefined) return;
  setRollout(draft, { ...rollout, calledOff: true });
  draft.rolloutSends.push({ to: 'rollout', unit, event: { type: 'cancel', at, because } });
}

export function refuse(draft: Draft, { ticket, unit, error }: { readonly ticket: number | null; readonly unit: string; readonly error: string }): void {
  if (ticket !== null) draft.settlements.push({ ticket, unit, result: 'failed', error });
}

function isUnderOrder({ turn, expected }: Unit): boolean {
  return turn !== null || expected;
}

function isBusy({ facts }: Unit): boolean {
  return !isAtRest(facts) && !facts.stuck;
}
