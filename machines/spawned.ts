import { assign, sendTo, setup, spawnChild, type ActorRefFrom, type AnyActorRef } from 'xstate';
import type { ChildCause, ChildFact, ChildFacts, ChildRecord, ChildState } from './child-facts.ts';
import { CLEARING, killAgainMs, KILLING, STOPPING, until } from './ending.ts';
import type { DeadlineEvent, Hurry } from './events.ts';
import { processPort, type ChildLedgerPort, type ClockPort } from './ports.ts';
import type { ProcessExit, ProcessReport } from './process-facts.ts';
import { clockDoers, deadlineDeeds, publishing, report, type Deed, type Publisher } from './publishing.ts';
import { momentOf } from './service-facts.ts';
import type { ServiceSpec } from './spec.ts';
import type { Deadline, Settlement } from './unit-facts.ts';

export interface SpawnedInput {
  readonly record: ChildRecord;
  /** Of the child: see `childSpec`. */
  readonly spec: ServiceSpec;
  readonly ticket: number | null;
  /** Gets every `ChildFact`. */
  readonly parent: AnyActorRef | null;
}

export interface SpawnedContext extends Pick<SpawnedInput, 'record' | 'spec' | 'ticket' | 'parent'> {
  readonly cause: ChildCause | null;
  readonly exit: ProcessExit | null;
  readonly deadline: Deadline | null;
  readonly killsOrdered: number;
  /** Collected in a transition and published after it. */
  readonly settled: readonly Settlement[];
}

export type SpawnedEvent =
  | ProcessReport
  | DeadlineEvent
  | Hurry
  | { readonly type: 'end'; readonly at: number; readonly cause: ChildCause };

const PROCESS = 'process';

/**
 * A process that a service spawned through the socket: spawning → living → gone, ended at its time, with its parent or by
 * order. When its service ends, the service's own ending reaches it, since it carries the service's token too; `end` is for
 * what that cannot reach.
 */
export const spawnedMachine = setup({
  types: {} as { context: SpawnedContext; events: SpawnedEvent; input: SpawnedInput; emitted: ChildFact },
  actors: { process: processPort },
  guards: {
    wasAlive: ({ context }) => context.record.identity !== null,
  },
  actions: {
    await: assign(({ context, event }, { kind }: { kind: 'ttl' | 'grace' | 'kill' }) => ({ deadline: deadlineOf(kind, context, event) })),
    unplan: assign({ deadline: null }),
    launch: spawnChild('process', {
      id: PROCESS,
      input: ({ context: { spec, record } }) => ({
        spec, generation: 1, role: 'child' as const, token: record.token, adopt: record.identity, within: record.order.token,
      }),
    }),
    identify: assign(({ context, event }) => (event.type === 'process.spawned' ? { record: { ...context.record, identity: event.identity } } : {})),
    recordExit: assign(({ event }) => (event.type === 'process.exited' ? { exit: event.exit } : {})),
    because: assign(({ event }) => ({ cause: event.type === 'end' ? event.cause : ('ttl' as const) })),
    orderStop: sendTo(PROCESS, ({ context }) => ({ type: 'stop' as const, signal: context.spec.stopSignal })),
    orderClear: sendTo(PROCESS, ({ context }) => ({ type: 'clear' as const, signal: context.spec.stopSignal })),
    orderKill: sendTo(PROCESS, { type: 'kill' }),
    countKill: assign({ killsOrdered: ({ context }) => context.killsOrdered + 1 }),
    /** The answer to the request for the child, given once. */
    answer: assign(({ context: { ticket, record, settled }, event }) => {
      if (ticket === null) return {};
      const started = event.type === 'process.spawned';
      const error = started ? null : event.type === 'process.refused' ? event.reason : 'it was ended before it had started';
      return { ticket: null, settled: [...settled, { ticket, unit: record.order.unit, result: started ? 'started' as const : 'failed' as const, error }] };
    }),
  },
}).createMachine({
  id: 'spawned',
  context: ({ input: { record, spec, ticket, parent } }) => ({
    record, spec, ticket, parent, cause: null, exit: null, deadline: null, killsOrdered: 0, settled: [],
  }),
  initial: 'spawning',
  entry: 'launch',
  on: {
    'process.exited': { actions: 'recordExit' },
    'process.gone': '.gone',
    'process.refused': { target: '.gone', actions: 'answer' },
  },
  states: {
    spawning: {
      always: { guard: 'wasAlive', target: 'living' },
      on: {
        'process.spawned': { target: 'living', actions: ['identify', 'answer'] },
        end: { target: 'stopping', actions: 'because' },
      },
    },
    living: {
      entry: until('ttl'),
      on: {
        'process.exited': { target: 'clearing', actions: 'recordExit' },
        'deadline.ttl': { target: 'stopping', actions: 'because' },
        end: { target: 'stopping', actions: 'because' },
      },
    },
    stopping: STOPPING,
    clearing: CLEARING,
    killing: KILLING,
    gone: { type: 'final', entry: ['unplan', 'answer'] },
  },
});

