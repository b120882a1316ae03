import { assign, setup, type SnapshotFrom } from 'xstate';
import { isAtRest } from './order.ts';
import { unitOf, type Plan, type SupervisorContext } from './context.ts';
import {
  CRASHES_ALLOWED, endingOf, planBoot, planChange, planEnding, planRecovered, planReload, planRemoved, planRestart, planStart, planStop,
} from './plans.ts';
import { planAsideChange, planAsideGone, planRolloutChange, planRolloutOrder } from './rollout-plans.ts';
import { planChildChange, planChildLimit, planSpawn } from './spawn-plans.ts';
import { notProvided, type LookupPort } from './ports.ts';
import { jobMachine, provideJob, type JobPorts } from './job.ts';
import { provideRollout, rolloutMachine, type RolloutOrder, type RolloutPorts } from './rollout.ts';
import { candidateSpec } from './rollouts.ts';
import { recordKey, type ServiceInput } from './service-facts.ts';
import { provideService, serviceMachine } from './service.ts';
import { inSlot } from './slots.ts';
import { provideSpawned, spawnedMachine, type SpawnedPorts } from './spawned.ts';
import { isLiving } from './spawning.ts';
import type { ChildFact, RolloutFact, ServiceFact, ServiceSpec, Settlement, SlotIndex, SupervisorEvent } from './types.ts';

export type { Rollout, SupervisorContext, Unit } from './context.ts';

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

export type SupervisorFact =
  | ServiceFact
  | ChildFact
  | RolloutFact
  | { readonly type: 'unit.crashed'; readonly at: number; readonly unit: string; readonly error: string }
  | { readonly type: 'supervisor.ending'; readonly at: number; readonly because: string; readonly exitCode: number };

const base = setup({
  types: {} as {
    context: SupervisorContext; events: SupervisorEvent | RolloutOrder; input: SupervisorInput; emitted: SupervisorFact; output: { exitCode: number };
  },
  actors: { service: serviceMachine, job: jobMachine, spawned: spawnedMachine, rollout: rolloutMachine },
}).extend({
  actions: {
    // Ports: see `provideSupervisor`.
    settle: (_, _params: { settlements: readonly Settlement[] }) => notProvided('ticket'),
    abandon: (_, _params: { unit: string }) => notProvided('ticket'),
    lookup: (_, _params: { unit: string }) => notProvided('lookup'),
    /** All at once: one spawn each would copy the table of children every time. */
    makeUnits: assign(({ context, spawn, self }) => {
      let made = context.unitsMade;
      const units = new Map(context.units);
      for (const unit of context.units.values()) {
        if (unit.ref !== null) continue;
        made += 1;
        const input: ServiceInput = {
          ...seedOf(context, made), spec: inSlot(unit.spec, context.slots.get(unit.name) ?? 0), held: unit.spec.dependsOn.map(({ service }) => service), parent: self,
        };
        const id = `unit.${unit.name}`;
        const ref = unit.spec.cron === null ? spawn('service', { id, input }) : spawn('job', { id, input });
        units.set(unit.name, { ...unit, ref });
      }
      return { units, unitsMade: made };
    }),
    /** The instance beside the unit, and the rollout that leads both. */
    makeRollouts: assign(({ context, spawn, self }) => {
      let made = context.unitsMade;
      const rollouts = new Map(context.rollouts);
      for (const rollout of context.rollouts.values()) {
        const { unit, mode, aside, slots, ticket } = rollout;
        if (rollout.ref !== null && (aside.ref !== null || mode === 'switch-back')) continue;
        made += 1;
        const spec = candidateSpec(rollout);
        const generation = context.units.get(unit)?.facts.generation ?? 0;
        const asideRef = aside.ref ?? (mode === 'switch-back' ? null : spawn('service', {
          id: `unit.${unit}.${made}`, input: { ...seedOf(context, made), spec, held: unmetOf(context, unit), parent: self, place: aside.place, generation },
        }));
        const ref = rollout.ref ?? spawn('rollout', { id: `rollout.${unit}.${made}`, input: { spec, slots, ticket, mode, at: context.now, parent: self } });
        rollouts.set(unit, { ...rollout, ref, aside: { ...aside, ref: asideRef } });
      }
      return { rollouts, unitsMade: made };
    }),
    makeChildren: assign(({ context, spawn, self }) => {
      const children = new Map(context.children);
      for (const [id, child] of children) {
        if (child.ref !== null || !isLiving(child)) continue;
        const { record, spec, ticket } = child;
        children.set(id, { ...child, ref: spawn('spawned', { id: childId(id), input: { record, spec, ticket, at: context.now, parent: self } }) });
      }
      return { children };
    }),
  },
});

/**
 * The root: the set of units, commands, order, reload, shutdown. A command becomes events to the units' actors; what
 * they tell it becomes `hold` and `release` to their dependents. What an event leads to is worked out in `plans.ts`.
 */
