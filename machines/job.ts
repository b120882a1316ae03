import { assign, setup, type ActorRefFrom, type AnyActorRef } from 'xstate';
import { notProvided, type RunHistoryPort, type SchedulePort } from './ports.ts';
import { momentOf, triggerOf, type ServiceInput } from './service-facts.ts';
import { provideService, serviceMachine, type ServicePorts, type ServiceRef } from './service.ts';
import type {
  DeadlineEvent, JobRun, JobRunEnd, Leaf, ScheduleReport, ServiceCommand, ServiceFact, ServiceSpec, Settlement, UnitFacts, Wanted,
} from './types.ts';

/** What a job actor is made from: what its runner is. */
export type JobInput = ServiceInput;

export interface JobContext {
  readonly parent: AnyActorRef | null;
  readonly spec: ServiceSpec;
  /** Runs the process: a service that is started once for each run, and never again by itself. */
  readonly runner: ServiceRef;
  /** Down: the schedule is suspended. */
  readonly wanted: Wanted;
  readonly removed: boolean;
  readonly nextWallMs: number | null;
  readonly run: JobRun | null;
  readonly runsBegun: number;
  readonly tokenBase: string;
  /** Waits for the present run to end. */
  readonly queued: { readonly instantWallMs: number | null; readonly ticket: number | null } | null;
  /** Why the present run is being ended, in 0.33.0's words; null while it is not. */
  readonly endingBecause: string | null;
  /** What the runner told last. */
  readonly runnerFacts: UnitFacts | null;
  readonly since: number;
  readonly leaf: 'waiting' | 'running' | 'removed';
}

export type JobEvent = ServiceCommand | ServiceFact | ScheduleReport | DeadlineEvent;

const RESTING: readonly Leaf[] = ['stopped', 'failed', 'removed'];

const base = setup({
  types: {} as { context: JobContext; events: JobEvent; input: JobInput; emitted: ServiceFact },
  actors: { runner: serviceMachine },
});

/**
 * A cron unit: waiting and running. Each run is one start of the runner, so what is true of a service's process is true
 * of a run's. When a run is due while another goes on, `overlap` decides.
 */
