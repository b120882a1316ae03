import { assign, sendTo, setup, spawnChild, stopChild, type ActorRefFrom, type SnapshotFrom } from 'xstate';
import { consequenceOf, type Consequence } from './consequence.ts';
import { CLEARING, KILLING, STOPPING, until } from './ending.ts';
import { isClean, recent, type Verdict } from './policy.ts';
import { probePort, processPort } from './ports.ts';
import {
  actorId, blameOf, describeEnd, endHooks, hasFailed, isOrdered, lostReason, momentOf, resumeFrom, startHooks, survivalOf, verdictOf, waitFor,
  type Afterwards, type ServiceContext, type ServiceDeadline, type ServiceInput, type Survival,
} from './service-facts.ts';
import { SECOND_INSTANCE } from './types.ts';
import type { Cause, HookRun, Leaf, OwnedProcess, ProcessExit, ServiceEvent, ServiceFact, ServiceSpec, Settlement, Ticket, TicketKind } from './types.ts';

const REMOVED = 'removed from the configuration';
const KINDS = { start: ['start', 'restart'], stop: ['stop'], all: ['start', 'restart', 'stop'] } as const satisfies Record<string, readonly TicketKind[]>;

const UNHEALTHY = [
  { guard: 'unhealthyMustRestart', target: ending('judge'), actions: because('unhealthy') },
  { actions: ['becomeUnready', 'unplan'] },
] as const;

/** What is done when nothing of a process is left: always before the unit rests, starts again or is judged. */
const LEAVE_PROCESS = ['unplan', 'unwatch', 'forgetReady', 'collectEndHooks', 'disown', 'takeNextSpec'] as const;

const base = setup({
  types: {} as { context: ServiceContext; events: ServiceEvent; input: ServiceInput; emitted: ServiceFact },
  actors: { process: processPort, probe: probePort },
});

/**
 * One unit: stopped → starting → running → backoff → failed, and stopping.
 *
 * Only `process.gone` leaves the states that own a process. While a process is being ended, the region `afterwards` says
 * what follows its end, and commands change that region alone. Reports and deadlines of an earlier generation change
 * nothing. Deadlines are data in the context and events from the clock port, so that they can be shown, resumed and
 * explored: there is no `invoke` and no `after`.
 */
