import { killAgainMs } from './ending.ts';
import { describeExit, leftBehind } from './ends.ts';
import { countFailures, delay, draw, isClean, judge, type Verdict } from './policy.ts';
import type { ServiceContext, ServiceDeadline } from './service-facts.ts';
import type { HookOutcome, HookStage } from './spec.ts';
import type { Blame, Cause, HookRun } from './unit-facts.ts';

/** What the end of an attempt means to a unit: whether it has failed, what follows, in which words, and which hooks; and how long the unit waits. */

const ALIVE_MS = 50;
const TASK_LIMIT_MS = { skip: 30_000, pre_start: 600_000 } as const;
const REFUSED_BACKOFF_MS = 1_000;

const FAILING: readonly (Cause | null)[] = ['unready', 'unhealthy', 'limit', 'internal'];

/** Whether a command, a new definition or a dependency ends the unit. */
export function isOrdered(cause: Cause | null): boolean {
  return cause === 'command' || cause === 'restart' || cause === 'reload' || cause === 'hold';
}

/** Whether the attempt that just ended counts as a failure. */
export function hasFailed(context: ServiceContext): boolean {
  return FAILING.includes(context.cause) || context.refusal !== null || stepOf(context) !== null || !isClean(context.ended, context.spec.restart);
}

/** What follows an end that nobody ordered. */
export function verdictOf(context: ServiceContext, at: number): Verdict {
  const { spec, cause, ended, refusal } = context;
  if (cause === 'internal') return 'give-up';
  const unseen = ended === null && refusal === null && !FAILING.includes(cause);
  if (unseen && spec.restart.oneshot) return 'give-up';
  const end = { exit: ended, failed: hasFailed(context), forced: cause === 'unhealthy' };
  return judge(end, countFailures(context.streak, context.failures, spec.restart, at), spec.restart);
}

/** The end of the attempt at hand, in words that follow "because". */
export function describeEnd(context: ServiceContext): string {
  const { refusal, cause, ended, left, spec } = context;
  if (refusal !== null) return refusal;
  if (cause === 'internal') return 'the supervisor failed while it looked after the unit';
  if (ended === null) return spec.restart.oneshot ? 'interrupted' : 'ended while nobody watched; its exit status is unknown';
  const how = describeExit(ended, stepOf(context) ?? 'process');
  return left.length === 0 ? how : `${how} and ${leftBehind(left, ended)}`;
}

/** What the words of `describeEnd` speak of. */
export function blameOf(context: ServiceContext): Blame {
  const { refusal, refused, cause, ended } = context;
  if (refused) return 'start';
  if (cause === 'limit') return 'limit';
  if (cause === 'unready' || cause === 'unhealthy') return 'check';
  if (refusal !== null) return 'step';
  if (cause === 'internal') return 'supervisor';
  if (ended === null) return 'unseen';
  return stepOf(context) === null ? 'process' : 'step';
}

/** Without a backoff, what ends again and again before it counts as started would keep the machine busy with nothing else: milliseconds, 10 to 1000. */
function afterQuickEnds({ streak, restarts }: ServiceContext): number {
  return Math.min(1000, 10 * 2 ** Math.min(7, streak > 0 ? streak - 1 : restarts));
}

/** How long a deadline waits, and the seed after chance was drawn for it. */
export function waitFor(kind: ServiceDeadline, context: ServiceContext): { readonly afterMs: number; readonly seed: number } {
  const { spec, seed } = context;
  switch (kind) {
    case 'alive': return { afterMs: ALIVE_MS, seed };
    case 'stable': return { afterMs: spec.restart.stableAfterMs, seed };
    case 'grace': return { afterMs: spec.stopTimeoutMs, seed };
    case 'task': return { afterMs: TASK_LIMIT_MS[stepOf(context) ?? 'pre_start'], seed };
    case 'kill': return { afterMs: killAgainMs(context.killsOrdered), seed };
    case 'backoff': {
      const drawn = draw(seed);
      const afterMs = delay(context.streak, spec.restart.backoff, drawn.chance);
      if (context.refused) return { afterMs: Math.max(REFUSED_BACKOFF_MS, afterMs), seed: drawn.seed };
      return { afterMs: afterMs === 0 && !context.hasRun ? afterQuickEnds(context) : afterMs, seed: drawn.seed };
    }
  }
}

/** The hooks that the end of an attempt calls for. Preparations, skips and what never had a process call for none. */
export function endHooks(context: ServiceContext): readonly HookRun[] {
  const { cause, hasRun, automatic, place } = context;
  // Of two instances only the end of the unit itself is the end of the service.
  if (place === 'retired' || (place === 'candidate' && hasRun)) return [];
  const born = context.process?.identity != null;
  const ordered = isOrdered(cause);
  if (stepOf(context) !== null || (!born && (ordered || !context.refused))) return [];
  const failed = !ordered && hasFailed(context);
  if (hasRun || ordered) return hookRuns(context, 'on_stop', failed ? 'error' : 'success');
  return [
    ...hookRuns(context, 'on_start', failed ? 'error' : 'success'),
    ...(automatic ? hookRuns(context, 'on_restart', failed ? 'error' : 'success') : []),
  ];
}

/** Of a process that another supervisor has seen running none is due: it was not started. */
export function startHooks(context: ServiceContext): readonly HookRun[] {
  return context.hasRun ? [] : [...hookRuns(context, 'on_start', 'success'), ...(context.automatic ? hookRuns(context, 'on_restart', 'success') : [])];
}

function hookRuns(context: ServiceContext, stage: HookStage, outcome: HookOutcome): readonly HookRun[] {
  const { spec, process, ended, streak, cause } = context;
  return spec.hooks.filter((hook) => hook.stage === stage && hook.outcome === outcome).map((hook) => ({
    unit: spec.name, spec, hook, pid: process?.identity?.pid ?? null, exit: ended, attempt: streak + 1, cause,
  }));
}

/** The step of the preparation that the process at hand is; null while the service itself is meant. */
function stepOf({ process }: ServiceContext): 'skip' | 'pre_start' | null {
  return process === null || process.role === 'main' ? null : process.role;
}
