import { assign, sendTo, setup, spawnChild, stopChild } from 'xstate';
import { consequenceOf, type Consequence } from './consequence.ts';
import type { ServiceEvent } from './events.ts';
import { isClean, recent, type Verdict } from './policy.ts';
import { probePort, processPort } from './ports.ts';
import type { OwnedProcess, ProcessExit } from './process-facts.ts';
import { blameOf, describeEnd, endHooks, hasFailed, isOrdered, startHooks, verdictOf, waitFor } from './service-ends.ts';
import {
  actorId, answered, definedBy, lostReason, momentOf, type Answer, type ServiceContext, type ServiceDeadline, type ServiceInput,
} from './service-facts.ts';
import type { ServiceSpec } from './spec.ts';
import { resumeFrom, survivalOf, type Survival } from './survival.ts';
import {
  SECOND_INSTANCE, type Cause, type HookRun, type Leaf, type ServiceFact, type Settlement, type Ticket, type TicketKind,
} from './unit-facts.ts';

/** Which tickets a settlement answers. */
export const KINDS = { start: ['start', 'restart'], stop: ['stop'], all: ['start', 'restart', 'stop'] } as const satisfies Record<string, readonly TicketKind[]>;

const base = setup({
  types: {} as { context: ServiceContext; events: ServiceEvent; input: ServiceInput; emitted: ServiceFact },
  actors: { process: processPort, probe: probePort },
});

/**
 * @internal What the words of the chart of one unit mean. Reports and deadlines of an earlier generation never get here.
 */
export const serviceSetup = base.extend({
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
    takeSpec: assign(({ context, event }) => ({ spec: definedBy(context, event) })),
    keepSpec: assign(({ context, event }) => {
      const spec = event.type === 'reload' || event.type === 'restart' ? event.spec : null;
      return { nextSpec: spec === null ? context.nextSpec : isSame(spec.definition, context.spec.definition) ? null : spec };
    }),
    takeNextSpec: assign(({ context: { spec, nextSpec } }) => ({ spec: nextSpec ?? spec, nextSpec: null, ran: spec.definition })),
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
    answer: assign(({ context, event }, params: Answer) => answered(context, event, params)),

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
});

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

/** Of a clean end there is only something to say when the process left others running. */
function cleanEnd(context: ServiceContext): Pick<ServiceContext, 'reason' | 'blame'> {
  return context.left.length === 0 ? { reason: null, blame: null } : { reason: describeEnd(context), blame: blameOf(context) };
}

function ticketOf(event: Extract<ServiceEvent, { ticket: number | null }>, id: number): Ticket {
  return { id, kind: event.type, ...('note' in event && event.note !== undefined && { note: event.note }) };
}
