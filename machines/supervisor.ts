import { type SnapshotFrom } from 'xstate';
import { afterService, isLiving } from './children.ts';
import { dependentsIn, unitOf, type SupervisorContext } from './context.ts';
import { adoptAgain, noteCrash } from './crashes.ts';
import { informDependents } from './dependencies.ts';
import { cancelRollout, refuse, send, setUnit, type Draft } from './draft.ts';
import { provideJob, type JobPorts } from './job.ts';
import { provideOperation } from './operation.ts';
import { clearTheWay, passAnswers } from './operations.ts';
import { giveOrders, openFirstStart, openRestart, openShutdown, openStart, openStop, takeAway } from './orders.ts';
import { exitCodeOf } from './policy.ts';
import type { LookupPort, TicketPort } from './ports.ts';
import { openReload } from './reload.ts';
import { provideRollout, type RolloutPorts } from './rollout.ts';
import { followAside, followRollout, informRollout, reportAsideGone, swapInstances, undoSwitch } from './rollouts.ts';
import { act, rootSetup, step } from './root.ts';
import { provideSpawned, type SpawnedPorts } from './spawned.ts';
import { addChild, endChild, followChild, spawnChildOf, takeChildren } from './spawning.ts';
import { Table } from './table.ts';
import type { UnitFacts } from './unit-facts.ts';
import { provideService } from './unit.ts';

export type { Rollout, SupervisorContext, Unit } from './context.ts';

/** What follows from each report of a unit. */
const FOLLOW = ['informDependentsAndOperations', 'announce'] as const;

/**
 * The root: the set of units, what their dependencies mean to each other, and the end. An accepted command becomes an
 * operation, which gives each unit its order when its turn has come; units report back, and a report costs what depends on
 * that unit.
 */
