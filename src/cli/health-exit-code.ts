import type { UnitHealth } from '../wire/payloads.ts';

/** systemg 0.33.0's exit codes of `status` and `inspect`. */
export function healthExitCode(health: UnitHealth): number {
  return health === 'failing' ? 2 : health === 'degraded' ? 1 : 0;
}
