import type { UnitHealth } from '../control/payloads.ts';

/** systemg 0.33.0's exit codes of `status` and `inspect`. */
export function healthExitCode(health: UnitHealth): number {
  return health === 'failing' ? 2 : health === 'degraded' ? 1 : 0;
}