export const supervisorMachine = rootSetup.extend({
  guards: {
    allAtRest: ({ context }) => context.busy === 0 && context.underOrder === 0 && context.rollouts.size === 0
      && [...context.children.values()].every((child) => !isLiving(child) || child.facts.stuck),
    isAside: ({ event }) => (event.type === 'unit.changed' ? event.facts.place : event.type === 'unit.removed' ? event.place : 'current') !== 'current',
    isEssential: ({ context, event }) => event.type === 'unit.changed' && essentialCode(context, event.facts) !== null,
  },
  actions: {
    // ─── Commands ────────────────────────────────────────────────────────────────────────────────────────────────────
    takeOver: act('boot', (draft, event) => {
      for (const { record, verdict } of event.adopt) send(draft, record.unit, { type: 'adopt', at: event.at, record, verdict });
      for (const { record, alive } of event.children ?? []) if (alive) addChild(draft, record, null, event.at);
      for (const open of event.switches ?? []) undoSwitch(draft, open);
    }),
    openBoot: act('boot', (draft, { at, start }) => openStart(draft, { at, units: start, ticket: null, origin: { kind: 'boot', by: null } }, 'boot')),
    openStart: act('start', (draft, event) => (event.origin?.kind === 'boot' ? openFirstStart : openStart)(draft, event)),
    openStop: act('stop', openStop),
    openRestart: act('restart', openRestart),
    openReload: act('reload', openReload),
    openShutdown: act('shutdown', (draft, { at, exitCode, ticket, origin }) => {
      draft.exitCode = exitCode;
      if (ticket !== null) draft.endTickets = [...draft.endTickets, ticket];
      openShutdown(draft, at, origin ?? { kind: 'command', by: 'shutdown' });
    }),
    openEssentialEnd: act('unit.changed', (draft, { at, facts }) => {
      draft.exitCode = essentialCode(draft, facts) ?? 1;
      openShutdown(draft, at, { kind: 'exit', by: facts.unit });
    }),
    hurryAll: act('hurry', (draft, event) => {
      draft.hurried = true;
      for (const { facts } of draft.units.values()) hurry(draft, facts);
      for (const { unit, aside: { facts } } of draft.rollouts.values()) {
        if (facts !== null) hurry(draft, facts);
        cancelRollout(draft, unit, 'hurry', draft.now);
      }
      for (const [child, known] of draft.children) if (isLiving(known)) draft.childSends.push({ child, event });
    }),
    passSignal: act('signal', (draft, { unit, at, signal }) => send(draft, unit, { type: 'signal', at, signal })),
    spawnChild: act('spawn', spawnChildOf),
    keepEndTicket: act('shutdown', (draft, { ticket }) => {
      if (ticket !== null) draft.endTickets = [...draft.endTickets, ticket];
    }),
    refuse: step((draft, event) => {
      if (event.type !== 'start' && event.type !== 'restart' && event.type !== 'spawn') return;
      for (const unit of event.type === 'spawn' ? [event.order.unit] : event.units) refuse(draft, { ticket: event.ticket, unit, error: 'the supervisor is shutting down' });
    }),

    // ─── Operations ──────────────────────────────────────────────────────────────────────────────────────────────────
    giveOrders: act('operation.order', giveOrders),
    closeOperation: act('operation.done', (draft, { operation }) => {
      const operations = new Map(draft.operations);
      const ref = operations.get(operation)?.ref ?? null;
      operations.delete(operation);
      draft.operations = operations;
      if (ref !== null) draft.ended.push(ref);
    }),

    // ─── Reports of units ────────────────────────────────────────────────────────────────────────────────────────────
    /** The order of the lines counts: dependents are informed of the new facts, and operations of what that made of the others. */
    informDependentsAndOperations: act('unit.changed', (draft, { facts, settlements, at }) => {
      const unit = draft.units.get(facts.unit);
      if (unit !== undefined) setUnit(draft, { ...unit, facts, expected: false });
      if (draft.hurried) hurry(draft, facts);
      takeChildren(draft, afterService(draft.children, facts));
      informRollout(draft, facts);
      informDependents(draft, facts.unit, at);
      clearTheWay(draft, facts.unit, at);
      passAnswers(draft, settlements, at);
    }),
    passAnswers: act('unit.settled', (draft, { settlements, at }) => passAnswers(draft, settlements, at)),
    announce: rootSetup.enqueueActions(({ event, enqueue }) => {
      if (event.type === 'unit.changed' || event.type === 'unit.removed' || event.type === 'child.changed' || event.type === 'rollout.changed') enqueue.emit(event);
    }),
    forgetUnit: act('unit.removed', (draft, event) => takeAway(draft, event, false)),
    replaceUnit: act('unit.removed', (draft, event) => takeAway(draft, event, true)),

    // ─── Rollouts ────────────────────────────────────────────────────────────────────────────────────────────────────
    followAside: act('unit.changed', (draft, event) => {
      if (draft.hurried) hurry(draft, event.facts);
      followAside(draft, event);
    }),
    reportAsideGone: act('unit.removed', reportAsideGone),
    /** An order of a rollout to one of its two instances. */
    passOrder: act('rollout.order', (draft, { to, unit, order }) => {
      if (to === 'current') send(draft, unit, order);
      else draft.rolloutSends.push({ to: 'aside', unit, event: order });
    }),
    swapInstances: act('rollout.swap', (draft, { unit, at }) => {
      swapInstances(draft, unit, at);
      informDependents(draft, unit, at);
    }),
    followRollout: act('rollout.changed', followRollout),

    // ─── Spawned children ────────────────────────────────────────────────────────────────────────────────────────────
    followChild: act('child.changed', followChild),
    /** More memory than its service's children may use. */
    limitChild: act('child.limit', (draft, { child }) => {
      if (draft.children.has(child)) endChild(draft, child, 'limit');
    }),

    // ─── Actors that threw ───────────────────────────────────────────────────────────────────────────────────────────
    noteCrash: step(noteCrash),
    adoptAgain: act('recovered', adoptAgain),
    stopAgain: act('recovered', (draft, { unit, at }) => send(draft, unit, { type: 'stop', at, ticket: null })),

    // ─── The end ─────────────────────────────────────────────────────────────────────────────────────────────────────
    announceEnd: step((draft, event) => {
      const because = event.type === 'unit.changed' ? `essential unit '${event.facts.unit}' ended` : 'shutdown';
      draft.facts.push({ type: 'supervisor.ending', at: draft.now, because, exitCode: draft.exitCode });
    }),
    /** What a unit that survives SIGKILL still owes is answered without it. */
    closeOperations: step((draft) => {
      const event = { type: 'give.up', at: draft.now, error: 'the supervisor ended while a process of the unit survives SIGKILL' } as const;
      for (const operation of draft.operations.keys()) draft.operationSends.push({ operation, event });
    }),
    answerEnd: step((draft) => {
      draft.settlements.push(...draft.endTickets.map((ticket) => ({ ticket, unit: '', result: 'stopped', error: null }) as const));
      draft.facts.push({ type: 'supervisor.ended', at: draft.now, exitCode: draft.exitCode });
    }),
  },
}).createMachine({
  id: 'supervisor',
  context: ({ input }) => {
    const units = Table.of(input.specs.map((spec) => [spec.name, unitOf(spec, input.at)] as const));
    return {
      units, dependents: dependentsIn(units), busy: 0, underOrder: 0, operations: new Map(), children: new Map(), childrenMade: 0, rollouts: new Map(), openSwitches: new Map(),
      slots: new Map(Object.entries(input.slots ?? {})), tokenSeed: input.tokenSeed, unitsMade: 0, seed: input.seed, crashes: new Map(), exitCode: 0, hurried: false, endTickets: [], now: input.at,
    };
  },
  entry: 'makeUnits',
  initial: 'working',
  states: {
    working: {
      initial: 'booting',
      on: {
        'unit.changed': [{ guard: 'isAside', actions: 'followAside' }, { actions: FOLLOW }],
        'unit.settled': { actions: 'passAnswers' },
        'unit.removed': [{ guard: 'isAside', actions: 'reportAsideGone' }, { actions: ['replaceUnit', 'announce'] }],
        'operation.order': { actions: 'giveOrders' },
        'operation.done': { actions: 'closeOperation' },
        'rollout.order': { actions: 'passOrder' },
        'rollout.swap': { actions: 'swapInstances' },
        'rollout.changed': { actions: ['followRollout', 'announce'] },
        'child.changed': { actions: ['followChild', 'announce'] },
        'child.limit': { actions: 'limitChild' },
        signal: { actions: 'passSignal' },
        'xstate.error.actor.*': { actions: 'noteCrash' },
        recovered: { actions: 'adoptAgain' },
        shutdown: { target: '.ending', actions: ['openShutdown', 'announceEnd'] },
      },
      states: {
        booting: { on: { boot: { target: 'serving', actions: ['takeOver', 'openBoot'] } } },
        serving: {
          on: {
            start: { actions: 'openStart' },
            stop: { actions: 'openStop' },
            restart: { actions: 'openRestart' },
            reload: { actions: 'openReload' },
            spawn: { actions: 'spawnChild' },
            'unit.changed': [
              { guard: 'isAside', actions: 'followAside' },
              { guard: 'isEssential', target: 'ending', actions: [...FOLLOW, 'openEssentialEnd', 'announceEnd'] },
              { actions: FOLLOW },
            ],
          },
        },
        ending: {
          always: { guard: 'allAtRest', target: '#supervisor.ended' },
          on: {
            start: { actions: 'refuse' },
            restart: { actions: 'refuse' },
            spawn: { actions: 'refuse' },
            stop: { actions: 'openStop' },
            shutdown: { actions: 'keepEndTicket' },
            hurry: { actions: 'hurryAll' },
            'unit.removed': [{ guard: 'isAside', actions: 'reportAsideGone' }, { actions: ['forgetUnit', 'announce'] }],
            recovered: { actions: ['adoptAgain', 'stopAgain'] },
          },
        },
      },
    },
    ended: { entry: ['closeOperations', 'answerEnd'] },
  },
});

