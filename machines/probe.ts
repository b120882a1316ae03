import { assign, setup, spawnChild, stopChild } from 'xstate';
import { isAnnounced, type AttemptReport, type HealthCheck, type ProbeReport } from './check.ts';
import { inSeconds } from './ends.ts';
import type { DeadlineEvent } from './events.ts';
import { attemptPort, type ClockPort, type ProbeInput } from './ports.ts';
import { clockDoers, deadlinesOnly, publishing } from './publishing.ts';
import { momentOf } from './service-facts.ts';
import type { Deadline } from './unit-facts.ts';

export interface ProbeMachineInput extends ProbeInput {
  /** Whether this very process was ready before: it was taken over from another supervisor, and its start is long past. */
  readonly wasReady: boolean;
  /** Readiness is given up after so many attempts; null: when its time is over. The check of a deployment has such a bound. */
  readonly mostAttempts: number | null;
  readonly at: number;
}

export interface ProbeContext extends ProbeMachineInput {
  readonly deadline: Deadline | null;
  /** When the time for becoming ready is over. */
  readonly until: number;
  /** Failed attempts in a row: all of them until it is ready. */
  readonly failures: number;
  /** How long the attempt at hand may take. */
  readonly limitMs: number;
}

export type ProbeEvent = AttemptReport | DeadlineEvent;

/** The least that the last attempt gets, which begins when the time is over. */
const LAST_ATTEMPT_MS = 1000;

const base = setup({
  types: {} as { context: ProbeContext; events: ProbeEvent; input: ProbeMachineInput; emitted: ProbeReport },
  actors: { attempt: attemptPort },
});

function report(make: (context: ProbeContext, reason: string) => Omit<ProbeReport, 'generation' | 'at'>) {
  return base.enqueueActions(({ context, event, enqueue }) => {
    const reason = event.type === 'attempt.failed' ? event.reason : '';
    enqueue.emit({ ...make(context, reason), generation: context.generation, at: momentOf(event) ?? context.at } as ProbeReport);
  });
}

/**
 * A unit's check: readiness, then liveness. Readiness is tried every interval, and a last time when `timeout` is over, or
 * awaited where the process itself says when it is ready: it says so once and has no liveness. Liveness is tried every
 * interval: `retries` failures in a row are bad, the next success is good again.
 */