export const supervisorMachine = base.extend({
  guards: {
    allAtRest: ({ context }) =>
      context.turns.length === 0 && context.rollouts.size === 0 && [...context.units.values()].every(({ facts }) => isAtRest(facts) || facts.stuck)
      && [...context.children.values()].every((child) => !isLiving(child) || child.facts.stuck),
    isAside: ({ event }) => event.type === 'unit.removed' && event.place !== 'current',
    endsEverything: ({ context, event }) => event.type === 'unit.changed' && event.facts.place === 'current' && endingOf(context, event.facts) !== null,
  },
  actions: {
    follow: base.enqueueActions(({ context, event, enqueue }) => {
      const plan = planOf(context, event);
      if (plan === null) return;
      enqueue.assign(() => plan.context);
      if (hasUnmade(plan.context)) enqueue('makeUnits');
      if (plan.context.childrenMade > context.childrenMade) enqueue('makeChildren');
      if (plan.context.rollouts.size > 0) enqueue('makeRollouts');
      for (const { unit, event: order } of plan.sends) enqueue.sendTo(({ context: now }) => now.units.get(unit)?.ref ?? '', order);
      for (const { to, unit, event: order } of plan.rolloutSends) {
        const rollout = plan.context.rollouts.get(unit);
        if (rollout === undefined || (to === 'aside' && rollout.mode === 'switch-back')) continue;
        enqueue.sendTo(({ context: now }) => (to === 'aside' ? now.rollouts.get(unit)?.aside.ref : now.rollouts.get(unit)?.ref) ?? '', order);
      }
      for (const { child, cause } of plan.endings) enqueue.sendTo(childId(child), { type: 'end', at: plan.context.now, cause });
      if (plan.settlements.length > 0) enqueue({ type: 'settle', params: { settlements: plan.settlements } });
      if (event.type === 'unit.changed' || event.type === 'child.changed' || event.type === 'rollout.changed') enqueue.emit(event);
    }),
    /** It is the unit's no more; what it was is told by the rollout. */
    buryAside: base.enqueueActions(({ context, event, enqueue }) => {
      const ref = event.type === 'unit.removed' ? context.rollouts.get(event.unit)?.aside.ref : null;
      if (ref != null) enqueue.stopChild(ref);
    }),
    buryRollout: base.enqueueActions(({ context, event, enqueue }) => {
      const ref = event.type === 'rollout.changed' && event.facts.step === 'done' ? context.rollouts.get(event.facts.unit)?.ref : null;
      if (ref != null) enqueue.stopChild(ref);
    }),
    buryChild: base.enqueueActions(({ event, enqueue }) => {
      if (event.type === 'child.changed' && event.facts.state === 'gone') enqueue.stopChild(childId(event.facts.child));
    }),
    bury: base.enqueueActions(({ context, event, enqueue }) => {
      if (event.type !== 'unit.removed') return;
      const ref = context.units.get(event.unit)?.ref;
      if (ref != null) enqueue.stopChild(ref);
      enqueue.emit(event);
    }),
    /** The actor that threw is gone; its process is not. The ledger knows it. */
    noteCrash: base.enqueueActions(({ context, event, enqueue }) => {
      const { whose, error } = crashOf(context, event);
      if (whose === null) return;
      const { unit, part } = whose;
      if (part === 'child') {
        enqueue.emit({ type: 'unit.crashed', at: context.now, unit, error });
        enqueue.assign({ children: withoutActor(context.children, whose.id) });
        enqueue('makeChildren');
        return;
      }
      const recent = (context.crashes.get(unit) ?? []).filter((at) => at > context.now - CRASHES_ALLOWED.windowMs);
      enqueue.assign({ crashes: new Map(context.crashes).set(unit, [...recent, context.now]) });
      enqueue.emit({ type: 'unit.crashed', at: context.now, unit, error });
      enqueue({ type: 'abandon', params: { unit } });
      const rollout = context.rollouts.get(unit);
      if (part !== 'rollout') enqueue({ type: 'lookup', params: { unit: part === 'unit' ? unit : recordKey(unit, rollout?.aside.place ?? 'candidate') } });
      else if (rollout !== undefined) {
        const mode = rollout.aside.place === 'retired' ? ('retire' as const) : ('abandon' as const);
        if (rollout.ref !== null) enqueue.stopChild(rollout.ref);
        enqueue.assign({ rollouts: new Map(context.rollouts).set(unit, { ...rollout, ref: null, mode, ticket: null }) });
        enqueue('makeRollouts');
      }
    }),
    replaceActor: base.enqueueActions(({ context, event, enqueue }) => {
      if (event.type !== 'recovered') return;
      const unit = context.units.get(event.unit);
      const rollout = unit === undefined ? context.rollouts.get(event.unit.split('/')[0] ?? '') : undefined;
      const ref = unit?.ref ?? rollout?.aside.ref;
      if (ref != null) enqueue.stopChild(ref);
      if (unit !== undefined) enqueue.assign({ units: new Map(context.units).set(unit.name, { ...unit, ref: null }) });
      if (rollout !== undefined) enqueue.assign({ rollouts: new Map(context.rollouts).set(rollout.unit, { ...rollout, aside: { ...rollout.aside, ref: null } }) });
    }),
    refuse: base.enqueueActions(({ event, enqueue }) => {
      if ((event.type !== 'start' && event.type !== 'restart' && event.type !== 'spawn') || event.ticket === null) return;
      const { ticket } = event;
      const units = event.type === 'spawn' ? [event.order.unit] : event.units;
      enqueue({
        type: 'settle',
        params: { settlements: units.map((unit) => ({ ticket, unit, result: 'failed' as const, error: 'the supervisor is shutting down' })) },
      });
    }),
    announceEnd: base.enqueueActions(({ context, event, enqueue }) => {
      const because = event.type === 'unit.changed' ? `essential unit '${event.facts.unit}' ended` : 'shutdown';
      enqueue.emit({ type: 'supervisor.ending', at: context.now, because, exitCode: context.exitCode });
    }),
    keepEndTicket: assign(({ context, event }) => ({
      endTickets: event.type === 'shutdown' && event.ticket !== null ? [...context.endTickets, event.ticket] : context.endTickets,
    })),
    /** Nobody will be there when its process has gone. */
    abandonStuck: base.enqueueActions(({ context, enqueue }) => {
      for (const { name, facts } of context.units.values()) if (facts.stuck) enqueue({ type: 'abandon', params: { unit: name } });
    }),
    answerEnd: base.enqueueActions(({ context, enqueue }) => {
      const settlements = context.endTickets.map((ticket): Settlement => ({ ticket, unit: '', result: 'stopped', error: null }));
      if (settlements.length > 0) enqueue({ type: 'settle', params: { settlements } });
    }),
  },
}).createMachine({
  id: 'supervisor',
  context: ({ input }) => ({
    units: new Map(input.specs.map((spec) => [spec.name, unitOf(spec, input.at)])), turns: [], expected: new Set(), returning: new Map(),
    children: new Map(), childrenMade: 0, rollouts: new Map(), slots: new Map(Object.entries(input.slots ?? {})), tokenSeed: input.tokenSeed, unitsMade: 0,
    seed: input.seed, crashes: new Map(), ending: false, exitCode: 0, endTickets: [], now: input.at,
  }),
  entry: 'makeUnits',
  initial: 'booting',
  on: {
    'unit.changed': { actions: 'follow' },
    'unit.removed': [
      { guard: 'isAside', actions: ['buryAside', 'follow'] },
      // The old actor first: another one may follow under its name.
      { actions: ['bury', 'follow'] },
    ],
    'rollout.order': { actions: 'follow' },
    'rollout.swap': { actions: 'follow' },
    'rollout.changed': { actions: ['buryRollout', 'follow'] },
    'xstate.error.actor.*': { actions: 'noteCrash' },
    recovered: { actions: ['replaceActor', 'follow'] },
    signal: { actions: 'follow' },
    'child.changed': { actions: ['buryChild', 'follow'] },
    'child.limit': { actions: 'follow' },
  },
  states: {
    booting: {
      on: {
        boot: { target: 'serving', actions: 'follow' },
        shutdown: { target: 'ending', actions: ['keepEndTicket', 'follow', 'announceEnd'] },
      },
    },
    serving: {
      on: {
        start: { actions: 'follow' },
        stop: { actions: 'follow' },
        restart: { actions: 'follow' },
        reload: { actions: 'follow' },
        spawn: { actions: 'follow' },
        shutdown: { target: 'ending', actions: ['keepEndTicket', 'follow', 'announceEnd'] },
        'unit.changed': [
          { guard: 'endsEverything', target: 'ending', actions: ['follow', 'announceEnd'] },
          { actions: 'follow' },
        ],
      },
    },
    ending: {
      always: { guard: 'allAtRest', target: 'ended' },
      on: {
        start: { actions: 'refuse' },
        restart: { actions: 'refuse' },
        spawn: { actions: 'refuse' },
        stop: { actions: 'follow' },
        shutdown: { actions: 'keepEndTicket' },
      },
    },
    ended: { type: 'final', entry: ['abandonStuck', 'answerEnd'] },
  },
  output: ({ context }) => ({ exitCode: context.exitCode }),
});