export const jobMachine = base.extend({
  guards: {
    isWanted: ({ context }) => context.wanted === 'up',
    runsNow: ({ event }) => event.type === 'restart' || (event.type === 'start' && (event.origin === undefined || event.origin.kind === 'command')),
    definitionGone: ({ event }) => event.type === 'reload' && event.spec === null,
    survives: ({ event }) => event.type === 'adopt' && event.verdict !== 'rest',
    runEnded: ({ event }) => event.type === 'unit.changed' && RESTING.includes(event.facts.state),
    runEndedAndMoreWait: ({ context, event }) =>
      event.type === 'unit.changed' && RESTING.includes(event.facts.state) && context.queued !== null && (context.wanted === 'up' || context.queued.ticket !== null),
    overlapIs: ({ context }, params: { rule: 'skip' | 'queue' | 'replace' }) => context.spec.cron?.overlap === params.rule,
    isRemoved: ({ context }) => context.removed,
    isEnding: ({ context }) => context.endingBecause !== null,
  },
  actions: {
    // Ports: see `provideJob`.
    watchSchedule: () => notProvided('schedule'),
    watchIfWanted: () => notProvided('schedule'),
    unwatchSchedule: () => notProvided('schedule'),
    armClock: () => notProvided('clock'),
    disarmClock: () => notProvided('clock'),
    noteBegun: () => notProvided('run history'),
    noteOverlap: () => notProvided('run history'),
    noteRunning: () => notProvided('run history'),
    noteEnded: (_, _params: { end: JobRunEnd }) => notProvided('run history'),
    answer: (_, _params: { settlements: readonly Settlement[] }) => notProvided('ticket'),

    wantUp: assign({ wanted: 'up' }),
    wantDown: assign({ wanted: 'down', queued: null, nextWallMs: null }),
    takeNext: assign(({ event }) => (event.type === 'scheduled' ? { nextWallMs: event.nextWallMs } : {})),
    takeSpec: assign(({ context, event }) => ({ spec: event.type === 'reload' && event.spec !== null ? event.spec : event.type === 'restart' && event.spec !== null ? event.spec : context.spec })),
    markRemoved: assign({ removed: true, wanted: 'down', queued: null }),
    enter: assign(({ context, event }, params: { leaf: JobContext['leaf'] }) => ({ leaf: params.leaf, since: momentOf(event) ?? context.since })),
    begin: base.enqueueActions(({ context, event, enqueue }) => {
      const instantWallMs = event.type === 'due' ? event.instantWallMs : event.type === 'unit.changed' ? (context.queued?.instantWallMs ?? null) : null;
      const ticket = 'ticket' in event ? event.ticket : (context.queued?.ticket ?? null);
      const at = momentOf(event) ?? context.since;
      enqueue.assign({
        run: { id: `${context.tokenBase}.${context.runsBegun + 1}`, instantWallMs }, runsBegun: context.runsBegun + 1, queued: null, endingBecause: null,
        runnerFacts: null,
      });
      enqueue.sendTo(context.runner, { type: 'restart', at, ticket, spec: runnerSpec(context.spec) });
    }),
    resumeRun: base.enqueueActions(({ context, event, enqueue }) => {
      if (event.type !== 'adopt') return;
      const { record } = event;
      // A run that was interrupted before it began is not begun by itself.
      const verdict = event.verdict === 'unborn' ? 'dead' : event.verdict;
      enqueue.assign({ run: { id: record.process?.token ?? context.tokenBase, instantWallMs: null }, wanted: record.wanted });
      enqueue.sendTo(context.runner, { ...event, verdict, record: { ...record, definition: context.spec.definition } });
    }),
    resumeRest: base.enqueueActions(({ context, event, enqueue }) => {
      if (event.type !== 'adopt') return;
      enqueue.assign({ wanted: event.record.wanted });
      enqueue.sendTo(context.runner, { ...event, record: { ...event.record, state: event.record.state === 'failed' ? 'failed' : 'stopped', definition: context.spec.definition } });
    }),
    passOn: base.enqueueActions(({ context, event, enqueue }) => {
      if (event.type === 'stop' || event.type === 'start' || event.type === 'signal' || event.type === 'hold' || event.type === 'release' || event.type === 'limit.exceeded') {
        enqueue.sendTo(context.runner, event);
      }
    }),
    sayWhy: assign(({ context }, params: { because: 'timeout' | 'replaced' | 'stopped' }) => ({
      endingBecause: context.endingBecause
        ?? { timeout: `Timed out after ${inWords(context.spec.cron?.timeoutMs ?? 0)}`, replaced: 'Replaced by a newer run', stopped: 'Stopped' }[params.because],
    })),
    stopRunner: base.enqueueActions(({ context, event, enqueue }) => {
      enqueue.sendTo(context.runner, { type: 'stop', at: momentOf(event) ?? context.since, ticket: null });
    }),
    queueDue: assign(({ context, event }) => ({
      queued: event.type === 'due' ? { instantWallMs: event.instantWallMs, ticket: context.queued?.ticket ?? null }
        : 'ticket' in event ? { instantWallMs: null, ticket: event.ticket } : context.queued,
    })),
    noteFacts: assign(({ event }) => (event.type === 'unit.changed' ? { runnerFacts: event.facts } : {})),
    recordEnd: base.enqueueActions(({ context, enqueue }) => {
      if (context.run !== null) enqueue({ type: 'noteEnded', params: { end: endOf(context) } } as never);
      enqueue.assign({ run: null, endingBecause: null });
    }),
    tell: base.enqueueActions(({ context, event, enqueue }) => {
      const at = momentOf(event);
      if (at === null) return;
      const fact: ServiceFact = { type: 'unit.changed', at, facts: jobFacts(context, event, at) };
      enqueue.emit(fact);
      if (context.parent !== null) enqueue.sendTo(context.parent, fact);
    }),
    tellRemoved: base.enqueueActions(({ context, event, enqueue }) => {
      const fact: ServiceFact = { type: 'unit.removed', at: momentOf(event) ?? context.since, unit: context.spec.name, place: 'current' };
      enqueue.emit(fact);
      if (context.parent !== null) enqueue.sendTo(context.parent, fact);
    }),
    /** Configured again before its last run was over. */
    comeBack: assign({ removed: false, wanted: 'up' }),
    keepRunner: base.enqueueActions(({ context, event, enqueue }) => {
      const at = momentOf(event) ?? context.since;
      enqueue.sendTo(context.runner, { type: 'reload', at, spec: runnerSpec(context.spec) });
      enqueue.sendTo(context.runner, { type: 'stop', at, ticket: null });
    }),
    endRunner: base.enqueueActions(({ context, event, enqueue }) => {
      enqueue.sendTo(context.runner, { type: 'reload', at: momentOf(event) ?? context.since, spec: null });
    }),
  },
}).createMachine({
  id: 'job',
  context: ({ input, spawn, self }) => ({
    parent: input.parent, spec: input.spec,
    runner: spawn('runner', {
      id: 'runner',
      input: { spec: runnerSpec(input.spec), held: input.held, tokenBase: input.tokenBase, seed: input.seed, at: input.at, parent: self },
    }),
    wanted: 'down', removed: false, nextWallMs: null, run: null, runsBegun: 0, tokenBase: input.tokenBase, queued: null, endingBecause: null,
    runnerFacts: null, since: input.at, leaf: 'waiting',
  }),
  initial: 'waiting',
  on: {
    scheduled: { actions: ['takeNext', 'tell'] },
    hold: { actions: 'passOn' },
    release: { actions: 'passOn' },
    // The record of it went with the runner: the runner forgets it.
    'unit.removed': { target: '.removed', actions: 'recordEnd' },
  },
  states: {
    waiting: {
      entry: [enter('waiting'), 'tell'],
      on: {
        due: { guard: 'isWanted', target: 'running', actions: ['begin', 'noteBegun'] },
        start: [
          { guard: 'runsNow', target: 'running', actions: ['wantUp', 'watchSchedule', 'begin', 'noteBegun'] },
          { actions: ['wantUp', 'watchSchedule', 'tell', answerNow('started')] },
        ],
        restart: { target: 'running', actions: ['takeSpec', 'wantUp', 'watchSchedule', 'begin', 'noteBegun'] },
        // The runner keeps the wish in the ledger, and answers.
        stop: { actions: ['wantDown', 'unwatchSchedule', 'passOn', 'tell'] },
        'unit.changed': { actions: ['noteFacts', 'tell'] },
        reload: [
          { guard: 'definitionGone', actions: ['markRemoved', 'unwatchSchedule', 'endRunner'] },
          { guard: 'isWanted', actions: ['takeSpec', 'watchSchedule'] },
          { actions: 'takeSpec' },
        ],
        adopt: [
          { guard: 'survives', target: 'running', actions: ['resumeRun', 'watchIfWanted'] },
          { actions: ['resumeRest', 'watchIfWanted', 'tell'] },
        ],
      },
    },
    running: {
      entry: [enter('running'), 'armClock', 'tell'],
      exit: 'disarmClock',
      on: {
        due: [
          { guard: { type: 'overlapIs', params: { rule: 'queue' } }, actions: 'queueDue' },
          { guard: { type: 'overlapIs', params: { rule: 'replace' } }, actions: ['queueDue', because('replaced'), 'stopRunner'] },
          { actions: 'noteOverlap' },
        ],
        start: [
          { guard: 'isRemoved', actions: answerNow('failed', 'removed from the configuration') },
          { guard: 'isEnding', actions: ['wantUp', 'watchSchedule', answerQueued(), 'queueDue'] },
          { actions: ['wantUp', 'watchSchedule', 'passOn'] },
        ],
        restart: [
          { guard: 'isRemoved', actions: answerNow('failed', 'removed from the configuration') },
          { actions: ['takeSpec', 'wantUp', 'watchSchedule', answerQueued(), 'queueDue', because('replaced'), 'stopRunner'] },
        ],
        stop: { actions: [answerQueued(), 'wantDown', 'unwatchSchedule', because('stopped'), 'passOn'] },
        signal: { actions: 'passOn' },
        'limit.exceeded': { actions: 'passOn' },
        'deadline.run': { actions: [because('timeout'), 'stopRunner'] },
        reload: [
          { guard: 'definitionGone', actions: [answerQueued('removed from the configuration'), 'markRemoved', 'unwatchSchedule', 'endRunner'] },
          { guard: 'isRemoved', actions: ['takeSpec', 'comeBack', 'watchSchedule', because('stopped'), 'keepRunner'] },
          { guard: 'isWanted', actions: ['takeSpec', 'watchSchedule'] },
          { actions: 'takeSpec' },
        ],
        'unit.changed': [
          { guard: 'runEndedAndMoreWait', target: 'running', reenter: true, actions: ['noteFacts', 'recordEnd', 'begin', 'noteBegun'] },
          { guard: 'runEnded', target: 'waiting', actions: ['noteFacts', 'recordEnd'] },
          { actions: ['noteFacts', 'noteRunning', 'tell'] },
        ],
      },
    },
    removed: { type: 'final', entry: [enter('removed'), 'unwatchSchedule', 'tellRemoved'] },
  },
});