export const serviceMachine = base.extend({
  guards: {
    mustRest: ({ context }) => context.wanted === 'down',
    nothingHolds: ({ context }) => Object.keys(context.held).length === 0 && !context.hooksPending,
    waitsInVain: ({ context }) => lostReason(context) !== null && context.tickets.some(({ kind }) => KINDS.start.some((start) => start === kind)),
    /** The unit is served meanwhile: a candidate is tried once. */
    isTriedInVain: ({ context }) => context.place === 'candidate' && lostReason(context) !== null,
    holdStops: ({ event }) => event.type === 'hold' && event.stops,
    isSkipped: ({ context }) => context.spec.skip === true,
    asksToSkip: ({ context }) => typeof context.spec.skip === 'string',
    isPrepared: ({ context }) => context.spec.preStart !== null,
    endedWell: ({ context }) => context.ended?.code === 0,
    preparedWell: ({ context }) => isPreparedBy(context, context.ended),
    isProbed: ({ context }) => context.spec.check !== null,
    isUnready: ({ context }) => context.ready === false,
    unhealthyMustRestart: ({ context }) => context.spec.check?.onUnhealthy === 'restart',
    /** What the new definition means to a unit in this state. */
    consequenceIs: ({ context, event }, { is, in: state }: { is: Consequence; in: Leaf }) =>
      event.type === 'reload' && consequenceOf({ state, wanted: context.wanted, spec: context.spec }, event.spec) === is,
    /** The process may go on, but not its check. */
    checkChanges: ({ context, event }) => event.type === 'move' && event.spec !== null && JSON.stringify(event.spec.check) !== JSON.stringify(context.spec.check),
    onlyCheckChanges: ({ context, event }) => event.type === 'reload' && event.spec !== null
      && event.spec.definition.process === context.spec.definition.process && JSON.stringify(event.spec.check) !== JSON.stringify(context.spec.check),
    verdictIs: ({ context, event }, params: { verdict: Verdict }) => verdictOf(context, event.at) === params.verdict,
    failedButRetries: ({ context, event }) => hasFailed(context) && verdictOf(context, event.at) === 'retry',
    survivesAs: ({ context, event }, params: { as: Survival }) => event.type === 'adopt' && survivalOf(context, event) === params.as,
  },
  actions: {
    noteRun: assign({ hasRun: true }),
    /** A spawn waits for the queue of hooks, a stop never does. */
    collectStartHooks: assign(({ context }) => collected(context, startHooks(context))),
    collectEndHooks: assign(({ context }) => collected(context, endHooks(context))),
    noteHooksDone: assign({ hooksPending: false }),

    wantUp: assign({ wanted: 'up', goesOn: false }),
    wantDown: assign(({ event }) => ({ wanted: 'down' as const, goesOn: event.type === 'stop' && event.goesOn === true })),
    because: assign(({ event }, params: { cause: Cause }) => ({ cause: params.cause, refusal: 'reason' in event ? event.reason : null })),
    clearCause: assign({ cause: null, refusal: null }),
    forgive: assign({ failures: [], streak: 0 }),
    beginAnew: assign({ failures: [], streak: 0, restarts: 0, outcome: 'none', automatic: false }),
    takeSpec: assign(({ context, event }) => ({ spec: (event.type === 'reload' || event.type === 'restart' ? event.spec : null) ?? context.spec })),
    keepSpec: assign(({ context, event }) => {
      const spec = event.type === 'reload' || event.type === 'restart' ? event.spec : null;
      return { nextSpec: spec === null ? context.nextSpec : isSame(spec.definition, context.spec.definition) ? null : spec };
    }),
    takeNextSpec: assign(({ context }) => ({ spec: context.nextSpec ?? context.spec, nextSpec: null })),
    markRemoved: assign({ removed: true, wanted: 'down', goesOn: false }),
    comeBack: assign({ removed: false, wanted: 'up', goesOn: false }),
    hold: assign(({ context, event }) => ({ held: event.type === 'hold' ? { ...context.held, [event.dependency]: event.lost } : context.held })),
    release: assign(({ context, event }) => ({
      held: Object.fromEntries(Object.entries(context.held).filter(([name]) => event.type === 'release' && name !== event.dependency)),
    })),
    /** The current instance wants what the operator wants; a retired one is down when it ends, and is held from coming back. */
    move: assign(({ context, event }) => event.type !== 'move' ? {} : {
      place: event.to, spec: event.spec ?? context.spec, wanted: event.to === 'retired' ? 'down' : 'up', held: { ...context.held, [SECOND_INSTANCE]: null },
    }),

    keepTicket: assign(({ context, event }) => ({ tickets: 'ticket' in event && event.ticket !== null ? [...context.tickets, ticketOf(event, event.ticket)] : context.tickets })),
    /** Answers the tickets of one sort. */
    settle: assign(({ context }, { kinds, result, error }: { kinds: readonly TicketKind[]; result: Settlement['result']; error: string | null }) => {
      const due = context.tickets.filter(({ kind }) => kinds.includes(kind));
      if (due.length === 0) return {};
      const answers = due.map(({ id, note }): Settlement => ({
        ticket: id, unit: context.spec.name, result, error: result === 'failed' ? (error ?? context.reason ?? describeEnd(context)) : null,
        ...(note !== undefined && result !== 'failed' && { note }),
      }));
      return { settled: [...context.settled, ...answers], tickets: context.tickets.filter((ticket) => !due.includes(ticket)) };
    }),
    /** Answers the command at hand at once. */
    answer: assign(({ context, event }, { result, error }: { result: Settlement['result']; error: string | null }) => (
      'ticket' in event && event.ticket !== null ? { settled: [...context.settled, { ticket: event.ticket, unit: context.spec.name, result, error }] } : {}
    )),

    await: assign(({ context, event }, params: { kind: ServiceDeadline }) => {
      if (context.resumed?.kind === params.kind) return { deadline: context.resumed, resumed: null };
      const { seed, afterMs } = waitFor(params.kind, context);
      return { deadline: { kind: params.kind, at: (momentOf(event) ?? context.since) + afterMs }, resumed: null, seed };
    }),
    unplan: assign({ deadline: null, resumed: null }),

    nextGeneration: assign(({ context }) => ({
      generation: context.generation + 1, leaderEnded: false, ended: null, left: [], refusal: null, refused: false, cause: null, killsOrdered: 0, outcome: 'none' as const, hasRun: false,
    })),
    own: assign(({ context }, { role }: { role: OwnedProcess['role'] }) => ({
      leaderEnded: false, ended: null, left: [], killsOrdered: 0,
      process: {
        generation: context.generation, role, identity: null, adopted: false,
        // One for each: what a preparation left behind is not the service.
        token: [context.tokenBase, context.generation, ...(role === 'main' ? [] : [role])].join('.'),
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
    recordExit: assign(({ context, event }) => event.type !== 'process.exited' ? {} : {
      leaderEnded: true, ended: event.exit, ...(isEndOfAttempt(context, event.exit) && { exit: event.exit }),
    }),
    noteLeft: assign(({ context, event }) => ({ left: event.type === 'process.gone' ? (event.left ?? context.left) : context.left })),
    refuse: assign(({ event }) => ({ refusal: 'reason' in event ? event.reason : null, refused: true })),
    refuseSlowStep: assign(({ context }) => ({ refusal: `${context.process?.role ?? 'preparation'} took longer than ${waitFor('task', context).afterMs / 1000} s` })),
    orderStop: base.enqueueActions(({ context, enqueue }) => {
      if (context.process?.identity) enqueue.sendTo(actorId(context), { type: 'stop', signal: context.spec.stopSignal });
    }),
    orderClear: sendTo(({ context }) => actorId(context), ({ context }) => ({ type: 'clear' as const, signal: context.spec.stopSignal })),
    orderKill: sendTo(({ context }) => actorId(context), { type: 'kill' }),
    countKill: assign({ killsOrdered: ({ context }) => context.killsOrdered + 1 }),
    orderSignal: base.enqueueActions(({ context, event, enqueue }) => {
      if (event.type === 'signal' && context.process?.identity) enqueue.sendTo(actorId(context), { type: 'signal', signal: event.signal });
    }),
    disown: base.enqueueActions(({ context, enqueue }) => {
      if (context.process !== null) enqueue.stopChild(actorId(context));
      enqueue.assign({ process: null });
    }),

    watch: spawnChild('probe', {
      id: 'probe',
      input: ({ context: { spec, generation, process } }) => {
        if (spec.check === null || !process?.identity) throw new Error('only a living process with a check is probed');
        return { spec, generation, check: spec.check, pid: process.identity.pid };
      },
    }),
    unwatch: stopChild('probe'),
    watchAnew: base.enqueueActions(({ context, enqueue }) => {
      const { spec, generation, process } = context;
      enqueue.stopChild('probe');
      // Ready until the new check says otherwise: a changed file is no finding.
      enqueue.assign({ ready: spec.check === null ? null : (context.ready ?? true) });
      if (spec.check === null || !process?.identity) return;
      enqueue.spawnChild('probe', { id: 'probe', input: { spec, generation, check: spec.check, pid: process.identity.pid } });
    }),
    becomeReady: assign(({ context }) => ({ ready: context.spec.check === null ? null : true, reason: null })),
    becomeUnready: assign(({ event }) => ({ ready: false, reason: 'reason' in event ? event.reason : null })),
    forgetReady: assign({ ready: null }),

    countFailure: assign(({ context, event }) => {
      const { windowMs } = context.spec.restart;
      return {
        failures: windowMs === null ? [] : [...recent(context.failures, windowMs, event.at), event.at],
        streak: context.streak + 1, reason: describeEnd(context), blame: blameOf(context), outcome: 'failed' as const,
      };
    }),
    countRestart: assign(({ context }) => ({ restarts: context.restarts + 1, automatic: true })),
    giveUp: assign(({ context }) => ({ outcome: 'failed', reason: describeEnd(context), blame: blameOf(context) })),
    giveUpWaiting: assign(({ context }) => ({ outcome: 'failed', reason: lostReason(context), blame: 'dependency' })),
    complete: assign(({ context }) => ({ outcome: 'completed', ...cleanEnd(context), failures: [], streak: 0 })),
    sayLeft: assign(({ context }) => cleanEnd(context)),
    markSkipped: assign({ outcome: 'skipped', reason: null, blame: null }),
    resume: assign(({ context, event }) => (event.type === 'adopt' ? resumeFrom(context, event) : {})),
  },
}).createMachine({
  id: 'service',
  context: ({ input }) => ({
    parent: input.parent, tokenBase: input.tokenBase, place: input.place ?? 'current', spec: input.spec, nextSpec: null, removed: false, wanted: 'down', goesOn: false,
    held: Object.fromEntries(input.held.map((dependency) => [dependency, null])), generation: input.generation ?? 0, process: null, cause: null,
    refusal: null, refused: false, leaderEnded: false, ended: null, left: [], exit: null, reason: null, blame: null, failures: [], streak: 0, restarts: 0, outcome: 'none', ready: null, tickets: [],
    deadline: null, resumed: null, killsOrdered: 0, hasRun: false, automatic: false, hooksPending: false, since: input.at, seed: input.seed, settled: [], hookRuns: [],
  }),
  initial: 'idle',
  on: {
    hold: { actions: 'hold' },
    release: { actions: 'release' },
    move: { actions: 'move' },
    'hooks.idle': { actions: 'noteHooksDone' },
  },
  states: {
    // Without a process.
    idle: {
      initial: 'stopped',
      on: {
        start: { target: '.waiting', actions: ['wantUp', 'beginAnew', 'keepTicket'] },
        restart: { target: '.waiting', actions: ['takeSpec', 'wantUp', 'beginAnew', 'keepTicket'] },
        stop: { target: '.stopped', actions: ['wantDown', supersede(), answer('stopped')] },
        reload: [{ guard: means('remove', 'stopped'), target: 'removed' }, { actions: 'takeSpec' }],
      },
      states: {
        stopped: {
          meta: { phase: 'stopped', owns: false, deadline: [] },
          on: {
            adopt: [
              { guard: survives('probed'), target: '#service.active.starting', actions: ['resume', 'launch'] },
              { guard: survives('running'), target: '#service.active.running', actions: ['resume', 'launch'] },
              ...(['rest', 'again', 'hold', 'judge'] as const).map((then) => ({ guard: survives(`ending, then ${then}`), target: ending(then), actions: ['resume', 'launch'] as const })),
              { guard: survives('ended, then rest'), actions: ['resume', ...LEAVE_PROCESS, 'clearCause'] },
              { guard: survives('ended, then again'), target: 'waiting', actions: ['resume', ...LEAVE_PROCESS, 'clearCause', 'beginAnew'] },
              { guard: survives('ended, then hold'), target: 'waiting', actions: ['resume', ...LEAVE_PROCESS, 'clearCause'] },
              { guard: survives('ended, then judge'), target: '#service.judging', actions: 'resume' },
              { guard: survives('pending'), target: 'waiting', actions: ['resume', 'unplan'] },
              { guard: survives('backoff'), target: 'backoff', actions: 'resume' },
              { guard: survives('failed'), target: 'failed', actions: ['resume', 'unplan'] },
              { actions: ['resume', 'unplan'] },
            ],
          },
        },
        failed: {
          meta: { phase: 'failed', owns: false, deadline: [] },
          on: { reload: { guard: means('restart', 'failed'), target: 'waiting', actions: ['takeSpec', 'beginAnew'] } },
        },
        backoff: {
          meta: { phase: 'backoff', owns: false, deadline: ['backoff'] },
          entry: until('backoff'),
          exit: 'unplan',
          on: {
            'deadline.backoff': { target: 'waiting', actions: 'countRestart' },
            reload: { guard: means('restart', 'backoff'), target: 'waiting', actions: ['takeSpec', 'beginAnew'] },
          },
        },
        waiting: {
          meta: { phase: 'starting', owns: false, deadline: [] },
          always: [
            { guard: 'nothingHolds', target: '#service.active.preparing', actions: 'nextGeneration' },
            { guard: 'isTriedInVain', target: 'failed', actions: ['giveUpWaiting', settleFailed('start')] },
            { guard: 'waitsInVain', actions: settleFailed('start', lostReason) },
          ],
          on: {
            start: { actions: ['wantUp', 'keepTicket'] },
            restart: { actions: ['takeSpec', 'wantUp', 'beginAnew', 'keepTicket'] },
          },
        },
      },
    },
    active: {
      initial: 'preparing',
      on: {
        start: { actions: ['wantUp', 'keepTicket'] },
        stop: { target: ending('rest'), actions: ['wantDown', supersede(), 'keepTicket', because('command')] },
        restart: { target: ending('again'), actions: ['wantUp', 'beginAnew', 'keepSpec', 'keepTicket', because('restart')] },
        hold: [{ guard: 'holdStops', target: ending('hold'), actions: ['hold', because('hold')] }, { actions: 'hold' }],
        reload: [
          { guard: means('remove', 'running'), target: ending('leave'), actions: ['markRemoved', supersede(), because('command')] },
          { guard: means('restart', 'running'), target: ending('again'), actions: ['keepSpec', 'beginAnew', because('reload')] },
          { guard: means('replace', 'running'), target: ending('again'), actions: ['keepSpec', 'beginAnew', because('reload')] },
          { actions: 'takeSpec' },
        ],
        signal: { actions: 'orderSignal' },
        'limit.exceeded': { target: ending('judge'), actions: because('limit') },
        'process.refused': { target: 'judging', actions: 'refuse' },
        'process.gone': 'judging',
      },
      states: {
        preparing: {
          meta: { phase: 'starting', owns: true, deadline: ['task', 'grace', 'kill'] },
          initial: 'choosing',
          on: { 'deadline.task': { target: ending('judge'), actions: [because('unready'), 'refuseSlowStep'] } },
          states: {
            choosing: {
              always: [
                { guard: 'isSkipped', target: '#service.idle.stopped', actions: ['markSkipped', settle('start', 'skipped')] },
                { guard: 'asksToSkip', target: 'asking' },
                { guard: 'isPrepared', target: 'readying' },
                { target: '#service.active.spawning' },
              ],
            },
            asking: {
              ...step('skip'),
              on: {
                'process.gone': [
                  { guard: 'endedWell', target: '#service.idle.stopped', actions: [...LEAVE_PROCESS, 'markSkipped', settle('start', 'skipped')] },
                  { guard: 'isPrepared', target: 'readying', actions: ['unplan', 'disown'] },
                  { target: '#service.active.spawning', actions: ['unplan', 'disown'] },
                ],
              },
            },
            readying: {
              ...step('pre_start'),
              on: { 'process.gone': [{ guard: 'preparedWell', target: '#service.active.spawning', actions: ['unplan', 'disown'] }, { target: '#service.judging' }] },
            },
          },
        },
        spawning: {
          meta: { phase: 'starting', owns: true, deadline: [] },
          entry: [own('main'), 'launch'],
          on: { 'process.spawned': { target: 'starting', actions: 'identify' } },
        },
        starting: {
          meta: { phase: 'starting', owns: true, deadline: ['alive'] },
          initial: 'choosing',
          states: {
            choosing: { always: [{ guard: 'isProbed', target: 'probed' }, { target: 'unprobed' }] },
            probed: { entry: ['unplan', 'watch'] },
            unprobed: { entry: until('alive') },
          },
          on: {
            'deadline.alive': 'running',
            'probe.ok': 'running',
            'probe.timeout': { target: ending('judge'), actions: because('unready') },
            reload: { guard: 'onlyCheckChanges', target: '.choosing', actions: ['takeSpec', 'unwatch'] },
            'process.exited': { target: clearing(), actions: 'recordExit' },
          },
        },
        running: {
          meta: { phase: 'running', owns: true, deadline: ['stable'] },
          entry: ['becomeReady', until('stable'), 'collectStartHooks', 'noteRun', settle('start', 'started')],
          on: {
            start: { actions: ['wantUp', answer('already-running')] },
            'process.exited': { target: clearing(), actions: 'recordExit' },
            'probe.bad': UNHEALTHY,
            // Of a check that came with a reload.
            'probe.timeout': UNHEALTHY,
            'probe.ok': { guard: 'isUnready', actions: ['becomeReady', until('stable')] },
            'deadline.stable': { actions: ['forgive', 'unplan'] },
            move: [{ guard: 'checkChanges', actions: ['move', 'watchAnew'] }, { actions: 'move' }],
            reload: { guard: 'onlyCheckChanges', actions: ['takeSpec', 'watchAnew'] },
          },
        },
      },
    },
    ending: {
      type: 'parallel',
      entry: ['forgetReady', 'unwatch'],
      on: { 'process.exited': { actions: 'recordExit' } },
      states: {
        process: {
          initial: 'stopping',
          states: {
            stopping: STOPPING,
            clearing: CLEARING,
            killing: {
              ...KILLING,
              on: { ...KILLING.on, 'deadline.kill': { ...KILLING.on['deadline.kill'], actions: settleFailed('all', survivor) } },
            },
          },
        },
        // What follows when nothing is left of the process. The grace is not prolonged and no signal repeated by a command.
        afterwards: {
          initial: 'rest',
          on: {
            start: { target: '.again', actions: ['wantUp', 'keepTicket', because('restart')] },
            stop: { target: '.rest', actions: ['wantDown', supersede(), 'keepTicket', because('command')] },
            restart: { target: '.again', actions: ['wantUp', 'beginAnew', 'keepSpec', 'keepTicket', because('restart')] },
            reload: [{ guard: means('remove', 'stopping'), target: '.leave', actions: ['markRemoved', supersede()] }, { actions: 'keepSpec' }],
          },
          states: {
            rest: { on: gone('#service.idle.stopped', ...LEAVE_PROCESS, 'clearCause', settle('stop', 'stopped')) },
            again: { on: gone('#service.idle.waiting', ...LEAVE_PROCESS, 'clearCause', 'beginAnew', settle('stop', 'stopped')) },
            hold: { on: gone('#service.idle.waiting', ...LEAVE_PROCESS, 'clearCause', settle('stop', 'stopped')) },
            judge: { on: gone('#service.judging', 'noteLeft') },
            leave: {
              on: {
                ...gone('#service.removed', ...LEAVE_PROCESS),
                start: { actions: answer('failed', REMOVED) },
                restart: { actions: answer('failed', REMOVED) },
                stop: { actions: ['wantDown', 'keepTicket', because('command')] },
                // Configured again before it was gone: it comes back.
                reload: [{ guard: means('remove', 'stopping') }, { target: 'again', actions: ['keepSpec', 'comeBack', because('reload')] }],
              },
            },
          },
        },
      },
    },
    // By the restart policy: an end that nobody ordered.
    judging: {
      entry: ['unplan', 'unwatch', 'forgetReady', 'collectEndHooks', 'takeNextSpec'],
      always: [
        { guard: 'mustRest', target: 'idle.stopped', actions: ['clearCause', settle('stop', 'stopped'), 'disown'] },
        {
          guard: 'failedButRetries', target: 'idle.backoff',
          actions: ['countFailure', settleFailed('start'), settle('stop', 'stopped'), 'clearCause', 'disown'],
        },
        { guard: verdictIs('retry'), target: 'idle.backoff', actions: ['clearCause', 'forgive', 'sayLeft', settle('start', 'completed'), settle('stop', 'stopped'), 'disown'] },
        { guard: verdictIs('rest'), target: 'idle.stopped', actions: ['clearCause', 'complete', settle('start', 'completed'), settle('stop', 'stopped'), 'disown'] },
        { target: 'idle.failed', actions: ['giveUp', settleFailed('start'), settle('stop', 'stopped'), 'clearCause', 'disown'] },
      ],
    },
    removed: {
      type: 'final',
      meta: { phase: 'stopped', owns: false, deadline: [] },
      entry: ['markRemoved', settle('stop', 'stopped'), settle('start', 'failed', REMOVED)],
    },
  },
});

export type ServiceRef = ActorRefFrom<typeof serviceMachine>;
export type ServiceSnapshot = SnapshotFrom<typeof serviceMachine>;

// ─── Words of the chart ──────────────────────────────────────────────────────────────────────────────────────────────

interface Given {
  readonly context: ServiceContext;
}

function ending(then: Afterwards | 'leave') {
  return ['#service.ending.process.stopping', `#service.ending.afterwards.${then}`] as const;
}

/** The leader has ended by itself. */
function clearing() {
  return ['#service.ending.process.clearing', '#service.ending.afterwards.judge'] as const;
}

/** One step of the preparation: a process of its own, ended with all that it left before the next one begins. */
function step(role: 'skip' | 'pre_start') {
  return {
    entry: [own(role), until('task'), 'launch'],
    initial: 'going',
    states: {
      going: { on: { 'process.spawned': { actions: 'identify' }, 'process.exited': { target: 'clearing', actions: 'recordExit' } } },
      clearing: CLEARING,
      killing: KILLING,
    },
  } as const;
}

/** When nothing of the process is left, or it never came to be. */
function gone<const Target extends string, const Actions extends readonly unknown[]>(target: Target, ...actions: Actions) {
  return { 'process.gone': { target, actions }, 'process.refused': { target, actions: ['refuse', ...actions] } } as const;
}

/** Of a preparation only the failure is an end of the unit, not that it was ended by order. */
function isEndOfAttempt(context: ServiceContext, exit: ProcessExit | null): boolean {
  const { process, cause } = context;
  return process?.role === 'main' || (process?.role === 'pre_start' && !isOrdered(cause) && !isPreparedBy(context, exit));
}

/** `success_exit_codes` count for the preparation too; 0 is a success in any case. */
function isPreparedBy({ spec }: ServiceContext, exit: ProcessExit | null): boolean {
  return exit?.code === 0 || isClean(exit, spec.restart);
}

function isSame(one: ServiceSpec['definition'], other: ServiceSpec['definition']): boolean {
  return one.process === other.process && one.policy === other.policy;
}

function collected({ hookRuns, hooksPending }: ServiceContext, runs: readonly HookRun[]) {
  return { hookRuns: [...hookRuns, ...runs], hooksPending: hooksPending || runs.length > 0 };
}

function own(role: OwnedProcess['role']) {
  return { type: 'own', params: { role } } as const;
}

function because(cause: Cause) {
  return { type: 'because', params: { cause } } as const;
}

function means(is: Consequence, state: Leaf) {
  return { type: 'consequenceIs', params: { is, in: state } } as const;
}

function verdictIs(verdict: Verdict) {
  return { type: 'verdictIs', params: { verdict } } as const;
}

function survives(as: Survival) {
  return { type: 'survivesAs', params: { as } } as const;
}

function settle(which: keyof typeof KINDS, result: Settlement['result'], error: string | null = null) {
  return { type: 'settle', params: { kinds: KINDS[which], result, error } } as const;
}

/** `why` null: the reason is the end of the attempt at hand. */
function settleFailed(which: keyof typeof KINDS, why: (context: ServiceContext) => string | null = () => null) {
  return { type: 'settle', params: ({ context }: Given) => ({ kinds: KINDS[which], result: 'failed' as const, error: why(context) }) } as const;
}

/** Of those that wait for a start; not where the next run answers them. */
function supersede() {
  return {
    type: 'settle',
    params: ({ event }: { readonly event: ServiceEvent }) => ({
      kinds: event.type === 'stop' && event.followed === true ? [] : KINDS.start, result: 'failed' as const, error: 'superseded by stop',
    }),
  } as const;
}

function answer(result: Settlement['result'], error: string | null = null) {
  return { type: 'answer', params: { result, error } } as const;
}

/** Of a clean end there is only something to say when the process left others running. */
function cleanEnd(context: ServiceContext): Pick<ServiceContext, 'reason' | 'blame'> {
  return context.left.length === 0 ? { reason: null, blame: null } : { reason: describeEnd(context), blame: blameOf(context) };
}

function survivor({ process }: ServiceContext): string {
  return `pid ${process?.identity?.pid ?? '?'} survives SIGKILL (state D)`;
}

function ticketOf(event: Extract<ServiceEvent, { ticket: number | null }>, id: number): Ticket {
  return { id, kind: event.type, ...('note' in event && event.note !== undefined && { note: event.note }) };
}