const spawnedPublisher: Publisher<SpawnedContext, SpawnedEvent> = {
  publish(before, after, event) {
    const { context, value } = after.context.settled.length === 0 ? after : { context: { ...after.context, settled: [] }, value: after.value };
    const at = momentOf(event) ?? context.record.startedAt;
    const state = value as ChildState;
    const deeds: Deed[] = [];
    if (state === 'gone') deeds.push({ type: 'forgetRecord', params: { child: context.record.id } });
    else if (before?.context.record !== context.record && !(before === null && context.record.identity !== null)) deeds.push({ type: 'writeRecord', params: { record: context.record } });
    deeds.push(...deadlineDeeds(before?.context ?? null, context));
    const news = before === null ? state !== 'spawning' : before.value !== value || before.context.killsOrdered !== context.killsOrdered;
    if (news && momentOf(event) !== null) deeds.push(report({ type: 'child.changed', at, facts: factsOf(context, state, at), settlements: after.context.settled } satisfies ChildFact, context.parent));
    return { context, deeds };
  },
};

/** The spawned child's machine with its publisher, its ports unfilled: what explorations step. */
export const publishedSpawned = publishing(spawnedMachine, spawnedPublisher);

export type SpawnedRef = ActorRefFrom<typeof spawnedMachine>;

export interface SpawnedPorts {
  readonly clock: ClockPort;
  readonly children: ChildLedgerPort;
  readonly process: typeof processPort;
}

/** The machine that runs. */
export function provideSpawned({ clock, children, process }: SpawnedPorts): typeof spawnedMachine {
  return publishing(spawnedMachine.provide({ actors: { process } }), spawnedPublisher, {
    ...clockDoers(clock),
    writeRecord: (_, { record }: { readonly record: ChildRecord }) => children.recordChild(record),
    forgetRecord: (_, { child }: { readonly child: string }) => children.forgetChild(child),
  });
}

function deadlineOf(kind: 'ttl' | 'grace' | 'kill', context: SpawnedContext, event: object): Deadline | null {
  const { record: { order, startedAt }, spec, killsOrdered } = context;
  if (kind === 'ttl') return order.ttlMs === null ? null : { kind, at: startedAt + order.ttlMs };
  const afterMs = kind === 'grace' ? spec.stopTimeoutMs : killAgainMs(killsOrdered);
  return { kind, at: (momentOf(event) ?? startedAt) + afterMs };
}

function factsOf({ record, cause, exit, killsOrdered }: SpawnedContext, state: ChildState, at: number): ChildFacts {
  return { child: record.id, unit: record.order.unit, state, cause, identity: record.identity, exit, stuck: state === 'killing' && killsOrdered > 1, at };
}
