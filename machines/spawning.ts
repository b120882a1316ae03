import type { ChildCause, ChildFact, ChildFacts, ChildRecord } from './child-facts.ts';
import { afterChange, childSpec, depthOf, isLiving, refusalOf, type ChildEnding, type Children } from './children.ts';
import type { Unit } from './context.ts';
import { refuse, type Draft } from './draft.ts';
import type { SupervisorCommand } from './events.ts';
import type { UnitFacts } from './unit-facts.ts';

/** What the root does about processes that services spawn through the socket. */

const NOTHING = { children: 0, depth: 0, descendants: 0, totalMemoryBytes: null, terminationPolicy: 'cascade' } as const;

/** A child of a dynamic service, when its limits let it be. */
export function spawnChildOf(draft: Draft, { order, usedBytes, ticket, at }: Extract<SupervisorCommand, { type: 'spawn' }>): void {
  const unit = draft.units.get(order.unit);
  const refusal = refusalOfParent(unit, draft.rollouts.get(order.unit)?.aside.facts ?? null, order.generation)
    ?? refusalOf(draft.children, unit?.spec.spawn ?? NOTHING, order, usedBytes, at);
  if (refusal !== null) refuse(draft, { ticket, unit: order.unit, error: refusal });
  else addChild(draft, { order, depth: depthOf(draft.children, order), startedAt: at, identity: null }, ticket, at);
}

function refusalOfParent(unit: Unit | undefined, aside: UnitFacts | null, generation: number): string | null {
  if (unit?.spec.spawn == null) return 'Spawn authorization failed: No spawn tree found for process';
  const { facts, name } = unit;
  const serves = [facts, aside].some((instance) => instance?.generation === generation && (instance.state === 'running' || instance.state === 'starting'));
  return serves ? null : `Spawn authorization failed: service '${name}' is ${facts.phase}`;
}

export function addChild(draft: Draft, known: Omit<ChildRecord, 'id' | 'token'> & Partial<ChildRecord>, ticket: number | null, at: number): void {
  draft.childrenMade += 1;
  const fresh = `${draft.tokenSeed}.c${draft.childrenMade}`;
  const record: ChildRecord = { ...known, id: known.id ?? fresh, token: known.token ?? fresh };
  const { id, order, depth } = record;
  const service = draft.units.get(order.unit)?.spec;
  if (service === undefined) return;
  const facts: ChildFacts = { child: id, unit: order.unit, state: record.identity === null ? 'spawning' : 'living', cause: null, identity: record.identity, exit: null, stuck: false, at };
  draft.children = new Map(draft.children).set(id, { record, spec: childSpec(service, order, depth), parent: order.parent, ref: null, facts, ticket });
  draft.makesChildren = true;
}

export function takeChildren(draft: Draft, { children, endings }: { readonly children: Children; readonly endings: readonly ChildEnding[] }): void {
  draft.children = children;
  for (const { child, cause } of endings) endChild(draft, child, cause);
}

/** What a child's actor reported, and what follows for the others. */
export function followChild(draft: Draft, { facts, settlements }: Pick<ChildFact, 'facts' | 'settlements'>): void {
  if (facts.state === 'gone') draft.ended.push(actorOf(facts.child));
  takeChildren(draft, afterChange(draft.children, facts, (unit) => draft.units.get(unit)?.spec.spawn?.terminationPolicy ?? 'cascade'));
  draft.settlements.push(...settlements);
}

/** Those of all processes of a unit. */
export function endChildrenOf(draft: Draft, unit: string): void {
  for (const child of draft.children.values()) if (child.record.order.unit === unit && isLiving(child)) endChild(draft, child.record.id, 'service');
}

export function endChild(draft: Draft, child: string, cause: ChildCause): void {
  draft.childSends.push({ child, event: { type: 'end', at: draft.now, cause } });
}

/** The name of a child's actor. */
export function actorOf(child: string): string {
  return `child.${child}`;
}
