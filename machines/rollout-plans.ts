import type { Plan, Rollout, SupervisorContext } from './context.ts';
import { drafted, planned, redefine, send, type Draft } from './draft.ts';
import type { RolloutOrder } from './rollout.ts';
import { swapInstances } from './rollouts.ts';
import { takeChildren } from './spawn-plans.ts';
import { afterService } from './spawning.ts';
import { expect, finished } from './turns.ts';
import type { RolloutFacts, UnitFacts } from './types.ts';

/** What the root does with the news and the orders of rollouts, as data. */

/** Of the instance beside the current one nobody but the rollout is told. */
export function planAsideChange(context: SupervisorContext, facts: UnitFacts): Plan {
  const draft = drafted(context);
  const rollout = draft.rollouts.get(facts.unit);
  if (rollout !== undefined && rollout.aside.place === facts.place) draft.rollouts.set(facts.unit, { ...rollout, aside: { ...rollout.aside, facts } });
  // A candidate that has not begun still counts from the unit's own process.
  if (facts.generation !== draft.units.get(facts.unit)?.facts.generation) takeChildren(draft, afterService(draft.children, facts));
  tellRollout(draft, facts);
  return planned(draft, facts.at);
}

export function planAsideGone(context: SupervisorContext, unit: string, at: number): Plan {
  const draft = drafted(context);
  draft.rolloutSends.push({ to: 'rollout', unit, event: { type: 'aside.gone', at } });
  return planned(draft, at);
}

/** What a rollout asks for: an order to one of the two instances, or that the other one becomes the unit. */
export function planRolloutOrder(context: SupervisorContext, order: RolloutOrder): Plan {
  const draft = drafted(context);
  if (order.type === 'rollout.swap') swapInstances(draft, order.unit, order.at);
  else if (order.to === 'current') send(draft, order.unit, order.order);
  else draft.rolloutSends.push({ to: 'aside', unit: order.unit, event: order.order });
  return finished(draft, order.at, order.unit);
}

/** A rollout's news; when it is done, whoever waited for it has its turn. */
export function planRolloutChange(context: SupervisorContext, facts: RolloutFacts): Plan {
  const draft = drafted(context);
  const rollout = draft.rollouts.get(facts.unit);
  if (rollout === undefined) return planned(draft, facts.at);
  if (facts.step !== 'done') draft.rollouts.set(facts.unit, { ...rollout, facts });
  else endRollout(draft, rollout, facts);
  return finished(draft, facts.at, facts.unit);
}

function endRollout(draft: Draft, { unit, ticket, spec }: Rollout, { result, at }: RolloutFacts): void {
  draft.rollouts.delete(unit);
  if (result !== 'replace') return;
  expect(draft, [unit], at);
  redefine(draft, unit, spec, at);
  const note = 'not rolling: its address is in use while the old instance runs';
  draft.turns = [...draft.turns, { unit, command: 'restart', ticket, origin: { kind: 'command', by: 'rollout' }, spec, after: [], note }];
}

export function tellRollout(draft: Draft, facts: UnitFacts): void {
  if (draft.rollouts.get(facts.unit)?.ref != null) draft.rolloutSends.push({ to: 'rollout', unit: facts.unit, event: { type: 'instance.changed', at: facts.at, facts } });
}