export type SupervisorSnapshot = SnapshotFrom<typeof supervisorMachine>;

export interface SupervisorPorts extends JobPorts, SpawnedPorts, RolloutPorts, LookupPort {
  /** Answers with an error whatever a unit whose actor threw still owed. */
  abandon(unit: string): void;
}

/** The root that runs: `supervisorMachine` with the ports of it and of all its units filled. */
export function provideSupervisor(ports: SupervisorPorts): typeof supervisorMachine {
  return supervisorMachine.provide({
    actors: { service: provideService(ports), job: provideJob(ports), spawned: provideSpawned(ports), rollout: provideRollout(ports) },
    actions: {
      settle: (_, { settlements }) => settlements.forEach((settlement) => ports.tickets.settle(settlement)),
      abandon: (_, { unit }) => ports.abandon(unit),
      lookup: ({ self }, { unit }) => ports.lookup(unit, self),
    },
  });
}

function hasUnmade({ units }: SupervisorContext): boolean {
  for (const { ref } of units.values()) if (ref === null) return true;
  return false;
}

/** What no two actors may have in common. */
function seedOf({ tokenSeed, seed, now }: SupervisorContext, made: number): Pick<ServiceInput, 'tokenBase' | 'seed' | 'at'> {
  return { tokenBase: `${tokenSeed}.${made}`, seed: (seed + made * 0x9e3779b9) | 0, at: now };
}

