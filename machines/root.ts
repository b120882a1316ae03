import { assign, setup } from 'xstate';
import { isLiving } from './children.ts';
import type { SupervisorContext } from './context.ts';
import { changesOf, drafted, type Draft } from './draft.ts';
import type { SupervisorEvent, SupervisorFact } from './events.ts';
import { publishedJob } from './job.ts';
import type { OperationReport } from './operation-facts.ts';
import { publishedOperation } from './operation.ts';
import { notProvided } from './ports.ts';
import type { SlotIndex } from './rollout-facts.ts';
import type { RolloutOrder } from './rollout-setup.ts';
import { publishedRollout } from './rollout.ts';
import { candidateSpec } from './rollouts.ts';
import type { ServiceInput } from './service-facts.ts';
import { inSlot } from './slots.ts';
import { publishedSpawned } from './spawned.ts';
import { actorOf } from './spawning.ts';
import type { ServiceSpec } from './spec.ts';
import { SECOND_INSTANCE, type Settlement } from './unit-facts.ts';
import { publishedService } from './unit.ts';

/** How the root acts: a step works on a draft of the context; what the draft has for others is carried out after it, in one place. */

export interface SupervisorInput {
  readonly specs: readonly ServiceSpec[];
  /** Makes the tokens of this run unlike those of any other. */
  readonly tokenSeed: string;
  /** Of the units' jitter. */
  readonly seed: number;
  /** Of blue-green units; without one the first slot holds. */
  readonly slots?: Readonly<Record<string, SlotIndex>>;
  readonly at: number;
}

export type RootEvent = SupervisorEvent | RolloutOrder | OperationReport;
export type Of<T extends RootEvent['type']> = Extract<RootEvent, { type: T }>;

/** @internal Its type would be a third of all declarations, and nobody outside needs it; so would those of what it makes. */
export const rootSetup = setup({
  types: {} as { context: SupervisorContext; events: RootEvent; input: SupervisorInput; emitted: SupervisorFact },
  actors: { service: publishedService, job: publishedJob, spawned: publishedSpawned, rollout: publishedRollout, operation: publishedOperation },
}).extend({
  actions: {
    // Ports: see `provideSupervisor`.
    settle: (_, _params: { settlements: readonly Settlement[] }) => notProvided('ticket'),
    lookup: (_, _params: { unit: string }) => notProvided('lookup'),
    /** All at once: one spawn each would copy the table of children every time. */
    makeUnits: assign(({ context, spawn, self }) => {
      let made = context.unitsMade;
      let { units } = context;
      for (const unit of context.units.values()) {
        if (unit.ref !== null) continue;
        made += 1;
        const held = [...unit.spec.dependsOn.map(({ service }) => service), ...(context.rollouts.has(unit.name) ? [SECOND_INSTANCE] : [])];
        const input: ServiceInput = { ...seedOf(context, made), spec: inSlot(unit.spec, context.slots.get(unit.name) ?? 0), held, parent: self };
        const id = `unit.${unit.name}`;
        units = units.set(unit.name, { ...unit, ref: unit.spec.cron === null ? spawn('service', { id, input }) : spawn('job', { id, input }) });
      }
      return { units, unitsMade: made };
    }),
    /** The instance beside the unit, and the rollout that leads both. */
    makeRollouts: assign(({ context, spawn, self }) => {
      let made = context.unitsMade;
      const rollouts = new Map(context.rollouts);
      for (const rollout of context.rollouts.values()) {
        const { unit, mode, aside, slots } = rollout;
        if (rollout.ref !== null && (aside.ref !== null || mode === 'switch-back')) continue;
        made += 1;
        const spec = candidateSpec(rollout);
        const generation = context.units.get(unit)?.facts.generation ?? 0;
        const asideRef = aside.ref ?? (mode === 'switch-back' ? null : spawn('service', {
          id: `unit.${unit}.${made}`, input: { ...seedOf(context, made), spec, held: unmetOf(context, unit), parent: self, place: aside.place, generation },
        }));
        const ref = rollout.ref ?? spawn('rollout', { id: `rollout.${unit}.${made}`, input: { spec, slots, mode, at: context.now, parent: self } });
        rollouts.set(unit, { ...rollout, ref, aside: { ...aside, ref: asideRef } });
      }
      return { rollouts, unitsMade: made };
    }),
    makeChildren: assign(({ context, spawn, self }) => {
      const children = new Map(context.children);
      for (const [id, child] of children) {
        if (child.ref !== null || !isLiving(child)) continue;
        const { record, spec, ticket } = child;
        children.set(id, { ...child, ref: spawn('spawned', { id: actorOf(id), input: { record, spec, ticket, parent: self } }) });
      }
      return { children };
    }),
    makeOperations: assign(({ context, spawn, self }) => {
      const operations = new Map(context.operations);
      for (const [id, operation] of operations) {
        if (operation.ref === null) operations.set(id, { ...operation, ref: spawn('operation', { id: `operation.${id}`, input: { ...operation.input, parent: self } }) });
      }
      return { operations };
    }),
  },
});

