import type { UnitPhase, UnitStatus } from '../wire/payloads.ts';

/** The phase of a unit; where the supervisor is systemg 0.33.0's, which has none, what process and lifecycle say. */
export function phaseOf({ phase, process, lifecycle, kind }: Pick<UnitStatus, 'phase' | 'process' | 'lifecycle' | 'kind'>): UnitPhase {
  if (phase !== undefined) return phase;
  if (process?.state === 'running') return 'running';
  if (kind === 'cron') return 'waiting';
  // It keeps the pid of what crashed.
  return lifecycle === 'exited_with_error' || process !== undefined ? 'failed' : 'stopped';
}