export type SupervisorSnapshot = SnapshotFrom<typeof supervisorMachine>;

export interface SupervisorPorts extends JobPorts, SpawnedPorts, RolloutPorts, LookupPort {
  readonly tickets: TicketPort;
}

/** The root that runs: `supervisorMachine` with the ports of it and of all its units filled. */
export function provideSupervisor(ports: SupervisorPorts): typeof supervisorMachine {
  return supervisorMachine.provide({
    actors: {
      service: provideService(ports), job: provideJob(ports), spawned: provideSpawned(ports), rollout: provideRollout(ports), operation: provideOperation(ports),
    },
    actions: {
      settle: (_, { settlements }) => settlements.forEach((settlement) => ports.tickets.settle(settlement)),
      lookup: ({ self }, { unit }) => ports.lookup(unit, self),
    },
  });
}

/** Whether everything has ended. */
export function hasEnded({ value }: Pick<SupervisorSnapshot, 'value'>): boolean {
  return value === 'ended';
}

/** Whether the start that the supervisor itself began with is under way, or the end. */
export function stageOf({ value, context }: Pick<SupervisorSnapshot, 'value' | 'context'>): 'starting' | 'serving' | 'ending' {
  if (value === 'ended' || value.working === 'ending') return 'ending';
  const isBoot = [...context.operations.values()].some(({ input }) => input.parts.some(({ origin }) => origin.kind === 'boot'));
  return isBoot || value.working === 'booting' ? 'starting' : 'serving';
}

// ─── Parts of the actions ────────────────────────────────────────────────────────────────────────────────────────────

/** The instance that is being ended gets SIGKILL. */
function hurry(draft: Draft, { unit, place, state }: UnitFacts): void {
  if (state !== 'stopping' && state !== 'clearing') return;
  const event = { type: 'hurry', at: draft.now } as const;
  if (place === 'current') send(draft, unit, event);
  else draft.rolloutSends.push({ to: 'aside', unit, event });
}

/** The exit code with which the end of an essential unit ends everything; null when it does not. */
function essentialCode(context: SupervisorContext, facts: UnitFacts): number | null {
  const spec = context.units.get(facts.unit)?.spec;
  if (spec === undefined || !spec.essential) return null;
  if (facts.state === 'failed') return exitCodeOf(facts.exit) || 1;
  return facts.state === 'stopped' && facts.outcome === 'completed' && spec.restart.oneshot ? exitCodeOf(facts.exit) : null;
}