function unmetOf({ units }: SupervisorContext, name: string): readonly string[] {
  return Object.entries(units.get(name)?.told ?? {}).filter(([, { met }]) => !met).map(([dependency]) => dependency);
}

function childId(child: string): string {
  return `child.${child}`;
}

function planOf(context: SupervisorContext, event: SupervisorEvent | RolloutOrder): Plan | null {
  switch (event.type) {
    case 'boot': return planBoot(context, event);
    case 'start': return planStart(context, event);
    case 'stop': return planStop(context, event);
    case 'restart': return planRestart(context, event);
    case 'reload': return planReload(context, event);
    case 'shutdown': return planEnding(context, event.at, event.exitCode, event.origin);
    case 'signal':
      return {
        context, settlements: [], endings: [], rolloutSends: [],
        sends: context.units.has(event.unit) ? [{ unit: event.unit, event: { type: 'signal', at: event.at, signal: event.signal } }] : [],
      };
    case 'spawn': return planSpawn(context, event);
    case 'child.changed': return planChildChange(context, event.facts);
    case 'child.limit': return planChildLimit(context, event.child, event.at);
    case 'recovered': return planRecovered(context, event.unit, event.adopt, event.at);
    case 'rollout.order': case 'rollout.swap': return planRolloutOrder(context, event);
    case 'rollout.changed': return planRolloutChange(context, event.facts);
    case 'unit.removed': return event.place === 'current' ? planRemoved(context, event.unit, event.at) : planAsideGone(context, event.unit, event.at);
    case 'unit.changed': {
      if (event.facts.place !== 'current') return planAsideChange(context, event.facts);
      const exitCode = context.ending ? null : endingOf(context, event.facts);
      const plan = planChange(context, event.facts);
      if (exitCode === null) return plan;
      const ending = planEnding(plan.context, event.at, exitCode, { kind: 'exit', by: event.facts.unit });
      return {
        context: ending.context, sends: [...plan.sends, ...ending.sends], settlements: [...plan.settlements, ...ending.settlements],
        endings: [...plan.endings, ...ending.endings], rolloutSends: [...plan.rolloutSends, ...ending.rolloutSends],
      };
    }
  }
}

/** A child whose actor threw gets another one; one that nobody knows the process of is left to its service's end. */
function withoutActor(children: SupervisorContext['children'], id: string): SupervisorContext['children'] {
  const child = children.get(id);
  const left = new Map(children);
  if (child === undefined || child.facts.identity === null || child.facts.state !== 'living') left.delete(id);
  else left.set(id, { ...child, record: { ...child.record, identity: child.facts.identity }, ref: null, ticket: null });
  return left;
}

/** XState's own event, which the union of ours does not name. */
function crashOf(context: SupervisorContext, event: object): {
  readonly whose: { readonly unit: string; readonly id: string; readonly part: 'unit' | 'aside' | 'rollout' | 'child' } | null; readonly error: string;
} {
  const id = 'actorId' in event ? event.actorId : null;
  const error = 'error' in event ? event.error : null;
  const parts = [
    ...[...context.units.values()].map(({ name, ref }) => ({ unit: name, id: name, part: 'unit' as const, ref })),
    ...[...context.rollouts.values()].flatMap(({ unit, ref, aside }) => [{ unit, id: unit, part: 'aside' as const, ref: aside.ref }, { unit, id: unit, part: 'rollout' as const, ref }]),
    ...[...context.children.values()].map(({ record, ref }) => ({ unit: record.order.unit, id: record.id, part: 'child' as const, ref })),
  ];
  return { whose: parts.find(({ ref }) => ref !== null && ref.id === id) ?? null, error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}
