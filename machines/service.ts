import { assign, sendTo, setup, spawnChild, stopChild, type ActorRefFrom, type SnapshotFrom } from 'xstate';
import { recent, type Verdict } from './policy.ts';
import { notProvided, probePort, processPort, type ClockPort, type HookPort, type LedgerPort, type TicketPort } from './ports.ts';
import {
  actorId, describeEnd, endHooks, factsOf, failedUnwatched, firstStep, hasFailed, hasSecondInstance, isSurvival, lostReason, momentOf, moved, phaseOf,
  recordKey, recordOf, resumeFrom, startHooks, verdictOf, waitFor, type ServiceContext, type ServiceDeadline,
  type ServiceInput, type Survival,
} from './service-facts.ts';
import type {
  Cause, HookRun, Leaf, ServiceEvent, ServiceFact, Settlement, Ticket, TicketKind, UnitRecord,
} from './types.ts';

const STARTS: readonly TicketKind[] = ['start', 'restart'];
const STOPS: readonly TicketKind[] = ['stop'];
const KINDS = { start: STARTS, stop: STOPS, all: [...STARTS, ...STOPS] } as const;

const UNHEALTHY = [
  { guard: 'unhealthyMustRestart', target: '#service.ending.stopping', actions: because('unhealthy') },
  { guard: 'sameGeneration', actions: ['becomeUnready', 'disarmClock', 'unplan', ...enter('running')] },
] as const;

/** A unit without a process whose second instance has one. */
const PART = { guard: 'hasOther', target: '#service.ending.parting', actions: ['wantDown', ...supersede(), 'keepTicket', because('command')] } as const;

const PART_FOR_GOOD = {
  guard: 'goneWithOther', target: '#service.ending.parting', actions: ['markRemoved', ...supersede(), because('command')],
} as const;

const base = setup({
  types: {} as { context: ServiceContext; events: ServiceEvent; input: ServiceInput; emitted: ServiceFact },
  actors: { process: processPort, probe: probePort },
});

function queueing(runsOf: (context: ServiceContext) => readonly HookRun[]) {
  return base.enqueueActions(({ context, enqueue }) => {
    const runs = runsOf(context);
    if (runs.length === 0) return;
    enqueue.assign({ hooksPending: true });
    enqueue({ type: 'runHooks', params: { runs } } as never);
  });
}

/**
 * One unit: stopped → starting → running → backoff → failed, and stopping.
 *
 * Only `process.gone` leaves the states that own a process. Every report and deadline carries the generation it speaks
 * of; another generation changes nothing. Deadlines are data in the context and events from the clock port, so that
 * they can be shown, resumed and explored: there is no `invoke` and no `after`.
 */
