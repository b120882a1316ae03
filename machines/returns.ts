import type { Return } from './context.ts';
import { refuse, send, setUnit, type Draft } from './draft.ts';
import type { ServiceSpec } from './spec.ts';
import type { Trigger } from './unit-facts.ts';

/** Units that are made anew, since a service became a cron unit or the reverse: the present actor ends what it owns, and another takes its place. */

/** Begins that where the definition is of the other kind. */
export function makeAnew(draft: Draft, name: string, spec: ServiceSpec | undefined, origin: Trigger, ticket: number | null): boolean {
  const unit = draft.units.get(name);
  if (unit === undefined || spec === undefined || (unit.spec.cron === null) === (spec.cron === null)) return false;
  // What was stopped meanwhile stays down when the file is read again.
  const starts = unit.returning !== null && origin.kind === 'reload' ? unit.returning.origin : origin;
  setUnit(draft, { ...unit, returning: waitedFor({ spec, origin: starts, tickets: unit.returning?.tickets ?? [] }, ticket) });
  send(draft, name, { type: 'reload', at: draft.now, spec: null });
  return true;
}

/** A start of what is being made anew is its start when it is back. The other units are returned. */
export function othersThanReturning(draft: Draft, names: readonly string[], origin: Trigger, ticket: number | null): readonly string[] {
  return names.filter((name) => {
    const unit = draft.units.get(name);
    if (unit?.returning == null) return true;
    setUnit(draft, { ...unit, returning: waitedFor({ ...unit.returning, origin }, ticket) });
    return false;
  });
}

/** Its definition is of the present kind again. The tickets of those that wait for its start are returned. */
export function keepKind(draft: Draft, name: string): readonly number[] {
  const unit = draft.units.get(name);
  if (unit?.returning == null) return [];
  setUnit(draft, { ...unit, returning: null });
  return unit.returning.tickets;
}

/** It is not to be started when it is back. */
export function stayDown(draft: Draft, name: string, error: string): void {
  const unit = draft.units.get(name);
  if (unit?.returning == null) return;
  for (const ticket of unit.returning.tickets) refuse(draft, { ticket, unit: name, error });
  setUnit(draft, { ...unit, returning: { ...unit.returning, origin: null, tickets: [] } });
}

function waitedFor(coming: Return, ticket: number | null): Return {
  return ticket === null ? coming : { ...coming, tickets: [...coming.tickets, ticket] };
}