export type JobRef = ActorRefFrom<typeof jobMachine>;

export interface JobPorts extends ServicePorts {
  readonly schedule: SchedulePort;
  readonly runs: RunHistoryPort;
}

/** The machine that runs: `jobMachine` with its ports and those of its runner filled. */
export function provideJob(ports: JobPorts): typeof jobMachine {
  const { clock, schedule, runs, tickets } = ports;
  return jobMachine.provide({
    actors: { runner: provideService(ports) },
    actions: {
      watchSchedule: ({ context, self }) => {
        if (context.spec.cron !== null) schedule.watch(self, context.spec.name, context.spec.cron);
      },
      watchIfWanted: ({ context, self }) => {
        if (context.wanted === 'up' && context.spec.cron !== null) schedule.watch(self, context.spec.name, context.spec.cron);
      },
      unwatchSchedule: ({ self }) => schedule.unwatch(self),
      armClock: ({ context, self }) => {
        const timeoutMs = context.spec.cron?.timeoutMs ?? null;
        if (timeoutMs !== null) clock.arm({ target: self, kind: 'run', generation: context.runsBegun, at: context.since + timeoutMs });
      },
      disarmClock: ({ self }) => clock.disarm(self),
      noteBegun: ({ context }) => {
        if (context.run !== null) runs.began(context.spec.name, context.run);
      },
      noteRunning: ({ context }) => {
        const pid = context.runnerFacts?.pid ?? null;
        if (context.run !== null && pid !== null) runs.running(context.spec.name, context.run, pid);
      },
      noteOverlap: ({ context, event }) => {
        if (event.type === 'due') runs.overlapped(context.spec.name, event.instantWallMs);
      },
      noteEnded: ({ context }, { end }) => {
        if (context.run !== null) runs.ended(context.spec.name, context.run, end);
      },
      answer: (_, { settlements }) => settlements.forEach((settlement) => tickets.settle(settlement)),
    },
  });
}

