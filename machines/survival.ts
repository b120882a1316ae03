import type { ServiceEvent } from './events.ts';
import type { ServiceContext } from './service-facts.ts';
import type { Cause, UnitRecord, Wanted } from './unit-facts.ts';

/** Where a unit goes on that another supervisor left. */

/** Where an adopted unit goes on. `ending` and `ended`: followed by rest, another start, a hold or a judgement. */
export type Survival =
  | 'probed' | 'running' | 'pending' | 'backoff' | 'failed' | 'stopped'
  | `ending, then ${Afterwards}` | `ended, then ${Afterwards}`;
export type Afterwards = 'rest' | 'again' | 'hold' | 'judge';
type Adoption = Extract<ServiceEvent, { type: 'adopt' }>;

export function resumeFrom(context: ServiceContext, event: Adoption): Partial<ServiceContext> {
  const { record, verdict } = event;
  const survival = survivalOf(context, event);
  const owned = record.process;
  return {
    wanted: record.wanted, generation: record.generation, outcome: record.outcome, reason: record.reason, failures: record.failures,
    streak: record.streak, restarts: record.restarts, resumed: record.deadline, leaderEnded: false, ended: null, left: [], since: record.since,
    exit: owned === null ? record.exit : null, ran: record.definition,
    hasRun: record.state === 'running',
    // One that is dead is kept for the judgement alone.
    process: owned === null || verdict === 'unborn' ? null : verdict === 'alive' ? { ...owned, adopted: true } : { ...owned, identity: null },
    cause: survival.startsWith('ending') ? (record.cause ?? (record.wanted === 'down' ? 'command' : 'reload')) : survival.startsWith('ended') ? record.cause : null,
  };
}

export function survivalOf(context: ServiceContext, { record, verdict }: Adoption): Survival {
  const up = record.wanted === 'up';
  const same = record.definition.process === context.spec.definition.process;
  if (verdict === 'alive') {
    if (!same || !serves(record)) return `ending, then ${afterwardsOf(record.wanted, record.cause ?? 'reload')}`;
    return context.spec.check === null ? 'running' : 'probed';
  }
  if (verdict === 'dead') return `ended, then ${afterwardsOf(record.wanted, record.cause)}`;
  if (!up) return 'stopped';
  if (verdict === 'unborn') return 'pending';
  if (record.state === 'stopped') return 'stopped';
  if (record.state === 'failed') return same ? 'failed' : 'pending';
  return record.state === 'backoff' && same ? 'backoff' : 'pending';
}

/** Whether a unit that lives is to go on as it was left, its definition aside. */
export function serves({ wanted, process, state }: UnitRecord): boolean {
  return wanted === 'up' && process?.role === 'main' && (state === 'spawning' || state === 'starting' || state === 'running');
}

function afterwardsOf(wanted: Wanted, cause: Cause | null): Afterwards {
  if (wanted === 'down') return 'rest';
  if (cause === 'restart' || cause === 'reload' || cause === 'command') return 'again';
  return cause === 'hold' ? 'hold' : 'judge';
}
