import { assign, setup, type SnapshotFrom } from 'xstate';
import { isAtRest } from './order.ts';
import {
  CRASHES_ALLOWED, endingOf, planBoot, planChange, planChildChange, planChildLimit, planEnding, planRecovered, planReload, planRemoved, planRestart,
  planSpawn, planStart, planStop, unitOf, type Plan, type SupervisorContext,
} from './plans.ts';
import { notProvided, type LookupPort } from './ports.ts';
import { jobMachine, provideJob, type JobPorts } from './job.ts';
import { provideService, serviceMachine } from './service.ts';
import { provideSpawned, spawnedMachine, type SpawnedPorts } from './spawned.ts';
import { isLiving } from './spawning.ts';
import type { ChildFact, ServiceFact, ServiceSpec, Settlement, SupervisorEvent } from './types.ts';

export type { SupervisorContext, Unit } from './plans.ts';

export interface SupervisorInput {
  readonly specs: readonly ServiceSpec[];
  /** Makes the tokens of this run unlike those of any other. */
  readonly tokenSeed: string;
  /** Of the units' jitter. */
  readonly seed: number;
  readonly at: number;
}

export type SupervisorFact =
  | ServiceFact
  | ChildFact
  | { readonly type: 'unit.crashed'; readonly at: number; readonly unit: string; readonly error: string }
  | { readonly type: 'supervisor.ending'; readonly at: number; readonly because: string; readonly exitCode: number };

const base = setup({
  types: {} as {
    context: SupervisorContext; events: SupervisorEvent; input: SupervisorInput; emitted: SupervisorFact; output: { exitCode: number };
  },
  actors: { service: serviceMachine, job: jobMachine, spawned: spawnedMachine },
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
        const input = {
          spec: unit.spec, held: unit.spec.dependsOn.map(({ service }) => service), tokenBase: `${context.tokenSeed}.${made}`,
          seed: (context.seed + made * 0x9e3779b9) | 0, at: context.now, parent: self,
        };
        const id = idOf(unit.name);
        const ref = unit.spec.cron === null ? spawn('service', { id, input }) : spawn('job', { id, input });
        units.set(unit.name, { ...unit, ref });
      }
      return { units, unitsMade: made };
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
      [...context.units.values()].every(({ facts }) => isAtRest(facts) || facts.stuck)
      && [...context.children.values()].every((child) => !isLiving(child) || child.facts.stuck),
    endsEverything: ({ context, event }) => event.type === 'unit.changed' && endingOf(context, event.facts) !== null,
  },
  actions: {
    follow: base.enqueueActions(({ context, event, enqueue }) => {
      const plan = planOf(context, event);
      if (plan === null) return;
      enqueue.assign(() => plan.context);
      enqueue('makeUnits');
      if (plan.context.childrenMade > context.childrenMade) enqueue('makeChildren');
      for (const { unit, event: order } of plan.sends) enqueue.sendTo(idOf(unit), order);
      for (const { child, cause } of plan.endings) enqueue.sendTo(childId(child), { type: 'end', at: plan.context.now, cause });
      if (plan.settlements.length > 0) enqueue({ type: 'settle', params: { settlements: plan.settlements } });
      if (event.type === 'unit.changed' || event.type === 'child.changed') enqueue.emit(event);
    }),
    buryChild: base.enqueueActions(({ event, enqueue }) => {
      if (event.type === 'child.changed' && event.facts.state === 'gone') enqueue.stopChild(childId(event.facts.child));
    }),
    bury: base.enqueueActions(({ event, enqueue }) => {
      if (event.type !== 'unit.removed') return;
      enqueue.stopChild(idOf(event.unit));
      enqueue.emit(event);
    }),
    /** The actor that threw is gone; its process is not. The ledger knows it. */
    noteCrash: base.enqueueActions(({ context, event, enqueue }) => {
      const { unit, error } = crashOf(context, event);
      if (unit === null) return;
      const recent = (context.crashes.get(unit) ?? []).filter((at) => at > context.now - CRASHES_ALLOWED.windowMs);
      enqueue.assign({ crashes: new Map(context.crashes).set(unit, [...recent, context.now]) });
      enqueue.emit({ type: 'unit.crashed', at: context.now, unit, error });
      enqueue({ type: 'abandon', params: { unit } });
      enqueue({ type: 'lookup', params: { unit } });
    }),
    replaceActor: base.enqueueActions(({ context, event, enqueue }) => {
      if (event.type !== 'recovered') return;
      const unit = context.units.get(event.unit);
      if (unit === undefined) return;
      enqueue.stopChild(idOf(unit.name));
      enqueue.assign({ units: new Map(context.units).set(unit.name, { ...unit, ref: null }) });
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
    answerEnd: base.enqueueActions(({ context, enqueue }) => {
      const settlements = context.endTickets.map((ticket): Settlement => ({ ticket, unit: '', result: 'stopped', error: null }));
      if (settlements.length > 0) enqueue({ type: 'settle', params: { settlements } });
    }),
  },
}).createMachine({
  id: 'supervisor',
  context: ({ input }) => ({
    units: new Map(input.specs.map((spec) => [spec.name, unitOf(spec, input.at)])), turns: [], expected: new Set(), returning: new Map(),
    children: new Map(), childrenMade: 0, tokenSeed: input.tokenSeed, unitsMade: 0,
    seed: input.seed, crashes: new Map(), ending: false, exitCode: 0, endTickets: [], now: input.at,
  }),
  entry: 'makeUnits',
  initial: 'booting',
  on: {
    'unit.changed': { actions: 'follow' },
    // The old actor first: another one may follow under its name.
    'unit.removed': { actions: ['bury', 'follow'] },
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
    ended: { type: 'final', entry: 'answerEnd' },
  },
  output: ({ context }) => ({ exitCode: context.exitCode }),
});

