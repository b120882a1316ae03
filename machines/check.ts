/** How it is found out whether a unit is ready, and whether it still serves. */

export type CheckProbe =
  | { readonly kind: 'command'; readonly command: string }
  | { readonly kind: 'url'; readonly url: string; readonly expectStatus: readonly number[] | null }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'log'; readonly pattern: string }
  | { readonly kind: 'notify'; readonly fd: number };

/** A check that waits for what the process itself says. */
export type Announced = Extract<CheckProbe, { kind: 'log' | 'notify' }>;

export function isAnnounced(probe: CheckProbe): probe is Announced {
  return probe.kind === 'log' || probe.kind === 'notify';
}

export interface HealthCheck {
  readonly probe: CheckProbe;
  readonly intervalMs: number;
  /** Overall limit of readiness, counted from the end of the start period. */
  readonly timeoutMs: number;
  /** How long one attempt may take; null: what is left of `timeout` for readiness, `timeout` for liveness. */
  readonly attemptTimeoutMs: number | null;
  /** Failures in a row that make a ready unit unhealthy; attempts of a deployment's check. */
  readonly retries: number;
  readonly startPeriodMs: number;
  readonly onUnhealthy: 'restart' | 'none';
}

export type ProbeReport =
  | { readonly type: 'probe.ok'; readonly generation: number; readonly at: number }
  /** A ready unit failed `retries` attempts in a row. */
  | { readonly type: 'probe.bad'; readonly generation: number; readonly at: number; readonly reason: string }
  /** Readiness was not reached in time. `finding` follows the words "the check". */
  | { readonly type: 'probe.timeout'; readonly generation: number; readonly at: number; readonly reason: string; readonly attempts: number; readonly finding: string };

/** One attempt of a check; `reason` follows the words "the check". */
export type AttemptReport =
  | { readonly type: 'attempt.ok'; readonly at: number }
  | { readonly type: 'attempt.failed'; readonly at: number; readonly reason: string };
