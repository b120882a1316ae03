import { unitOf } from './context.ts';
import { expect, informDependents, informOf, redefine } from './dependencies.ts';
import { bringUp, cancelRollout, dropUnit, known, send, setUnit, type Draft } from './draft.ts';
import { REMOVED } from './ends.ts';
import type { SupervisorCommand } from './events.ts';
import type { OperationKind, OperationReport, Part } from './operation-facts.ts';
import { answerFor, clearTheWay, openOperation, passAnswers, replacementOf, supersededBy, yieldTurn } from './operations.ts';
import { inOrder, isAboutToChange, isAtRest, withDependencies } from './order.ts';
import { formerOf, keepKind, makeAnew, makeWay } from './returns.ts';
import type { SlotIndex } from './rollout-facts.ts';
import { beginRollout, rollingAmong, undoSwitch } from './rollouts.ts';
import { endChildrenOf } from './spawning.ts';
import type { ServiceFact, Trigger } from './unit-facts.ts';

/** Rules of order: what each command means to which unit, and which units have to make way first. */

type Of<T extends SupervisorCommand['type']> = Extract<SupervisorCommand, { type: T }>;

/** Brings the named units up, and what they need: their dependencies that are down or have failed. */
export function openStart(draft: Draft, { at, units, ticket, origin }: Pick<Of<'start'>, 'at' | 'units' | 'ticket' | 'origin'>, kind: OperationKind = 'start', after: readonly string[] = []): void {
  const named = new Set(known(draft, units, ticket));
  const meant = inOrder(draft.units, [...withDependencies(draft.units, named)].filter((name) => draft.units.has(name) && (named.has(name) || isDown(draft, name))));
  const neededBy = new Map<string, string>();
  for (const name of named) for (const dependency of withDependencies(draft.units, [name])) if (!neededBy.has(dependency)) neededBy.set(dependency, name);
  openOperation(draft, { kind, ticket, at }, meant.map((unit): Part => ({
    unit, command: 'start', after: [...after, ...formerKinds(draft, unit)], owes: ticket !== null && named.has(unit),
    origin: named.has(unit) ? (origin ?? { kind: 'command', by: 'start' }) : { kind: 'dependency', by: neededBy.get(unit) ?? null },
  })));
  expect(draft, meant, at);
}

/** The first start of a supervisor: what the last one left and the file does not name is gone before that, as with a reload. */
export function openFirstStart(draft: Draft, event: Of<'start'>): void {
  openStart(draft, event, 'boot', leaving(draft));
}

/** Units that a reload has removed and that have not ended yet. */
export function leaving(draft: Draft): readonly string[] {
  return [...draft.units.values()].filter(({ leaves, facts }) => leaves && !isAtRest(facts)).map(({ name }) => name);
}

/** Each unit stops when those of the same command that need it are down. */
export function openStop(draft: Draft, { at, units, ticket }: Of<'stop'>): void {
  const names = known(draft, units, ticket);
  openOperation(draft, { kind: 'stop', ticket, at }, downwards(draft, names, { command: 'stop', origin: { kind: 'command', by: 'stop' }, owes: ticket !== null }));
  for (const name of names) {
    informDependents(draft, name, at);
    cancelRollout(draft, name, 'stop', at);
  }
}

export function openShutdown(draft: Draft, at: number, origin: Trigger): void {
  for (const { name, returning } of draft.units.values()) if (returning !== null) yieldTurn(draft, name, 'the supervisor is shutting down', at);
  openOperation(draft, { kind: 'shutdown', ticket: null, at }, downwards(draft, [...draft.units.keys()], { command: 'stop', origin, owes: false }));
  for (const name of draft.units.keys()) informDependents(draft, name, at);
  for (const name of draft.rollouts.keys()) cancelRollout(draft, name, 'shutdown', at);
}

/**
 * Down in the order of a stop, up in the order of a start: a unit comes back when its dependencies have. What can be
 * replaced beside itself is replaced, which those that need it do not notice.
 */
export function openRestart(draft: Draft, { at, units, specs: changed, ticket, slots }: Of<'restart'>): void {
  const specs = new Map((changed ?? []).map((spec) => [spec.name, spec]));
  learnSlots(draft, slots);
  const origin = { kind: 'command', by: 'restart' } as const;
  const names = known(draft, units, ticket);
  for (const name of names) {
    const spec = specs.get(name) ?? null;
    if (spec !== null && !makeAnew(draft, name, spec) && keepKind(draft, name)) send(draft, name, { type: 'reload', at, spec });
  }
  const isOfItsKind = (name: string): boolean => draft.units.get(name)?.returning == null;
  const rolling = rollingAmong(draft, names.filter(isOfItsKind), (name) => specs.get(name) ?? draft.units.get(name)?.spec);
  const plain = names.filter((name) => !rolling.has(name));
  for (const name of names) {
    const spec = specs.get(name);
    if (spec !== undefined && isOfItsKind(name)) redefine(draft, name, spec, at, !rolling.has(name));
  }
  const order = { origin, owes: ticket !== null };
  openOperation(draft, { kind: 'restart', ticket, at }, [
    ...downwards(draft, plain, { command: 'restart', ...order }), ...replacements(draft, rolling, order),
  ]);
  expect(draft, plain, at);
  for (const name of plain) informDependents(draft, name, at);
  // What a new definition needs may have been there for long, and then says nothing more.
  for (const name of names) if (specs.has(name)) informOf(draft, name, at);
  for (const name of names) cancelRollout(draft, name, 'restart', at);
}