export type SupervisorSnapshot = SnapshotFrom<typeof supervisorMachine>;

export interface SupervisorPorts extends JobPorts, SpawnedPorts, LookupPort {
  /** Answers with an error whatever a unit whose actor threw still owed. */
  abandon(unit: string): void;
}

/** The root that runs: `supervisorMachine` with the ports of it and of all its units filled. */
export function provideSupervisor(ports: SupervisorPorts): typeof supervisorMachine {
  return supervisorMachine.provide({
    actors: { service: provideService(ports), job: provideJob(ports), spawned: provideSpawned(ports) },
    actions: {
      settle: (_, { settlements }) => settlements.forEach((settlement) => ports.tickets.settle(settlement)),
      abandon: (_, { unit }) => ports.abandon(unit),
      lookup: ({ self }, { unit }) => ports.lookup(unit, self),
    },
  });
}

/** One namespace for both kinds of actor: a unit is one or the other. */
function idOf(unit: string): string {
  return `unit.${unit}`;
}

function childId(child: string): string {
  return `child.${child}`;
}

function planOf(context: SupervisorContext, event: SupervisorEvent): Plan | null {
  switch (event.type) {
    case 'boot': return planBoot(context, event);
    case 'start': return planStart(context, event);
    case 'stop': return planStop(context, event);
    case 'restart': return planRestart(context, event);
    case 'reload': return planReload(context, event);
    case 'shutdown': return planEnding(context, event.at, event.exitCode, event.origin);
    case 'signal':
      return {
        context, settlements: [], endings: [],
        sends: context.units.has(event.unit) ? [{ unit: event.unit, event: { type: 'signal', at: event.at, signal: event.signal } }] : [],
      };
    case 'spawn': return planSpawn(context, event);
    case 'child.changed': return planChildChange(context, event.facts);
    case 'child.limit': return planChildLimit(context, event.child, event.at);
    case 'recovered': return planRecovered(context, event.unit, event.adopt, event.at);
    case 'unit.removed': return planRemoved(context, event.unit, event.at);
    case 'unit.changed': {
      const exitCode = context.ending ? null : endingOf(context, event.facts);
      const plan = planChange(context, event.facts);
      if (exitCode === null) return plan;
      const ending = planEnding(plan.context, event.at, exitCode, { kind: 'exit', by: event.facts.unit });
      return {
        context: ending.context, sends: [...plan.sends, ...ending.sends], settlements: [...plan.settlements, ...ending.settlements],
        endings: [...plan.endings, ...ending.endings],
      };
    }
  }
}

/** XState's own event, which the union of ours does not name. */
function crashOf(context: SupervisorContext, event: object): { readonly unit: string | null; readonly error: string } {
  const id = 'actorId' in event ? event.actorId : null;
  const error = 'error' in event ? event.error : null;
  return {
    unit: [...context.units.keys()].find((name) => idOf(name) === id) ?? null,
    error: error instanceof Error ? (error.stack ?? error.message) : String(error),
  };
}
