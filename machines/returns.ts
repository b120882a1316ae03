import { send, setUnit, type Draft } from './draft.ts';
import { sendWay } from './operations.ts';
import type { ServiceSpec } from './spec.ts';

/**
 * Units that are made anew, since a service became a cron unit or the reverse: the present actor ends what it owns, and another takes its place. What is to
 * start the unit waits for that as it waits for other units: see `replacementOf`.
 */

/** Stands among those that have to make way for a start of the unit: its actor of the other kind. No unit can have this name. */
export function formerOf(unit: string): string {
  return `/former kind of ${unit}`;
}

/** Begins that where the definition is of the other kind. */
export function makeAnew(draft: Draft, name: string, spec: ServiceSpec | undefined): boolean {
  const unit = draft.units.get(name);
  if (unit === undefined || spec === undefined || (unit.spec.cron === null) === (spec.cron === null)) return false;
  setUnit(draft, { ...unit, returning: spec });
  send(draft, name, { type: 'reload', at: draft.now, spec: null });
  return true;
}

/** Its definition is of the present kind again, and the actor is to come back; or the unit is removed. Whether it was to be made anew. */
export function keepKind(draft: Draft, name: string): boolean {
  const unit = draft.units.get(name);
  if (unit?.returning == null) return false;
  setUnit(draft, { ...unit, returning: null });
  makeWay(draft, name);
  return true;
}

export function makeWay(draft: Draft, name: string): void {
  sendWay(draft, { type: 'way.clear', at: draft.now, unit: formerOf(name), isDown: true, isThrough: true });
}
