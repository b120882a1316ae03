import { unitOf, type SupervisorContext } from './context.ts';
import { informOf } from './dependencies.ts';
import { cancelRollout, refuse, send, setRollout, setUnit, type Draft } from './draft.ts';
import type { SupervisorCommand } from './events.ts';
import { answerFor } from './operations.ts';
import { recordKey } from './service-facts.ts';
import { SECOND_INSTANCE, type AdoptOrder, type UnitRecord } from './unit-facts.ts';

/**
 * Actors that threw. The actor is gone, its process is not: the ledger knows it, and another actor takes it over. What an operation still owes nobody else
 * knows: the root fails with it, and the next supervisor takes everything over.
 */

const CRASHES_ALLOWED = { count: 3, windowMs: 60_000 } as const;
const CRASHED = 'the supervisor failed while it looked after the unit';

export function noteCrash(draft: Draft, event: object): void {
  const { whose, error } = crashOf(draft, event);
  if (whose === null) return;
  if (whose.part === 'operation') throw new Error(error);
  const { unit, part } = whose;
  draft.facts.push({ type: 'unit.crashed', at: draft.now, unit, error });
  if (part === 'child') {
    const child = draft.children.get(whose.id);
    if (child?.facts.identity === null) refuse(draft, { ticket: child.ticket, unit, error: CRASHED });
    draft.children = withoutActor(draft.children, whose.id);
    draft.makesChildren = true;
    return;
  }
  const recent = (draft.crashes.get(unit) ?? []).filter((at) => at > draft.now - CRASHES_ALLOWED.windowMs);
  draft.crashes = new Map(draft.crashes).set(unit, [...recent, draft.now]);
  for (const [operation, { units }] of draft.operations) {
    if (units.has(unit)) answerFor(draft, operation, unit, CRASHED, draft.now);
  }
  const rollout = draft.rollouts.get(unit);
  if (part !== 'rollout') draft.lookups.push(part === 'unit' ? unit : recordKey(unit, rollout?.aside.place ?? 'candidate'));
  else if (rollout !== undefined) {
    if (rollout.ref !== null) draft.ended.push(rollout.ref);
    setRollout(draft, { ...rollout, ref: null, mode: rollout.aside.place === 'retired' ? 'retire' : 'abandon', tickets: [] });
  }
}

/** A new actor takes over what the old one had; a unit that keeps throwing is failed; an instance beside a unit is taken over to be ended. */
export function adoptAgain(draft: Draft, { unit: name, adopt, at }: Extract<SupervisorCommand, { type: 'recovered' }>): void {
  if (name.includes('/')) return adoptAside(draft, name, adopt, at);
  const unit = draft.units.get(name);
  if (unit === undefined) return;
  if (unit.ref !== null) draft.ended.push(unit.ref);
  setUnit(draft, { ...unit, ref: null, informed: unitOf(unit.spec, at).informed });
  if (draft.rollouts.has(name)) send(draft, name, { type: 'hold', at, dependency: SECOND_INSTANCE, stops: false, lost: null });
  const broken = (draft.crashes.get(name) ?? []).length >= CRASHES_ALLOWED.count;
  if (adopt !== null) {
    const owns = adopt.verdict === 'alive' || adopt.verdict === 'dead';
    const record: UnitRecord = broken ? { ...adopt.record, state: owns ? 'stopping' : 'failed', cause: 'internal' } : adopt.record;
    send(draft, name, { type: 'adopt', at, record, verdict: broken && !owns ? 'rest' : adopt.verdict });
  } else if (unit.facts.wanted === 'up') send(draft, name, { type: 'start', at, ticket: null });
  informOf(draft, name, at);
}

/** `name`: the key of the instance in the ledger. */
function adoptAside(draft: Draft, name: string, adopt: AdoptOrder | null, at: number): void {
  const [unit = name] = name.split('/');
  const rollout = draft.rollouts.get(unit);
  if (rollout === undefined) return;
  if (rollout.aside.ref !== null) draft.ended.push(rollout.aside.ref);
  setRollout(draft, { ...rollout, aside: { ...rollout.aside, ref: null } });
  if (adopt !== null) draft.rolloutSends.push({ to: 'aside', unit, event: { type: 'adopt', at, record: adopt.record, verdict: adopt.verdict } });
  cancelRollout(draft, unit, 'internal', at);
}

/** A child whose actor threw gets another one; one whose process is unknown is left to its service's end. */
function withoutActor(children: SupervisorContext['children'], id: string): SupervisorContext['children'] {
  const child = children.get(id);
  const left = new Map(children);
  if (child === undefined || child.facts.identity === null || child.facts.state !== 'living') left.delete(id);
  else left.set(id, { ...child, record: { ...child.record, identity: child.facts.identity }, ref: null, ticket: null });
  return left;
}

/** XState's own event, which the union of ours does not name. */
function crashOf(context: SupervisorContext, event: object): {
  readonly whose: { readonly unit: string; readonly id: string; readonly part: 'unit' | 'aside' | 'rollout' | 'child' | 'operation' } | null; readonly error: string;
} {
  const id = 'actorId' in event ? event.actorId : null;
  const error = 'error' in event ? event.error : null;
  const parts = [
    ...[...context.units.values()].map(({ name, ref }) => ({ unit: name, id: name, part: 'unit' as const, ref })),
    ...[...context.rollouts.values()].flatMap(({ unit, ref, aside }) => [{ unit, id: unit, part: 'aside' as const, ref: aside.ref }, { unit, id: unit, part: 'rollout' as const, ref }]),
    ...[...context.children.values()].map(({ record, ref }) => ({ unit: record.order.unit, id: record.id, part: 'child' as const, ref })),
    ...[...context.operations.values()].map(({ input, ref }) => ({ unit: '', id: String(input.id), part: 'operation' as const, ref })),
  ];
  return { whose: parts.find(({ ref }) => ref !== null && ref.id === id) ?? null, error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}
