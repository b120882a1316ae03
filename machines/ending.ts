import { assign, sendTo, setup, spawnChild } from 'xstate';
import type { DeadlineEvent, Hurry } from './events.ts';
import { custodyPort, type ClockPort } from './ports.ts';
import type { ProcessReport } from './process-facts.ts';
import { clockDoers, deadlinesOnly, publishing } from './publishing.ts';
import type { SignalName } from './spec.ts';
import type { Deadline } from './unit-facts.ts';

/**
 * How everything that a process left behind is ended: the stop signal, a time to follow it, SIGKILL as often as it takes,
 * and the end only when all of it was seen dead. The rows here are part of the service's chart, of a spawned child's and
 * of `endingMachine`, which ends what belongs to no unit any more.
 */

const KILL_AGAIN_MS = { first: 2_000, most: 30_000 } as const;

/** Milliseconds until SIGKILL is ordered again; `killsOrdered` counts the orders so far. */
export function killAgainMs(killsOrdered: number): number {
  return Math.min(KILL_AGAIN_MS.most, KILL_AGAIN_MS.first * 2 ** Math.max(0, killsOrdered - 1));
}

/** The deadline that a state waits for: set on entry, armed when the transition is complete. */
export function until<const Kind extends string>(kind: Kind) {
  return { type: 'await', params: { kind } } as const;
}

const meta = { phase: 'stopping', owns: true } as const;

/** By order: the stop signal goes to the group and to those who escaped from it. */
export const STOPPING = {
  meta: { ...meta, deadline: ['grace'] },
  entry: [until('grace'), 'orderStop'],
  on: {
    'process.spawned': { actions: ['identify', 'orderStop'] },
    'deadline.grace': 'killing',
    hurry: 'killing',
  },
} as const;

/** The leader has ended by itself: the same for what it left. */
export const CLEARING = {
  meta: { ...meta, deadline: ['grace'] },
  entry: [until('grace'), 'orderClear'],
  on: { 'deadline.grace': 'killing', hurry: 'killing' },
} as const;

export const KILLING = {
  meta: { ...meta, deadline: ['kill'] },
  entry: ['countKill', until('kill'), 'orderKill'],
  on: {
    'process.spawned': { actions: ['identify', 'orderKill'] },
    'deadline.kill': { target: 'killing', reenter: true },
  },
} as const;

// ─── What belongs to no unit ─────────────────────────────────────────────────────────────────────────────────────────

export interface EndingInput {
  /** `clear`: the leader has ended, what it left is signalled. */
  readonly order: 'stop' | 'clear';
  readonly signal: SignalName;
  /** Milliseconds from the signal to SIGKILL. */
  readonly graceMs: number;
  readonly at: number;
}

export interface EndingContext extends EndingInput {
  readonly deadline: Deadline | null;
  readonly killsOrdered: number;
}

export type EndingEvent = ProcessReport | DeadlineEvent | Hurry;

const CUSTODY = 'custody';

/**
 * Ends a process outside every unit: what escaped, a command that took too long, what a dead supervisor left behind. The
 * `custody` actor knows which processes are meant, obeys the orders and reports `process.gone`, which ends the machine.
 */
export const endingMachine = setup({
  types: {} as { context: EndingContext; events: EndingEvent; input: EndingInput },
  actors: { custody: custodyPort },
  guards: { isToClear: ({ context }) => context.order === 'clear' },
  actions: {
    launch: spawnChild('custody', { id: CUSTODY }),
    await: assign(({ context, event }, params: { kind: 'grace' | 'kill' }) => {
      const from = 'at' in event ? event.at : context.at;
      return { deadline: { kind: params.kind, at: from + (params.kind === 'grace' ? context.graceMs : killAgainMs(context.killsOrdered)) } };
    }),
    orderStop: sendTo(CUSTODY, ({ context }) => ({ type: 'stop' as const, signal: context.signal })),
    orderClear: sendTo(CUSTODY, ({ context }) => ({ type: 'clear' as const, signal: context.signal })),
    orderKill: sendTo(CUSTODY, { type: 'kill' }),
    countKill: assign({ killsOrdered: ({ context }) => context.killsOrdered + 1 }),
    /** A process that is ended here was known before. */
    identify: () => undefined,
    unplan: assign({ deadline: null }),
  },
}).createMachine({
  id: 'ending',
  context: ({ input }) => ({ ...input, deadline: null, killsOrdered: 0 }),
  initial: 'choosing',
  entry: 'launch',
  on: { 'process.gone': '.gone', hurry: '.killing' },
  states: {
    choosing: { always: [{ guard: 'isToClear', target: 'clearing' }, { target: 'stopping' }] },
    stopping: STOPPING,
    clearing: CLEARING,
    killing: KILLING,
    gone: { type: 'final', entry: 'unplan' },
  },
});

/** The machine that runs. */
export function provideEnding({ clock, custody }: { readonly clock: ClockPort; readonly custody: typeof custodyPort }): typeof endingMachine {
  return publishing(endingMachine.provide({ actors: { custody } }), deadlinesOnly, clockDoers(clock));
}