export const serviceMachine = base.extend({
  guards: {
    sameGeneration: ({ context, event }) => 'generation' in event && event.generation === context.generation,
    otherGeneration: ({ context, event }) => 'generation' in event && event.generation !== context.generation,
    nothingHolds: ({ context }) => Object.keys(context.held).length === 0 && !context.hooksPending,
    waitsInVain: ({ context }) => lostReason(context) !== null && context.tickets.some((ticket) => STARTS.includes(ticket.kind)),
    holdStops: ({ event }) => event.type === 'hold' && event.stops,
    flaggedToSkip: ({ context }) => context.spec.skip === true,
    nothingToPrepare: ({ context }) => context.step === null,
    stepSaysSkip: ({ context, event }) => ofThisGeneration(context, event) && context.step === 'skip' && context.ended?.code === 0,
    stepFailed: ({ context, event }) => ofThisGeneration(context, event) && context.step === 'pre_start' && context.ended?.code !== 0,
    isProbed: ({ context }) => context.spec.check !== null,
    isUnready: ({ context, event }) => ofThisGeneration(context, event) && context.ready === false,
    unhealthyMustRestart: ({ context, event }) => ofThisGeneration(context, event) && context.spec.check?.onUnhealthy === 'restart',
    definitionGone: ({ event }) => event.type === 'reload' && event.spec === null,
    processChanges: ({ context, event }) => event.type === 'reload' && event.spec?.definition.process !== context.spec.definition.process,
    /** The process may go on, but not its check. */
    checkChanges: ({ context, event }) =>
      event.type === 'reload' && event.spec !== null && event.spec.definition.process === context.spec.definition.process
      && JSON.stringify(event.spec.check) !== JSON.stringify(context.spec.check),
    checkMoves: ({ context, event }) => event.type === 'move' && event.spec !== null && JSON.stringify(event.spec.check) !== JSON.stringify(context.spec.check),
    definitionChanges: ({ context, event }) =>
      event.type === 'reload' &&
      (event.spec?.definition.process !== context.spec.definition.process || event.spec?.definition.policy !== context.spec.definition.policy),
    isRemoved: ({ context }) => context.removed,
    /** At rest, and stopped for whoever asked for it, is a unit when both of its instances are gone. */
    waitsForOther: ({ context }) =>
      hasSecondInstance(context) && (context.removed || context.wanted === 'down' || context.tickets.some(({ kind }) => kind === 'stop')),
    isLastInstance: ({ context }) => !hasSecondInstance(context),
    goneWithOther: ({ context, event }) => event.type === 'reload' && event.spec === null && hasSecondInstance(context),
    hasOther: ({ context }) => hasSecondInstance(context),
    mustRest: ({ context }) => context.wanted === 'down',
    mustStartAgain: ({ context }) => context.cause === 'restart' || context.cause === 'reload',
    isHeld: ({ context }) => context.cause === 'hold',
    verdictIs: ({ context, event }, params: { verdict: Verdict }) => verdictOf(context, event.at) === params.verdict,
    failedButRetries: ({ context, event }) => hasFailed(context) && verdictOf(context, event.at) === 'retry',
    survivesAs: ({ context, event }, params: { as: Survival }) => event.type === 'adopt' && isSurvival(context, event, params.as),
  },
  actions: {
    // Ports: see `provideService`.
    armClock: () => notProvided('clock'),
    disarmClock: () => notProvided('clock'),
    writeRecord: (_, _params: { record: UnitRecord; durable: boolean }) => notProvided('ledger'),
    runHooks: (_, _params: { runs: readonly HookRun[] }) => notProvided('hook'),
    forgetRecord: (_, _params: { key: string }) => notProvided('ledger'),
    answer: (_, _params: { settlements: readonly Settlement[] }) => notProvided('ticket'),

    note: assign(({ context, event }, params: { leaf: Leaf }) => ({
      leaf: params.leaf,
      since: phaseOf(params.leaf) === phaseOf(context.leaf) ? context.since : (momentOf(event) ?? context.since),
    })),
    tell: base.enqueueActions(({ context, event, enqueue }) => {
      const at = momentOf(event);
      if (at === null) return;
      const fact: ServiceFact = { type: 'unit.changed', at, facts: factsOf(context, event, at) };
      enqueue.emit(fact);
      if (context.parent !== null) enqueue.sendTo(context.parent, fact);
    }),
    tellRemoved: base.enqueueActions(({ context, event, enqueue }) => {
      const fact: ServiceFact = { type: 'unit.removed', at: momentOf(event) ?? context.since, unit: context.spec.name, place: context.place };
      enqueue.emit(fact);
      if (context.parent !== null) enqueue.sendTo(context.parent, fact);
    }),

    noteRun: assign({ hasRun: true }),
    /** A spawn waits for the queue, a stop never does. */
    queueStartHooks: queueing(startHooks),
    queueEndHooks: queueing(endHooks),
    noteHooksDone: assign({ hooksPending: false }),

    wantUp: assign({ wanted: 'up' }),
    wantDown: assign({ wanted: 'down' }),
    because: assign(({ event }, params: { cause: Cause }) => ({ cause: params.cause, refusal: 'reason' in event ? event.reason : null })),
    forgive: assign({ failures: [], streak: 0 }),
    beginAnew: assign({ failures: [], streak: 0, restarts: 0, outcome: 'none', automatic: false }),
    takeNamedSpec: assign(({ context, event }) => ({ spec: event.type === 'restart' && event.spec !== null ? event.spec : context.spec })),
    keepNamedSpec: assign(({ context, event }) => ({ nextSpec: event.type === 'restart' && event.spec !== null ? event.spec : context.nextSpec })),
    takeSpec: assign(({ context, event }) => ({ spec: event.type === 'reload' && event.spec !== null ? event.spec : context.spec })),
    keepSpec: assign(({ context, event }) => ({
      nextSpec: event.type === 'reload' ? event.spec : context.nextSpec,
      // Removed and configured again before it was gone: it comes back.
      ...(context.removed ? { removed: false, wanted: 'up' as const, cause: 'reload' as const } : {}),
    })),
    takeNextSpec: assign(({ context }) => ({ spec: context.nextSpec ?? context.spec, nextSpec: null })),
    markRemoved: assign({ removed: true, wanted: 'down' }),
    hold: assign(({ context, event }) => ({ held: event.type === 'hold' ? { ...context.held, [event.dependency]: event.lost } : context.held })),
    release: assign(({ context, event }) => ({
      held: Object.fromEntries(Object.entries(context.held).filter(([name]) => event.type === 'release' && name !== event.dependency)),
    })),

    move: assign(({ context, event }) => (event.type === 'move' ? moved(context, event.to, event.spec) : {})),
    /** The current instance's record was overwritten by its successor's. */
    forgetFormer: base.enqueueActions(({ context, event, enqueue }) => {
      if (event.type !== 'move' || event.from === 'current') return;
      enqueue({ type: 'forgetRecord', params: { key: recordKey(context.spec.name, event.from) } } as never);
    }),

    keepTicket: assign(({ context, event }) => ({
      tickets: 'ticket' in event && event.ticket !== null ? [...context.tickets, ticketOf(event, event.ticket)] : context.tickets,
    })),
    dropTickets: assign(({ context }, params: { kinds: readonly TicketKind[] }) => ({
      tickets: context.tickets.filter((ticket) => !params.kinds.includes(ticket.kind)),
    })),

    plan: assign(({ context, event }, params: { deadline: ServiceDeadline }) => {
      if (context.resumed?.kind === params.deadline) return { deadline: context.resumed, resumed: null };
      const { seed, afterMs } = waitFor(params.deadline, context);
      return { deadline: { kind: params.deadline, at: (momentOf(event) ?? context.since) + afterMs }, resumed: null, seed };
    }),
    unplan: assign({ deadline: null, resumed: null }),

    nextGeneration: assign(({ context }) => ({
      generation: context.generation + 1, step: firstStep(context.spec), ended: null, refusal: null, refused: false, cause: null, killsOrdered: 0,
      outcome: 'none' as const, hasRun: false,
    })),
    nextStep: assign(({ context }) => ({
      step: context.step === 'skip' && context.spec.preStart !== null ? ('pre_start' as const) : null, ended: null, killsOrdered: 0,
    })),
    own: assign(({ context }) => ({
      process: {
        generation: context.generation, role: context.step ?? 'main', identity: null, adopted: false,
        // One for each: what a preparation left behind is not the service.
        token: [context.tokenBase, context.generation, ...(context.step === null ? [] : [context.step])].join('.'),
      },
    })),
    launch: spawnChild('process', {
      id: ({ context }) => actorId(context),
      input: ({ context }) => {
        if (context.process === null) throw new Error('a launch without a process to own');
        const { generation, role, token, identity, adopted } = context.process;
        return { spec: context.spec, generation, role, token, adopt: adopted ? identity : null };
      },
    }),
    identify: assign(({ context, event }) =>
      event.type === 'process.spawned' && context.process !== null
        ? { process: { ...context.process, identity: event.identity }, exit: context.process.role === 'main' ? null : context.exit }
        : {}),
    recordExit: assign(({ event }) => (event.type === 'process.exited' ? { ended: event.exit, exit: event.exit } : {})),
    recordStepExit: assign(({ event }) => (event.type === 'process.exited' ? { ended: event.exit } : {})),
    refuse: assign(({ event }) => ({ refusal: 'reason' in event ? event.reason : null, refused: true })),
    refuseSlowStep: assign(({ context }) => ({ refusal: `${context.step ?? 'preparation'} took longer than ${waitFor('task', context).afterMs / 1000} s` })),
    orderStop: base.enqueueActions(({ context, enqueue }) => {
      if (context.process?.identity) enqueue.sendTo(actorId(context), { type: 'stop', signal: context.spec.stopSignal });
    }),
    orderClear: sendTo(({ context }) => actorId(context), ({ context }) => ({ type: 'clear' as const, signal: context.spec.stopSignal })),
    orderKill: sendTo(({ context }) => actorId(context), { type: 'kill' }),
    countKill: assign({ killsOrdered: ({ context }) => context.killsOrdered + 1 }),
    killStray: base.enqueueActions(({ event, enqueue, self }) => {
      const stray = 'generation' in event ? `process.${event.generation}` : '';
      if (self.getSnapshot().children[stray] !== undefined) enqueue.sendTo(stray, { type: 'kill' });
    }),
    orderSignal: base.enqueueActions(({ context, event, enqueue }) => {
      if (event.type === 'signal' && context.process?.identity) enqueue.sendTo(actorId(context), { type: 'signal', signal: event.signal });
    }),
    disown: base.enqueueActions(({ context, enqueue }) => {
      if (context.process !== null) enqueue.stopChild(actorId(context));
      enqueue.assign({ process: null });
    }),

    watch: spawnChild('probe', {
      id: 'probe',
      input: ({ context }) => {
        const { spec, generation, process } = context;
        if (spec.check === null || !process?.identity) throw new Error('only a living process with a check is probed');
        return { spec, generation, check: spec.check, pid: process.identity.pid };
      },
    }),
    watchAnew: base.enqueueActions(({ context, enqueue }) => {
      const { spec, generation, process } = context;
      enqueue.stopChild('probe');
      // Ready until the new check says otherwise: a changed file is no finding.
      enqueue.assign({ ready: spec.check === null ? null : (context.ready ?? true) });
      if (spec.check === null || !process?.identity) return;
      enqueue.spawnChild('probe', { id: 'probe', input: { spec, generation, check: spec.check, pid: process.identity.pid } });
    }),
    unwatch: stopChild('probe'),
    becomeReady: assign(({ context }) => ({ ready: context.spec.check === null ? null : true, reason: null })),
    becomeUnready: assign(({ event }) => ({ ready: false, reason: 'reason' in event ? event.reason : null })),
    forgetReady: assign({ ready: null }),

    countFailure: assign(({ context, event }) => {
      const { windowMs } = context.spec.restart;
      return {
        failures: windowMs === null ? [] : [...recent(context.failures, windowMs, event.at), event.at],
        streak: context.streak + 1, reason: describeEnd(context), outcome: 'failed' as const,
      };
    }),
    countRestart: assign(({ context }) => ({ restarts: context.restarts + 1, automatic: true })),
    giveUp: assign({ outcome: 'failed', reason: ({ context }) => describeEnd(context) }),
    complete: assign({ outcome: 'completed', reason: null, failures: [], streak: 0 }),
    markSkipped: assign({ outcome: 'skipped', reason: null }),
    clearCause: assign({ cause: null, refusal: null }),
    resume: assign(({ context, event }) => (event.type === 'adopt' ? resumeFrom(context, event) : {})),
  },
}).createMachine({
  id: 'service',
  context: ({ input }) => ({
    parent: input.parent, tokenBase: input.tokenBase, place: input.place ?? 'current', spec: input.spec, nextSpec: null, removed: false, wanted: 'down',
    held: Object.fromEntries(input.held.map((dependency) => [dependency, null])), generation: input.generation ?? 0, process: null, step: null, cause: null,
    refusal: null, refused: false, ended: null, exit: null, reason: null, failures: [], streak: 0, restarts: 0, outcome: 'none', ready: null, tickets: [],
    deadline: null, resumed: null, killsOrdered: 0, hasRun: false, automatic: false, hooksPending: false, leaf: 'stopped', since: input.at, seed: input.seed,
  }),
  initial: 'stopped',
  on: {
    hold: { actions: 'hold' },
    release: { actions: 'release' },
    move: { actions: ['move', write(), 'forgetFormer', 'tell'] },
    'hooks.idle': { actions: 'noteHooksDone' },
    'process.spawned': { guard: 'otherGeneration', actions: 'killStray' },
  },
  states: {
    stopped: {
      entry: enter('stopped'),
      on: {
        start: { target: 'waiting', actions: ['wantUp', 'beginAnew', 'keepTicket'] },
        restart: { target: 'waiting', actions: ['takeNamedSpec', 'wantUp', 'beginAnew', 'keepTicket'] },
        stop: [PART, { actions: ['wantDown', ...enter('stopped'), answerNow('stopped')] }],
        reload: [PART_FOR_GOOD, { guard: 'definitionGone', target: 'removed' }, { actions: ['takeSpec', write()] }],
        adopt: [
          { guard: survives('probed'), target: 'active.starting', actions: ['resume', 'launch'] },
          { guard: survives('running'), target: 'active.running', actions: ['resume', 'launch'] },
          { guard: survives('unwanted'), target: 'ending.stopping', actions: ['resume', 'launch'] },
          { guard: survives('dead'), target: 'settling', actions: 'resume' },
          { guard: survives('pending'), target: 'waiting', actions: ['resume', 'unplan'] },
          { guard: survives('backoff'), target: 'backoff', actions: 'resume' },
          { guard: survives('failed'), target: 'failed', actions: ['resume', 'unplan'] },
          { actions: ['resume', 'unplan', ...enter('stopped')] },
        ],
      },
    },
    failed: {
      entry: enter('failed'),
      on: {
        start: { target: 'waiting', actions: ['wantUp', 'beginAnew', 'keepTicket'] },
        restart: { target: 'waiting', actions: ['takeNamedSpec', 'wantUp', 'beginAnew', 'keepTicket'] },
        stop: [PART, { target: 'stopped', actions: ['wantDown', answerNow('stopped')] }],
        reload: [
          PART_FOR_GOOD,
          { guard: 'definitionGone', target: 'removed' },
          { guard: 'definitionChanges', target: 'waiting', actions: ['takeSpec', 'beginAnew'] },
        ],
      },
    },
    waiting: {
      entry: enter('waiting'),
      always: [
        { guard: 'nothingHolds', target: 'active.preparing', actions: 'nextGeneration' },
        { guard: 'waitsInVain', actions: settle('start', 'failed') },
      ],
      on: {
        start: { actions: ['wantUp', 'keepTicket', write(), 'tell'] },
        restart: { actions: ['takeNamedSpec', 'wantUp', 'beginAnew', 'keepTicket', write(), 'tell'] },
        stop: [PART, { target: 'stopped', actions: ['wantDown', ...supersede(), answerNow('stopped')] }],
        reload: [PART_FOR_GOOD, { guard: 'definitionGone', target: 'removed' }, { actions: ['takeSpec', write()] }],
      },
    },
    active: {
      initial: 'preparing',
      on: {
        start: { actions: ['wantUp', 'keepTicket', write(), 'tell'] },
        stop: { target: 'ending.stopping', actions: ['wantDown', ...supersede(), 'keepTicket', because('command')] },
        restart: { target: 'ending.stopping', actions: ['wantUp', 'beginAnew', 'keepNamedSpec', 'keepTicket', because('restart')] },
        hold: [{ guard: 'holdStops', target: 'ending.stopping', actions: ['hold', because('hold')] }, { actions: 'hold' }],
        reload: [
          { guard: 'definitionGone', target: 'ending.stopping', actions: ['markRemoved', ...supersede(), because('command')] },
          { guard: 'processChanges', target: 'ending.stopping', actions: ['keepSpec', 'beginAnew', because('reload')] },
          { actions: ['takeSpec', write()] },
        ],
        signal: { actions: 'orderSignal' },
        'limit.exceeded': { guard: 'sameGeneration', target: 'ending.stopping', actions: because('limit') },
        'process.refused': { guard: 'sameGeneration', target: 'settling', actions: 'refuse' },
        'process.gone': { guard: 'sameGeneration', target: 'settling' },
      },
      states: {
        preparing: {
          entry: enter('preparing'),
          initial: 'choosing',
          states: {
            choosing: {
              always: [
                { guard: 'flaggedToSkip', target: '#service.stopped', actions: ['markSkipped', ...settle('start', 'skipped')] },
                { guard: 'nothingToPrepare', target: '#service.active.spawning' },
                { target: 'task' },
              ],
            },
            task: {
              entry: ['own', plan('task'), write(), 'armClock', 'launch'],
              on: {
                'process.spawned': { guard: 'sameGeneration', actions: ['identify', write()] },
                'process.exited': { guard: 'sameGeneration', actions: ['recordStepExit', 'orderClear', plan('grace'), 'armClock'] },
                'deadline.task': { guard: 'sameGeneration', target: '#service.ending.stopping', actions: [because('unready'), 'refuseSlowStep'] },
                'deadline.grace': { guard: 'sameGeneration', actions: ['orderKill', plan('kill'), 'armClock'] },
                'deadline.kill': { guard: 'sameGeneration', actions: ['countKill', 'orderKill', plan('kill'), 'armClock'] },
                'process.gone': [
                  {
                    guard: 'stepSaysSkip', target: '#service.stopped',
                    actions: ['disarmClock', 'unplan', 'disown', 'markSkipped', ...settle('start', 'skipped')],
                  },
                  { guard: 'stepFailed', target: '#service.settling' },
                  { guard: 'sameGeneration', target: 'choosing', actions: ['disarmClock', 'unplan', 'disown', 'nextStep'] },
                ],
              },
            },
          },
        },
        spawning: {
          entry: ['own', ...enter('spawning', 'launch')],
          on: { 'process.spawned': { guard: 'sameGeneration', target: 'starting', actions: 'identify' } },
        },
        starting: {
          entry: enter('starting'),
          initial: 'choosing',
          states: {
            choosing: { always: [{ guard: 'isProbed', target: 'probed' }, { target: 'unprobed' }] },
            probed: { entry: 'watch' },
            unprobed: { entry: [plan('alive'), 'armClock'] },
          },
          on: {
            'deadline.alive': { guard: 'sameGeneration', target: 'running' },
            'probe.ok': { guard: 'sameGeneration', target: 'running' },
            'probe.timeout': { guard: 'sameGeneration', target: '#service.ending.stopping', actions: because('unready') },
            reload: { guard: 'checkChanges', target: '.choosing', actions: ['takeSpec', 'unwatch', write()] },
            'process.exited': { guard: 'sameGeneration', target: '#service.ending.clearing', actions: 'recordExit' },
          },
        },
        running: {
          entry: ['becomeReady', plan('stable'), ...enter('running', 'armClock'), 'queueStartHooks', 'noteRun', ...settle('start', 'started')],
          on: {
            start: { actions: ['wantUp', answerNow('already-running')] },
            'process.exited': { guard: 'sameGeneration', target: '#service.ending.clearing', actions: 'recordExit' },
            'probe.bad': UNHEALTHY,
            move: [
              { guard: 'checkMoves', actions: ['move', 'watchAnew', write(), 'forgetFormer', 'tell'] },
              { actions: ['move', write(), 'forgetFormer', 'tell'] },
            ],
            // Of a check that came with a reload.
            'probe.timeout': UNHEALTHY,
            reload: { guard: 'checkChanges', actions: ['takeSpec', 'watchAnew', ...enter('running')] },
            'probe.ok': { guard: 'isUnready', actions: ['becomeReady', plan('stable'), 'armClock', ...enter('running')] },
            'deadline.stable': { guard: 'sameGeneration', actions: ['forgive', 'unplan', write()] },
          },
        },
      },
    },
    ending: {
      initial: 'stopping',
      on: {
        start: [
          { guard: 'isRemoved', actions: answerNow('failed', 'removed from the configuration') },
          { actions: ['wantUp', 'keepTicket', because('restart'), write(), 'tell'] },
        ],
        stop: { actions: ['wantDown', ...supersede(), 'keepTicket', because('command'), write(), 'tell'] },
        restart: [
          { guard: 'isRemoved', actions: answerNow('failed', 'removed from the configuration') },
          { actions: ['wantUp', 'beginAnew', 'keepNamedSpec', 'keepTicket', because('restart'), write(), 'tell'] },
        ],
        reload: [{ guard: 'definitionGone', actions: ['markRemoved', ...supersede(), write(), 'tell'] }, { actions: ['keepSpec', write(), 'tell'] }],
        'process.gone': { guard: 'sameGeneration', target: 'settling' },
        'process.refused': { guard: 'sameGeneration', target: 'settling', actions: 'refuse' },
        'process.exited': { guard: 'sameGeneration', actions: 'recordExit' },
      },
      states: {
        stopping: {
          entry: ['forgetReady', 'unwatch', plan('grace'), ...enter('stopping', 'orderStop', 'armClock')],
          on: {
            'process.spawned': { guard: 'sameGeneration', actions: ['identify', write(), 'orderStop'] },
            'deadline.grace': { guard: 'sameGeneration', target: 'killing' },
          },
        },
        killing: {
          entry: ['countKill', plan('kill'), ...enter('killing', 'orderKill', 'armClock')],
          on: {
            'process.spawned': { guard: 'sameGeneration', actions: ['identify', write(), 'orderKill'] },
            'deadline.kill': {
              guard: 'sameGeneration', actions: ['countKill', plan('kill'), ...enter('killing', 'orderKill', 'armClock'), ...settle('all', 'failed')],
            },
          },
        },
        clearing: {
          entry: ['forgetReady', 'unwatch', plan('grace'), ...enter('clearing', 'orderClear', 'armClock')],
          on: { 'deadline.grace': { guard: 'sameGeneration', target: 'killing' } },
        },
        // The process is gone; what is to rest rests when the second instance is gone too.
        parting: {
          entry: enter('parting'),
          always: { guard: 'isLastInstance', target: '#service.settling' },
        },
      },
    },
    settling: {
      entry: ['disarmClock', 'unplan', 'unwatch', 'forgetReady', 'queueEndHooks', 'disown', 'takeNextSpec'],
      always: [
        { guard: 'waitsForOther', target: 'ending.parting' },
        { guard: 'isRemoved', target: 'removed' },
        { guard: 'mustRest', target: 'stopped', actions: ['clearCause', ...settle('stop', 'stopped')] },
        { guard: 'mustStartAgain', target: 'waiting', actions: ['clearCause', 'beginAnew', ...settle('stop', 'stopped')] },
        { guard: 'isHeld', target: 'waiting', actions: ['clearCause', ...settle('stop', 'stopped')] },
        {
          guard: 'failedButRetries', target: 'backoff',
          actions: ['countFailure', ...settle('start', 'failed'), ...settle('stop', 'stopped'), 'clearCause'],
        },
        {
          guard: { type: 'verdictIs', params: { verdict: 'retry' } }, target: 'backoff',
          actions: ['clearCause', 'forgive', ...settle('start', 'completed'), ...settle('stop', 'stopped')],
        },
        {
          guard: { type: 'verdictIs', params: { verdict: 'rest' } }, target: 'stopped',
          actions: ['clearCause', 'complete', ...settle('start', 'completed'), ...settle('stop', 'stopped')],
        },
        { target: 'failed', actions: ['giveUp', ...settle('start', 'failed'), ...settle('stop', 'stopped'), 'clearCause'] },
      ],
    },
    backoff: {
      entry: [plan('backoff'), ...enter('backoff', 'armClock')],
      exit: ['disarmClock', 'unplan'],
      on: {
        'deadline.backoff': { guard: 'sameGeneration', target: 'waiting', actions: 'countRestart' },
        start: { target: 'waiting', actions: ['wantUp', 'beginAnew', 'keepTicket'] },
        restart: { target: 'waiting', actions: ['takeNamedSpec', 'wantUp', 'beginAnew', 'keepTicket'] },
        stop: [PART, { target: 'stopped', actions: ['wantDown', answerNow('stopped')] }],
        reload: [
          PART_FOR_GOOD,
          { guard: 'definitionGone', target: 'removed' },
          { guard: 'definitionChanges', target: 'waiting', actions: ['takeSpec', 'beginAnew'] },
        ],
      },
    },
    removed: {
      type: 'final',
      entry: ['markRemoved', { type: 'note', params: { leaf: 'removed' } }, ...settle('stop', 'stopped'), ...settle('start', 'failed'), forget(), 'tellRemoved'],
    },
  },
});

