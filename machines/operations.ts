import { setRollout, setUnit, type Draft } from './draft.ts';
import { REMOVED } from './ends.ts';
import type { OperationEvent, OperationKind, Part } from './operation-facts.ts';
import { isAtRest } from './order.ts';
import type { Settlement } from './unit-facts.ts';

/** What the root does about operations: they are opened, given the answers of units and the way that units make, and lose units to later ones. */

export function openOperation(draft: Draft, { kind, ticket, at }: { readonly kind: OperationKind; readonly ticket: number | null; readonly at: number }, asked: readonly Part[]): void {
  if (asked.length === 0) return;
  // The least that no open operation has.
  let id = 1;
  while (draft.operations.has(id)) id += 1;
  const parts: Part[] = [];
  for (const part of asked) {
    const { unit: name, command, owes } = part;
    const joins = command === 'start' && joinsRestart(draft, name, owes ? [id] : []);
    // One that a restart answers waits with that, and for nobody itself.
    parts.push(joins ? { ...part, after: [] } : part);
    if (joins) continue;
    // It stays up, so that nobody waits for it to be down any more.
    if (command === 'rollout' && draft.units.get(name)?.turn != null) sendWay(draft, { type: 'way.clear', at, unit: name, isDown: true, isThrough: false });
    const joined = command === 'stop' ? [] : joinedBy(draft, name, command, at);
    yieldTurn(draft, name, supersededBy(command), at);
    const unit = draft.units.get(name);
    if (unit !== undefined) setUnit(draft, { ...unit, turn: { operation: id, command, joined } });
  }
  draft.operations = new Map(draft.operations).set(id, {
    input: { id, kind, ticket, parts, at, parent: null }, units: new Set(parts.map(({ unit }) => unit)), blockers: new Set(parts.flatMap(({ after }) => after)), ref: null,
  });
}

/** Whether a unit has made way: it is down, or it is up again, or still, after all that it was ordered to do. A replacement waits for the latter. */
export function wayOf(draft: Draft, name: string): { readonly isDown: boolean; readonly isThrough: boolean } {
  const unit = draft.units.get(name);
  if (draft.rollouts.has(name) || unit?.turn != null) return { isDown: false, isThrough: false };
  if (unit === undefined) return { isDown: true, isThrough: true };
  const isDown = isAtRest(unit.facts) || unit.facts.stuck;
  return { isDown, isThrough: !unit.expected && (unit.facts.state === 'running' || (isDown && unit.facts.state !== 'waiting')) };
}

/** Gives up the unit's turn in an earlier operation, which answers with `error`. */
export function yieldTurn(draft: Draft, name: string, error: string, at: number): void {
  const unit = draft.units.get(name);
  if (unit?.turn == null) return;
  draft.operationSends.push({ operation: unit.turn.operation, event: { type: 'supersede', at, unit: name, error } });
  for (const operation of unit.turn.joined) answerFor(draft, operation, name, error, at);
  setUnit(draft, { ...unit, turn: null });
}

/** For a unit that has the operation's order, or is taken to have it. */
export function answerFor(draft: Draft, operation: number, unit: string, error: string, at: number): void {
  draft.operationSends.push({ operation, event: { type: 'unit.settled', at, settlement: { ticket: operation, unit, result: 'failed', error } } });
}

export function supersededBy(command: Part['command']): string {
  return `superseded by ${command === 'rollout' ? 'restart' : command}`;
}

/** A client waits for the replacement that has not been made yet. */
export function isAskedFor(draft: Draft, name: string): boolean {
  const rollout = draft.rollouts.get(name);
  return rollout?.aside.place === 'candidate' && !rollout.calledOff && rollout.tickets.length > 0;
}

/** A start of a unit that waits for its restart is answered by the restart. */
function joinsRestart(draft: Draft, name: string, operations: readonly number[]): boolean {
  const unit = draft.units.get(name);
  return (unit?.turn?.command === 'restart' || unit?.turn?.command === 'rollout') && joinTurn(draft, name, operations);
}

/** The unit's next order answers these operations, too; unless it is to go down. */
export function joinTurn(draft: Draft, name: string, operations: readonly number[]): boolean {
  const unit = draft.units.get(name);
  if (unit?.turn == null || unit.turn.command === 'stop') return false;
  setUnit(draft, { ...unit, turn: { ...unit.turn, joined: [...unit.turn.joined, ...operations] } });
  return true;
}

/** Takes the unit's turn of an earlier start or restart, and what a replacement that is to begin again owes. The operations that wait for an answer to either are returned. */
export function joinedBy(draft: Draft, name: string, command: Part['command'], at: number): readonly number[] {
  const unit = draft.units.get(name);
  const rollout = draft.rollouts.get(name);
  const begun = command !== 'start' && isAskedFor(draft, name) ? (rollout?.tickets ?? []) : [];
  if (rollout !== undefined && begun.length > 0) setRollout(draft, { ...rollout, tickets: [] });
  if (unit?.turn == null || unit.turn.command === 'stop') return begun;
  const { operation, joined } = unit.turn;
  draft.operationSends.push({ operation, event: { type: 'join', at, unit: name } });
  setUnit(draft, { ...unit, turn: null });
  const owes = draft.operations.get(operation)?.input.ticket !== null;
  return owes ? [...begun, ...joined, operation] : [...begun, ...joined];
}

/** Stands among those that have to make way for the unit's own replacement that goes on. No unit can have this name. */
export function replacementOf(unit: string): string {
  return `/replacement of ${unit}`;
}

/** Answers go to the operation whose order they answer; those of a stop wait until the second instance is gone too. */
export function passAnswers(draft: Draft, settlements: readonly Settlement[], at: number): void {
  for (const settlement of settlements) {
    const rollout = draft.rollouts.get(settlement.unit);
    const hasSecond = rollout !== undefined && rollout.mode !== 'switch-back';
    // What is made anew as the other kind answers as that.
    if (settlement.error === REMOVED && draft.units.get(settlement.unit)?.returning != null && joinTurn(draft, settlement.unit, [settlement.ticket])) continue;
    if (hasSecond && settlement.result === 'stopped') setRollout(draft, { ...rollout, owed: [...rollout.owed, settlement] });
    else draft.operationSends.push({ operation: settlement.ticket, event: { type: 'unit.settled', at, settlement } });
  }
}

/** Operations in which another unit waits for this one learn that it has made way. */
export function clearTheWay(draft: Draft, unit: string, at: number): void {
  const way = wayOf(draft, unit);
  if (way.isDown || way.isThrough) sendWay(draft, { type: 'way.clear', at, unit, ...way });
}

export function sendWay(draft: Draft, event: Extract<OperationEvent, { type: 'way.clear' }>, kinds: readonly OperationKind[] | null = null): void {
  for (const [operation, { blockers, input }] of draft.operations) {
    if (blockers.has(event.unit) && (kinds === null || kinds.includes(input.kind))) draft.operationSends.push({ operation, event });
  }
}
