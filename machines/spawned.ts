import { assign, sendTo, setup, spawnChild, type ActorRefFrom, type AnyActorRef } from 'xstate';
import { notProvided, processPort, type ChildLedgerPort, type ClockPort, type TicketPort } from './ports.ts';
import { killAgainMs, momentOf } from './service-facts.ts';
import type {
  ChildCause, ChildFact, ChildFacts, ChildRecord, ChildState, Deadline, DeadlineEvent, ProcessExit, ProcessReport, ServiceSpec, Settlement,
} from './types.ts';

export interface SpawnedInput {
  readonly record: ChildRecord;
  /** Of the child: see `childSpec`. */
  readonly spec: ServiceSpec;
  readonly ticket: number | null;
  readonly at: number;
  /** Is told every `ChildFact`. */
  readonly parent: AnyActorRef | null;
}

export interface SpawnedContext extends Pick<SpawnedInput, 'record' | 'spec' | 'ticket' | 'parent'> {
  readonly state: ChildState;
  readonly cause: ChildCause | null;
  readonly exit: ProcessExit | null;
  readonly refusal: string | null;
  readonly deadline: Deadline | null;
  readonly killsOrdered: number;
}

export type SpawnedEvent =
  | ProcessReport
  | DeadlineEvent
  | { readonly type: 'end'; readonly at: number; readonly cause: ChildCause };

const PROCESS = 'process';

const base = setup({
  types: {} as { context: SpawnedContext; events: SpawnedEvent; input: SpawnedInput; emitted: ChildFact },
  actors: { process: processPort },
});

/**
 * A process that a service spawned through the socket: spawning → living → gone, ended at its time, with its parent or by
 * order. When its service ends, the service's own ending reaches it, since it carries the service's token too; `end` is for
 * what that cannot reach.
 */
export const spawnedMachine = base.extend({
  guards: {
    wasAlive: ({ context }) => context.record.identity !== null,
  },
  actions: {
    // Ports: see `provideSpawned`.
    armClock: () => notProvided('clock'),
    disarmClock: () => notProvided('clock'),
    writeRecord: () => notProvided('ledger'),
    forgetRecord: () => notProvided('ledger'),
    answer: (_, _params: { settlements: readonly Settlement[] }) => notProvided('ticket'),

    note: assign((_, params: { state: ChildState }) => ({ state: params.state })),
    tell: base.enqueueActions(({ context, event, enqueue }) => {
      if (!('at' in event)) return;
      const fact: ChildFact = { type: 'child.changed', at: event.at, facts: factsOf(context, event.at) };
      enqueue.emit(fact);
      if (context.parent !== null) enqueue.sendTo(context.parent, fact);
    }),
    plan: assign(({ context, event }, params: { deadline: 'ttl' | 'grace' | 'kill' }) => ({ deadline: deadlineOf(params.deadline, context, event) })),
    launch: spawnChild('process', {
      id: PROCESS,
      input: ({ context: { spec, record } }) => ({
        spec, generation: 1, role: 'child' as const, token: record.token, adopt: record.identity, within: record.order.token,
      }),
    }),
    identify: assign(({ context, event }) => (event.type === 'process.spawned' ? { record: { ...context.record, identity: event.identity } } : {})),
    recordExit: assign(({ event }) => (event.type === 'process.exited' ? { exit: event.exit } : {})),
    refuse: assign(({ event }) => (event.type === 'process.refused' ? { refusal: event.reason } : {})),
    because: assign(({ event }) => ({ cause: event.type === 'end' ? event.cause : ('ttl' as const) })),
    orderStop: sendTo(PROCESS, ({ context }) => ({ type: 'stop' as const, signal: context.spec.stopSignal })),
    orderClear: sendTo(PROCESS, ({ context }) => ({ type: 'clear' as const, signal: context.spec.stopSignal })),
    orderKill: sendTo(PROCESS, { type: 'kill' }),
    dropTicket: assign({ ticket: null }),
    countKill: assign({ killsOrdered: ({ context }) => context.killsOrdered + 1 }),
  },
}).createMachine({
  id: 'spawned',
  context: ({ input: { record, spec, ticket, parent } }) => ({
    record, spec, ticket, parent, state: 'spawning', cause: null, exit: null, refusal: null, deadline: null, killsOrdered: 0,
  }),
  initial: 'choosing',
  states: {
    choosing: {
      always: [
        { guard: 'wasAlive', target: 'living', actions: ['launch', plan('ttl')] },
        { target: 'spawning' },
      ],
    },
    spawning: {
      entry: ['writeRecord', 'launch'],
      on: {
        'process.spawned': { target: 'living', actions: ['identify', plan('ttl'), 'writeRecord', ...settle()] },
        'process.refused': { target: 'gone', actions: ['refuse', ...settle()] },
        end: { target: 'stopping', actions: 'because' },
      },
    },
    living: {
      entry: [note('living'), 'armClock', 'tell'],
      on: {
        'process.exited': { target: 'clearing', actions: 'recordExit' },
        'process.gone': 'gone',
        'deadline.ttl': { target: 'stopping', actions: 'because' },
        end: { target: 'stopping', actions: 'because' },
      },
    },
    clearing: {
      entry: [note('clearing'), plan('grace'), 'orderClear', 'armClock', 'tell'],
      on: { 'deadline.grace': 'killing', 'process.gone': 'gone' },
    },
    stopping: {
      entry: [note('stopping'), plan('grace'), 'orderStop', 'armClock', 'tell'],
      on: {
        'process.spawned': { actions: ['identify', 'writeRecord', 'orderStop'] },
        'process.refused': { target: 'gone', actions: 'refuse' },
        'process.exited': { actions: 'recordExit' },
        'process.gone': 'gone',
        'deadline.grace': 'killing',
      },
    },
    killing: {
      entry: [note('killing'), 'countKill', plan('kill'), 'orderKill', 'armClock', 'tell'],
      on: {
        'process.spawned': { actions: ['identify', 'writeRecord', 'orderKill'] },
        'process.refused': { target: 'gone', actions: 'refuse' },
        'process.exited': { actions: 'recordExit' },
        'process.gone': 'gone',
        'deadline.kill': { target: 'killing', reenter: true },
      },
    },
    gone: { type: 'final', entry: [note('gone'), 'disarmClock', 'forgetRecord', ...settle(), 'tell'] },
  },
});

