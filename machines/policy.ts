import type { ProcessExit } from './process-facts.ts';
import type { BackoffPolicy, RestartPolicy } from './spec.ts';

export type Verdict = 'retry' | 'rest' | 'give-up';

/** How an attempt ended. `forced`: the supervisor ended it because it was unhealthy or over a limit. */
export interface End {
  readonly exit: ProcessExit | null;
  readonly failed: boolean;
  readonly forced: boolean;
}

export function isClean(exit: ProcessExit | null, policy: RestartPolicy): boolean {
  return exit !== null && exit.code !== null && policy.successExitCodes.includes(exit.code);
}

/**
 * What to do after an attempt that nobody ordered to end; `failures` are those that count before this one.
 * An attempt that was ended for being unhealthy is restarted whatever the mode, within the budget.
 */
export function judge(end: End, failures: number, policy: RestartPolicy): Verdict {
  if (end.exit?.code != null && policy.noRestartExitCodes.includes(end.exit.code) && !end.forced) return 'give-up';
  if (!end.failed) return policy.mode === 'always' && !policy.oneshot ? 'retry' : 'rest';
  const restarts = end.forced || policy.mode !== 'never';
  return restarts && (policy.maxRestarts === null || failures < policy.maxRestarts) ? 'retry' : 'give-up';
}

/** Failures that count now: all in a row, or with a window those inside it. */
export function countFailures(streak: number, failures: readonly number[], policy: RestartPolicy, at: number): number {
  return policy.windowMs === null ? streak : recent(failures, policy.windowMs, at).length;
}

export function recent(failures: readonly number[], windowMs: number, at: number): readonly number[] {
  return failures.filter((failedAt) => failedAt > at - windowMs);
}

/** Milliseconds before attempt number `failures + 1`; `chance` in [0, 1) spreads it by the jitter. */
export function delay(failures: number, policy: BackoffPolicy, chance: number): number {
  const steps = Math.max(0, failures - 1);
  const grown = Math.min(policy.maxMs, policy.initialMs * policy.factor ** steps);
  return Math.round(Math.min(policy.maxMs, grown * (1 + policy.jitter * (2 * chance - 1))));
}

/** One step of mulberry32: a seed in, the next seed and a number in [0, 1) out. Chance stays reproducible. */
export function draw(seed: number): { readonly seed: number; readonly chance: number } {
  const next = (seed + 0x6d2b79f5) | 0;
  let mixed = Math.imul(next ^ (next >>> 15), 1 | next);
  mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
  return { seed: next, chance: ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296 };
}

const SIGNAL_NUMBERS: Readonly<Record<string, number>> = {
  SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGILL: 4, SIGTRAP: 5, SIGABRT: 6, SIGBUS: 7, SIGFPE: 8, SIGKILL: 9, SIGUSR1: 10, SIGSEGV: 11, SIGUSR2: 12,
  SIGPIPE: 13, SIGALRM: 14, SIGTERM: 15, SIGSTKFLT: 16, SIGXCPU: 24, SIGXFSZ: 25, SIGVTALRM: 26, SIGPROF: 27, SIGIO: 29, SIGPWR: 30, SIGSYS: 31,
};

/** The exit code a shell would give this end: its code, 128 + n for signal n, 1 when it is not known. */
export function exitCodeOf(exit: ProcessExit | null): number {
  if (exit === null) return 1;
  if (exit.code !== null) return exit.code;
  return 128 + (SIGNAL_NUMBERS[exit.signal ?? ''] ?? 0);
}