export type ServiceRef = ActorRefFrom<typeof serviceMachine>;
export type ServiceSnapshot = SnapshotFrom<typeof serviceMachine>;

/** The effects of a service, joined to the machine. */
export interface ServicePorts {
  readonly clock: ClockPort;
  readonly ledger: LedgerPort;
  readonly tickets: TicketPort;
  readonly hooks: HookPort;
  readonly process: typeof processPort;
  readonly probe: typeof probePort;
}

/** The machine that runs: `serviceMachine` with its ports filled. */
export function provideService(ports: ServicePorts): typeof serviceMachine {
  const { clock, ledger, tickets, hooks, process, probe } = ports;
  return serviceMachine.provide({
    actors: { process, probe },
    actions: {
      armClock: ({ context, self }) => {
        const { deadline, generation } = context;
        if (deadline !== null) clock.arm({ target: self, kind: deadline.kind, generation, at: deadline.at });
      },
      disarmClock: ({ self }) => clock.disarm(self),
      writeRecord: (_, { record, durable }) => ledger.record(record, durable),
      runHooks: ({ self }, { runs }) => hooks.queue(runs, self),
      forgetRecord: (_, { key }) => ledger.forget(key),
      answer: (_, { settlements }) => settlements.forEach((settlement) => tickets.settle(settlement)),
    },
  });
}