/** @internal A step of the root for one kind of event. */
export function act<Type extends RootEvent['type']>(_type: Type, work: (draft: Draft, event: Of<Type>) => void) {
  return step((draft, event) => work(draft, event as Of<Type>));
}

/** @internal One step of the root: works on a draft of the context, then carries out what the draft has for others. */
export function step(work: (draft: Draft, event: RootEvent) => void) {
  return rootSetup.enqueueActions(({ context, event, enqueue }) => {
    const draft = drafted(context, 'at' in event ? event.at : context.now);
    work(draft, event);
    // Before others are made: one may follow under the same name.
    for (const actor of draft.ended) enqueue.stopChild(actor);
    const changes = changesOf<SupervisorContext>(context, draft);
    if (changes !== null) enqueue.assign(changes);
    if (draft.makesUnits) enqueue('makeUnits');
    if (draft.makesChildren) enqueue('makeChildren');
    if (draft.rollouts !== context.rollouts) enqueue('makeRollouts');
    if (draft.operations !== context.operations) enqueue('makeOperations');
    for (const { unit, event: order } of draft.sends) enqueue.sendTo(({ context: now }) => now.units.get(unit)?.ref ?? '', order);
    for (const { to, unit, event: order } of draft.rolloutSends) {
      const rollout = draft.rollouts.get(unit);
      if (rollout === undefined || (to === 'aside' && rollout.mode === 'switch-back')) continue;
      enqueue.sendTo(({ context: { units, rollouts } }) => ({ unit: units.get(unit), aside: rollouts.get(unit)?.aside, rollout: rollouts.get(unit) })[to]?.ref ?? '', order);
    }
    for (const { operation, event: news } of draft.operationSends) {
      if (draft.operations.has(operation)) enqueue.sendTo(({ context: now }) => now.operations.get(operation)?.ref ?? '', news);
    }
    for (const { child, event: order } of draft.childSends) enqueue.sendTo(actorOf(child), order);
    if (draft.settlements.length > 0) enqueue({ type: 'settle', params: { settlements: draft.settlements } });
    for (const unit of draft.lookups) enqueue({ type: 'lookup', params: { unit } });
    for (const fact of draft.facts) enqueue.emit(fact);
  });
}

/** What no two actors may have in common. */
function seedOf({ tokenSeed, seed, now }: SupervisorContext, made: number): Pick<ServiceInput, 'tokenBase' | 'seed' | 'at'> {
  return { tokenBase: `${tokenSeed}.${made}`, seed: (seed + made * 0x9e3779b9) | 0, at: now };
}

function unmetOf({ units }: SupervisorContext, name: string): readonly string[] {
  return Object.entries(units.get(name)?.informed ?? {}).filter(([, { met }]) => !met).map(([dependency]) => dependency);
}
