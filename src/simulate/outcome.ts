import type { Phase, ServiceSpec, Trigger, UnitFacts } from '../../machines/types.ts';

/** What became of one unit. */
export interface UnitOutcome {
  readonly kind: 'service' | 'cron';
  readonly phase: Phase;
  readonly wanted: 'up' | 'down';
  /** Why it is where it is, where there is something to say. */
  readonly reason: string | null;
  /** New processes that the supervisor started by itself: after an end, or for a dependency. */
  readonly restarts: number;
  /** Processes in all; of a cron unit its runs. */
  readonly starts: number;
  /** While it was wanted and did not serve, from its first start. Completed, skipped and cron units are never down. */
  readonly downtimeMs: number;
  readonly longestDownMs: number;
}

/** Follows the facts of one unit and adds them up. */
export type Tally = ReturnType<typeof openTally>;

export function openTally(spec: ServiceSpec) {
  let facts: UnitFacts | null = null;
  let isManual = true;
  let hasServed = false;
  let restarts = 0;
  let starts = 0;
  let downSince: number | null = null;
  let downtimeMs = 0;
  let longestDownMs = 0;

  const close = (at: number): void => {
    if (downSince === null) return;
    downtimeMs += at - downSince;
    longestDownMs = Math.max(longestDownMs, at - downSince);
    downSince = null;
  };

  return {
    follow: (next: UnitFacts): void => {
      const { trigger, state, generation } = next;
      // What a command set in motion ends with the process that it leads to.
      if (IN_TRANSITION.includes(state) && ORDERS.includes(trigger.kind)) isManual = true;
      if (generation > starts) {
        starts = generation;
        if (!isManual && spec.cron === null) restarts += 1;
        isManual = false;
      }
      facts = next;
      hasServed ||= next.phase === 'running' && next.ready !== false;
      if (!isDown(spec, next, hasServed)) close(next.at);
      else downSince ??= next.at;
    },
    outcome: (at: number): UnitOutcome => {
      const openMs = downSince === null ? 0 : at - downSince;
      return {
        kind: spec.cron === null ? 'service' : 'cron', phase: facts?.phase ?? 'stopped', wanted: facts?.wanted ?? 'down',
        reason: reasonOf(facts), restarts, starts, downtimeMs: downtimeMs + openMs, longestDownMs: Math.max(longestDownMs, openMs),
      };
    },
  };
}

const ORDERS: readonly Trigger['kind'][] = ['command', 'reload', 'boot'];
const IN_TRANSITION: readonly string[] = ['waiting', 'stopping', 'killing', 'clearing'] satisfies readonly UnitFacts['state'][];

/** A unit that starts for the first time is not down until it fails to. */
function isDown(spec: ServiceSpec, facts: UnitFacts, hasServed: boolean): boolean {
  if (spec.cron !== null || spec.restart.oneshot || facts.wanted === 'down') return false;
  if (facts.outcome === 'completed' || facts.outcome === 'skipped') return false;
  if (facts.phase === 'running') return facts.ready === false;
  return hasServed || facts.phase === 'backoff' || facts.phase === 'failed' || facts.failures > 0;
}

function reasonOf(facts: UnitFacts | null): string | null {
  if (facts === null) return null;
  if (facts.outcome === 'completed' || facts.outcome === 'skipped') return facts.outcome;
  if (facts.phase === 'running' && facts.ready === false) return 'not ready';
  return facts.phase === 'running' || facts.wanted === 'down' ? null : facts.reason;
}