/** The turn of these units has come. */
export function giveOrders(draft: Draft, { at, operation, parts }: Extract<OperationReport, { type: 'operation.order' }>): void {
  for (const part of parts) {
    const unit = draft.units.get(part.unit);
    if (unit?.turn?.operation !== operation) {
      // A later command has taken the turn in the very step in which it came, which this operation could not know. One that it joined answers for both.
      if (part.owes && unit?.turn?.joined.includes(operation) === false) answerFor(draft, operation, part.unit, supersededBy(unit.turn.command), at);
      continue;
    }
    const { joined } = unit.turn;
    setUnit(draft, { ...unit, turn: null, expected: isAboutToChange(unit.facts, part.command) });
    const ticket = part.owes ? operation : null;
    const open = part.command === 'stop' ? undefined : draft.openSwitches.get(part.unit);
    if (open !== undefined) undoSwitch(draft, { unit: part.unit, slots: open });
    const tickets = ticket === null ? joined : [...joined, ticket];
    if (part.command === 'stop') send(draft, part.unit, { type: 'stop', at, ticket, origin: part.origin });
    else if (part.command === 'rollout') beginRollout(draft, part.unit, tickets, at);
    else bringUp(draft, part.unit, part.command === 'restart' ? { type: 'restart', spec: unit.spec } : { type: 'start', origin: part.origin }, tickets, at);
    // One that is where the order wants it has nothing to report.
    if (!isAboutToChange(unit.facts, part.command)) informDependents(draft, part.unit, at);
    clearTheWay(draft, part.unit, at);
  }
}

/** A unit's actor is gone for good, or until it is made anew as the other kind. */
export function takeAway(draft: Draft, { unit: name, at, settlements }: Extract<ServiceFact, { type: 'unit.removed' }>, mayReturn: boolean): void {
  const { ref = null, returning = null } = draft.units.get(name) ?? {};
  const comes = mayReturn ? returning : null;
  if (ref !== null) draft.ended.push(ref);
  passAnswers(draft, settlements, at);
  endChildrenOf(draft, name);
  if (comes === null) yieldTurn(draft, name, REMOVED, at);
  const { turn = null } = draft.units.get(name) ?? {};
  dropUnit(draft, name);
  cancelRollout(draft, name, 'stop', at);
  if (comes !== null) {
    setUnit(draft, { ...unitOf(comes, at), turn });
    informOf(draft, name, at);
    makeWay(draft, name);
  }
  informDependents(draft, name, at);
  clearTheWay(draft, name, at);
}

/** Slots that are known from before, of units that were not known to have any. */
export function learnSlots(draft: Draft, slots: Readonly<Record<string, SlotIndex>> = {}): void {
  for (const [unit, slot] of Object.entries(slots)) if (!draft.slots.has(unit)) draft.slots = new Map(draft.slots).set(unit, slot);
}

/** Each of them when those that need it are out of the way. */
function downwards(
  draft: Draft, names: readonly string[], { command, origin, owes }: Pick<Part, 'origin' | 'owes'> & { readonly command: 'stop' | 'restart' },
): readonly Part[] {
  const together = new Set(names);
  return [...inOrder(draft.units, names)].reverse().map((unit) => ({
    unit, command, origin, owes,
    after: [...(draft.dependents.get(unit) ?? []).filter((name) => together.has(name)), ...(command === 'restart' ? formerKinds(draft, unit) : [])],
  }));
}

function formerKinds(draft: Draft, unit: string): readonly string[] {
  return draft.units.get(unit)?.returning == null ? [] : [formerOf(unit)];
}

/** Replacements one after the other, each after those of its dependencies and after an earlier one of its own. */
export function replacements(draft: Draft, names: ReadonlySet<string>, { origin, owes }: Pick<Part, 'origin' | 'owes'>): readonly Part[] {
  return inOrder(draft.units, names).map((unit) => ({
    unit, command: 'rollout', origin, owes,
    after: [
      ...(draft.rollouts.has(unit) ? [replacementOf(unit)] : []),
      ...[...withDependencies(draft.units, [unit])].filter((name) => name !== unit && (isInTransition(draft, name) || names.has(name))),
    ],
  }));
}

function isInTransition(draft: Draft, name: string): boolean {
  return draft.rollouts.has(name) || draft.units.get(name)?.turn != null || draft.units.get(name)?.expected === true;
}

function isDown(draft: Draft, name: string): boolean {
  const unit = draft.units.get(name);
  // One that is about to be stopped, too.
  return unit !== undefined && (unit.facts.wanted === 'down' || unit.facts.state === 'failed' || unit.turn?.command === 'stop');
}