/** A run is attempted once: what the restart keys say is for services. */
function runnerSpec(spec: ServiceSpec): ServiceSpec {
  return { ...spec, check: null, essential: false, restart: { ...spec.restart, mode: 'never', oneshot: true, maxRestarts: 0, noRestartExitCodes: [] } };
}

/** How the run that the runner has just finished ended. A run that an operator or the schedule ended has not succeeded. */
function endOf(context: JobContext): JobRunEnd {
  const { endingBecause, runnerFacts: facts, spec } = context;
  const exit = facts?.ended ?? null;
  if (endingBecause !== null) return { kind: 'failed', exit, reason: endingBecause };
  if (facts === null) return { kind: 'failed', exit: null, reason: 'Interrupted by supervisor crash' };
  if (facts.outcome === 'completed' || facts.outcome === 'skipped') return { kind: 'success', exit };
  if (exit?.signal != null) return { kind: 'failed', exit, reason: `Terminated by signal ${exit.signal}` };
  if (exit?.code != null) return { kind: 'failed', exit, reason: `Process exited with code ${exit.code}` };
  const interrupted = facts.reason === null || facts.reason === 'interrupted';
  return { kind: 'failed', exit, reason: interrupted ? 'Interrupted by supervisor crash' : `Failed to start service '${spec.name}': ${facts.reason}` };
}

