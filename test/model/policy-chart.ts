import { assign, setup } from 'xstate';

/** The keys of the configuration that decide what follows an end. */
export interface DocumentedPolicy {
  readonly restart_policy: 'always' | 'on-failure' | 'never';
  readonly oneshot: boolean;
  readonly max_restarts: number | null;
  readonly restart_window: boolean;
  readonly backoff: { readonly initialMs: number; readonly maxMs: number; readonly factor: number };
}

export interface DocumentedContext extends DocumentedPolicy {
  /** Failures that count against `max_restarts`. */
  readonly counted: number;
  /** Failures in a row, by which the delay grows. */
  readonly inARow: number;
  /** New processes started by the supervisor. */
  readonly restarts: number;
  readonly delayMs: number;
}

export type DocumentedEvent =
  /** It ends with one of `success_exit_codes`, with another code, by a signal, or with one of `no_restart_exit_codes`. */
  | { readonly type: 'succeeds' } | { readonly type: 'fails' } | { readonly type: 'is killed' } | { readonly type: 'ends for good' }
  /** It runs for `stable_after`, or for longer than `restart_window` and less than that. */
  | { readonly type: 'is stable' } | { readonly type: 'outlives the window' }
  /** The delay is over, and it runs again. */
  | { readonly type: 'runs again' };

const failure = [
  { guard: 'mayRestart', target: 'backoff', actions: 'countFailure' },
  { target: 'failed' },
] as const;

/** The restart policy as the manual tells it, and nothing of how it is done. */
export const policyChart = setup({
  types: {} as { context: DocumentedContext; events: DocumentedEvent; input: DocumentedPolicy },
  guards: {
    isRestartedAlways: ({ context }) => context.restart_policy === 'always' && !context.oneshot,
    mayRestart: ({ context }) => context.restart_policy !== 'never' && (context.max_restarts === null || context.counted < context.max_restarts),
    hasWindow: ({ context }) => context.restart_window,
    /** What was told once is not told again: enough for every path. */
    isWorthTelling: ({ context }) => context.counted > 0 || context.inARow > 0,
    isNotTooMuch: ({ context }) => context.restarts < 3,
  },
  actions: {
    countFailure: assign(({ context }) => ({
      counted: context.counted + 1, inARow: context.inARow + 1,
      delayMs: Math.min(context.backoff.maxMs, context.backoff.initialMs * context.backoff.factor ** context.inARow),
    })),
    waitInitially: assign(({ context }) => ({ counted: 0, inARow: 0, delayMs: context.backoff.initialMs })),
    forgetAll: assign({ counted: 0, inARow: 0 }),
    forgetCounted: assign({ counted: 0 }),
    countRestart: assign(({ context }) => ({ restarts: context.restarts + 1 })),
  },
}).createMachine({
  id: 'policy',
  context: ({ input }) => ({ ...input, counted: 0, inARow: 0, restarts: 0, delayMs: 0 }),
  initial: 'running',
  states: {
    running: {
      on: {
        succeeds: [{ guard: 'isRestartedAlways', target: 'backoff', actions: 'waitInitially' }, { target: 'completed' }],
        fails: failure,
        'is killed': failure,
        'ends for good': 'failed',
        'is stable': { guard: 'isWorthTelling', actions: 'forgetAll' },
        'outlives the window': { guard: 'hasWindow', actions: 'forgetCounted' },
      },
    },
    backoff: { on: { 'runs again': { guard: 'isNotTooMuch', target: 'running', actions: 'countRestart' } } },
    completed: { type: 'final' },
    failed: { type: 'final' },
  },
});
