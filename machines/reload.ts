import { consequenceOf } from './consequence.ts';
import { unitOf } from './context.ts';
import { informOf, redefine, restartInstead } from './dependencies.ts';
import { cancelRollout, send, setUnit, type Draft } from './draft.ts';
import { REMOVED } from './ends.ts';
import type { SupervisorCommand } from './events.ts';
import { isAskedFor, joinedBy, joinTurn, openOperation, sendWay, yieldTurn } from './operations.ts';
import { leaving, learnSlots, openStart, replacements } from './orders.ts';
import { keepKind, makeAnew } from './returns.ts';
import { rollingAmong } from './rollouts.ts';
import type { ServiceSpec } from './spec.ts';
import type { Trigger } from './unit-facts.ts';

/** What a new configuration means to the units that there are, and which ones come with it. */

const RELOAD: Trigger = { kind: 'reload', by: null };

/** Takes over a whole configuration. What it removes is gone before what it adds is started. */
export function openReload(draft: Draft, event: Extract<SupervisorCommand, { type: 'reload' }>): void {
  const { at } = event;
  const specs = new Map(event.specs.map((spec) => [spec.name, spec]));
  learnSlots(draft, event.slots);
  const present = [...draft.units.values()];
  const removed = present.filter(({ name }) => !specs.has(name)).map(({ name }) => name);
  for (const name of removed) {
    yieldTurn(draft, name, REMOVED, at);
    keepKind(draft, name);
    noteLeaves(draft, name, true);
    send(draft, name, { type: 'reload', at, spec: null });
    cancelRollout(draft, name, 'stop', at);
  }
  const rolling = rollingAmong(draft, present.filter(({ name }) => meansAnotherProcess(draft, name, specs.get(name))).map(({ name }) => name), (name) => specs.get(name));
  /** Units that are to come up as the other kind, with the operations that wait for that already. */
  const anew = new Map<string, readonly number[]>();
  for (const { name } of present) {
    const spec = specs.get(name);
    const unit = draft.units.get(name);
    if (spec === undefined || unit === undefined || isComing(draft, spec)) continue;
    const asked = isAskedFor(draft, name);
    if (!rolling.has(name)) cancelRollout(draft, name, 'reload', at);
    const comesUp = unit.leaves || (unit.turn === null ? unit.facts.wanted === 'up' : unit.turn.command !== 'stop');
    if (unit.leaves) {
      noteLeaves(draft, name, false);
      // What an earlier reload or the first start is to bring waits for its end, which may not come now.
      sendWay(draft, { type: 'way.clear', at, unit: name, isDown: true, isThrough: false }, ['reload', 'boot']);
    }
    if (makeAnew(draft, name, spec)) {
      if (comesUp) anew.set(name, joinedBy(draft, name, 'restart', at));
      else if (event.ticket != null) draft.settlements.push({ ticket: event.ticket, unit: name, result: 'stopped', error: null });
      continue;
    }
    const comesBack = keepKind(draft, name);
    redefine(draft, name, spec, at, !rolling.has(name));
    if (rolling.has(name)) continue;
    // It changes what a restart that goes on leads to.
    if (asked) restartInstead(draft, name, at);
    else send(draft, name, { type: 'reload', at, spec });
    if (comesBack && !comesUp) send(draft, name, { type: 'stop', at, ticket: null, origin: RELOAD });
  }
  const fresh = event.specs.filter(({ name }) => !draft.units.has(name));
  for (const spec of fresh) setUnit(draft, unitOf(spec, at));
  openOperation(draft, { kind: 'reload', ticket: null, at }, replacements(draft, rolling, { origin: RELOAD, owes: false }));
  for (const name of rolling) cancelRollout(draft, name, 'reload', at);
  openStart(draft, { at, units: [...fresh.map(({ name }) => name), ...anew.keys()], ticket: event.ticket ?? null, origin: RELOAD }, 'reload', leaving(draft));
  for (const [name, operations] of anew) joinTurn(draft, name, operations);
  for (const name of draft.units.keys()) informOf(draft, name, at);
}

function noteLeaves(draft: Draft, name: string, leaves: boolean): void {
  const unit = draft.units.get(name);
  if (unit !== undefined) setUnit(draft, { ...unit, leaves });
}

/** The rollout that the definition asks for goes on already. */
function isComing(draft: Draft, { name, definition }: ServiceSpec): boolean {
  const rollout = draft.rollouts.get(name);
  return rollout?.aside.place === 'candidate' && !rollout.calledOff
    && rollout.spec.definition.process === definition.process && rollout.spec.definition.policy === definition.policy;
}

function meansAnotherProcess(draft: Draft, name: string, spec: ServiceSpec | undefined): boolean {
  const unit = draft.units.get(name);
  return spec !== undefined && unit !== undefined && !isComing(draft, spec)
    && (isAskedFor(draft, name) || consequenceOf({ ...unit.facts, spec: { ...unit.spec, definition: unit.inForce } }, spec) === 'replace');
}