// ─── Words of the chart ──────────────────────────────────────────────────────────────────────────────────────────

interface Moment { readonly context: ServiceContext; readonly event: ServiceEvent }

function ofThisGeneration(context: ServiceContext, event: ServiceEvent): boolean {
  return 'generation' in event && event.generation === context.generation;
}

/** On the way into a state: the leaf and its moment, the ledger, the effects, and last whoever watches. */
function enter<const Effects extends readonly string[]>(leaf: Leaf, ...effects: Effects) {
  return [{ type: 'note', params: { leaf } }, write(), ...effects, 'tell'] as const;
}

function write() {
  return {
    type: 'writeRecord',
    params: ({ context, event }: Moment) => ({ record: recordOf(context), durable: 'ticket' in event && event.ticket !== null }),
  } as const;
}

function ticketOf(event: Extract<ServiceEvent, { ticket: number | null }>, id: number): Ticket {
  return { id, kind: event.type, ...(event.type === 'restart' && event.note !== undefined && { note: event.note }) };
}

function forget() {
  return { type: 'forgetRecord', params: ({ context }: Moment) => ({ key: recordKey(context.spec.name, context.place) }) } as const;
}

function because(cause: Cause) {
  return { type: 'because', params: { cause } } as const;
}

function plan(deadline: ServiceDeadline) {
  return { type: 'plan', params: { deadline } } as const;
}

function survives(as: Survival) {
  return { type: 'survivesAs', params: { as } } as const;
}

/** Answers and drops the tickets of one sort. */
function settle(which: keyof typeof KINDS, result: Settlement['result'], error?: string) {
  const kinds = KINDS[which];
  return [
    {
      type: 'answer',
      params: ({ context }: Moment) => ({
        settlements: context.tickets.filter((ticket) => kinds.includes(ticket.kind)).map((ticket): Settlement => ({
          ticket: ticket.id, unit: context.spec.name, result, error: result === 'failed' ? (error ?? failedUnwatched(context)) : null,
          ...(ticket.note !== undefined && result !== 'failed' && { note: ticket.note }),
        })),
      }),
    },
    { type: 'dropTickets', params: { kinds } },
  ] as const;
}

function supersede() {
  return settle('start', 'failed', 'superseded by stop');
}

/** Answers the command at hand at once. */
function answerNow(result: Settlement['result'], error: string | null = null) {
  return {
    type: 'answer',
    params: ({ context, event }: Moment) => ({
      settlements: 'ticket' in event && event.ticket !== null
        ? [{ ticket: event.ticket, unit: context.spec.name, result, error }] : [],
    }),
  } as const;
}