export const probeMachine = base.extend({
  guards: {
    saidItBefore: ({ context: { check, wasReady } }) => wasReady && isAnnounced(check.probe),
    isAnnounced: ({ context: { check } }) => isAnnounced(check.probe),
    mustWait: ({ context }) => !context.wasReady && context.check.startPeriodMs > 0,
    isOver: ({ context: { until, failures, mostAttempts }, event }) => event.type === 'attempt.failed' && (event.at >= until || failures + 1 === mostAttempts),
    isTheLastStraw: ({ context }) => context.failures + 1 === context.check.retries,
    wasBad: ({ context }) => context.failures >= context.check.retries,
  },
  actions: {
    plan: assign(({ context, event }, params: { wait: 'start period' | 'interval' | 'interval or the end' }) => {
      const { check, until } = context;
      const from = momentOf(event) ?? context.at;
      const waits = { 'start period': check.startPeriodMs, interval: check.intervalMs, 'interval or the end': Math.min(check.intervalMs, until - from) };
      return { deadline: { kind: 'probe' as const, at: from + waits[params.wait] } };
    }),
    limitStart: assign(({ context, event }) => ({ until: (momentOf(event) ?? context.at) + context.check.timeoutMs })),
    limitReadiness: assign(({ context, event }) => {
      const { check, until } = context;
      return { limitMs: check.attemptTimeoutMs ?? Math.max(until - (momentOf(event) ?? context.at), Math.min(LAST_ATTEMPT_MS, check.timeoutMs)) };
    }),
    limitAnnouncement: assign(({ context: { check } }) => ({ limitMs: check.startPeriodMs + check.timeoutMs })),
    limitLiveness: assign(({ context: { check } }) => ({ limitMs: check.attemptTimeoutMs ?? check.timeoutMs })),
    attempt: spawnChild('attempt', { id: 'attempt', input: ({ context: { spec, check, limitMs } }) => ({ spec, check, limitMs }) }),
    leave: stopChild('attempt'),
    count: assign({ failures: ({ context }) => context.failures + 1 }),
    forget: assign({ failures: 0 }),
    reportReady: report(() => ({ type: 'probe.ok' })),
    reportLate: report(({ check, failures }, finding) => ({
      type: 'probe.timeout', reason: `not ready within ${inSeconds(check.timeoutMs)}: the check ${finding}`, attempts: failures, finding,
    })),
    reportSilent: report(({ check }) => ({
      type: 'probe.timeout', reason: `not ready within ${inSeconds(check.startPeriodMs + check.timeoutMs)}: ${missing(check)}`, attempts: 1, finding: missing(check),
    })),
    reportBad: report(({ check }, reason) => {
      const which = check.retries === 1 ? 'the check' : `${check.retries} checks in a row failed; the last one`;
      return { type: 'probe.bad', reason: `unhealthy: ${which} ${reason}` };
    }),
  },
}).createMachine({
  id: 'probe',
  context: ({ input }) => ({ ...input, deadline: null, until: input.at, failures: 0, limitMs: 0 }),
  initial: 'choosing',
  states: {
    choosing: {
      always: [
        { guard: 'saidItBefore', target: 'said', actions: 'reportReady' }, { guard: 'isAnnounced', target: 'listening' }, { guard: 'mustWait', target: 'delaying' }, { target: 'beginning' },
      ],
    },
    listening: {
      entry: ['limitAnnouncement', 'attempt'],
      on: { 'attempt.ok': { target: 'said', actions: 'reportReady' }, 'attempt.failed': { target: 'late', actions: 'reportSilent' } },
    },
    delaying: { entry: wait('start period'), on: { 'deadline.probe': 'beginning' } },
    beginning: { entry: 'limitStart', always: 'trying' },
    trying: {
      entry: ['limitReadiness', 'attempt'],
      exit: 'leave',
      on: {
        'attempt.ok': { target: 'ready', actions: ['forget', 'reportReady'] },
        'attempt.failed': [{ guard: 'isOver', target: 'late', actions: ['count', 'reportLate'] }, { target: 'pausing', actions: 'count' }],
      },
    },
    pausing: { entry: wait('interval or the end'), on: { 'deadline.probe': 'trying' } },
    ready: {
      initial: 'resting',
      states: {
        resting: { entry: wait('interval'), on: { 'deadline.probe': 'checking' } },
        checking: {
          entry: ['limitLiveness', 'attempt'],
          exit: 'leave',
          on: {
            'attempt.ok': [{ guard: 'wasBad', target: 'resting', actions: ['forget', 'reportReady'] }, { target: 'resting', actions: 'forget' }],
            'attempt.failed': [{ guard: 'isTheLastStraw', target: 'resting', actions: ['reportBad', 'count'] }, { target: 'resting', actions: 'count' }],
          },
        },
      },
    },
    said: { type: 'final' },
    late: { type: 'final' },
  },
});

/** The machine that runs: `probeMachine` with its ports filled. */
export function provideProbe({ clock, attempt }: { readonly clock: ClockPort; readonly attempt: typeof attemptPort }): typeof probeMachine {
  return publishing(probeMachine.provide({ actors: { attempt } }), deadlinesOnly, clockDoers(clock));
}

function wait(wait: 'start period' | 'interval' | 'interval or the end') {
  return { type: 'plan', params: { wait } } as const;
}

function missing({ probe }: HealthCheck): string {
  if (probe.kind === 'log') return `no line of its output matched /${probe.pattern}/`;
  return `it wrote no newline to descriptor ${probe.kind === 'notify' ? probe.fd : '?'}`;
}
