import type { ChildRecord } from '../../machines/types.ts';
import { sweep } from '../process/sweep.ts';

/** Ends a spawned child, and what came from it, whose service has ended while no supervisor watched. */
export function endStray({ identity, token, order }: ChildRecord, onProblem: (text: string) => void): void {
  if (identity === null) return;
  onProblem(`spawned child '${order.name}' (pid ${identity.pid}) of service '${order.unit}' is ended: its service ended while no supervisor ran`);
  sweep({ leader: identity, token, signal: 'SIGTERM', stopTimeoutMs: GRACE_MS, spareGroup: false, onProblem });
}

/** The default of stop_timeout. */
const GRACE_MS = 10_000;