function jobFacts(context: JobContext, event: JobEvent, at: number): UnitFacts {
  const { runnerFacts: facts, spec, leaf, wanted } = context;
  const running = leaf === 'running';
  return {
    unit: spec.name, place: 'current', state: running ? (facts?.state ?? 'preparing') : leaf === 'removed' ? 'removed' : 'waiting', phase: running ? 'running' : 'waiting',
    wanted, ready: null, outcome: facts?.outcome ?? 'none', cause: facts?.cause ?? null, generation: facts?.generation ?? 0, exit: facts?.exit ?? null, ended: facts?.ended ?? null,
    reason: facts?.reason ?? null, restarts: 0, stuck: facts?.stuck ?? false, pid: running ? (facts?.pid ?? null) : null, failures: 0,
    deadline: null, trigger: triggerOfJob(event), event: event.type === 'unit.changed' ? event.facts.event : event.type, at,
  };
}

function triggerOfJob(event: JobEvent): UnitFacts['trigger'] {
  if (event.type === 'unit.changed') return event.facts.trigger;
  if (event.type === 'unit.removed') return { kind: 'reload', by: null };
  return event.type === 'due' || event.type === 'scheduled' ? { kind: 'schedule', by: null } : triggerOf(event);
}

function enter(leaf: JobContext['leaf']) {
  return { type: 'enter', params: { leaf } } as const;
}

function because(because: 'timeout' | 'replaced' | 'stopped') {
  return { type: 'sayWhy', params: { because } } as const;
}

function answerNow(result: Settlement['result'], error: string | null = null) {
  return {
    type: 'answer',
    params: ({ context, event }: { readonly context: JobContext; readonly event: JobEvent }) => ({
      settlements: 'ticket' in event && event.ticket !== null ? [{ ticket: event.ticket, unit: context.spec.name, result, error }] : [],
    }),
  } as const;
}

/** A run that somebody waits for will not be: another order has taken its place. */
function answerQueued(error?: string) {
  return {
    type: 'answer',
    params: ({ context, event }: { readonly context: JobContext; readonly event: JobEvent }) => ({
      settlements: context.queued?.ticket == null ? []
        : [{ ticket: context.queued.ticket, unit: context.spec.name, result: 'failed' as const, error: error ?? `superseded by ${event.type}` }],
    }),
  } as const;
}

/** 90000 → `90s`, 300000 → `5m`. */
function inWords(ms: number): string {
  const units = [[86_400_000, 'd'], [3_600_000, 'h'], [60_000, 'm'], [1000, 's']] as const;
  const [size, word] = units.find(([unit]) => ms >= unit && ms % unit === 0) ?? [1, 'ms'];
  return `${ms / size}${word}`;
}