export type SpawnedRef = ActorRefFrom<typeof spawnedMachine>;

export interface SpawnedPorts {
  readonly clock: ClockPort;
  readonly children: ChildLedgerPort;
  readonly tickets: TicketPort;
  readonly process: typeof processPort;
}

/** The machine that runs: `spawnedMachine` with its ports filled. */
export function provideSpawned({ clock, children, tickets, process }: SpawnedPorts): typeof spawnedMachine {
  return spawnedMachine.provide({
    actors: { process },
    actions: {
      armClock: ({ context: { deadline }, self }) => {
        if (deadline !== null) clock.arm({ target: self, kind: deadline.kind, generation: 1, at: deadline.at });
        else clock.disarm(self);
      },
      disarmClock: ({ self }) => clock.disarm(self),
      writeRecord: ({ context }) => children.recordChild(context.record),
      forgetRecord: ({ context }) => children.forgetChild(context.record.id),
      answer: (_, { settlements }) => settlements.forEach((settlement) => tickets.settle(settlement)),
    },
  });
}

function note(state: ChildState) {
  return { type: 'note', params: { state } } as const;
}

function plan(deadline: 'ttl' | 'grace' | 'kill') {
  return { type: 'plan', params: { deadline } } as const;
}

/** Answers whoever asked for the child, once. */
function settle() {
  return [
    {
      type: 'answer',
      params: ({ context: { ticket, record, refusal, state } }: { readonly context: SpawnedContext }) => ({
        settlements: ticket === null ? [] : [{
          ticket, unit: record.order.unit, result: state === 'spawning' && refusal === null ? ('started' as const) : ('failed' as const),
          error: refusal ?? (state === 'spawning' ? null : 'it was ended before it had started'),
        }],
      }),
    },
    'dropTicket',
  ] as const;
}

function deadlineOf(kind: 'ttl' | 'grace' | 'kill', context: SpawnedContext, event: object): Deadline | null {
  const { record: { order, startedAt }, spec, killsOrdered } = context;
  if (kind === 'ttl') return order.ttlMs === null ? null : { kind, at: startedAt + order.ttlMs };
  const afterMs = kind === 'grace' ? spec.stopTimeoutMs : killAgainMs(killsOrdered);
  return { kind, at: (momentOf(event) ?? startedAt) + afterMs };
}

function factsOf({ record, state, cause, exit, killsOrdered }: SpawnedContext, at: number): ChildFacts {
  return { child: record.id, unit: record.order.unit, state, cause, identity: record.identity, exit, stuck: state === 'killing' && killsOrdered > 1, at };
}
