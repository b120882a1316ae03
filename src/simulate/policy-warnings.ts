import { delay } from '../../machines/policy.ts';
import { isAnnounced, type ServiceSpec } from '../../machines/types.ts';
import { defaultStopTimeoutMs } from '../config/lifecycle.ts';
import { parseCron } from '../cron/expression.ts';
import { nextInstant } from '../cron/instants.ts';
import { formatDuration } from '../words.ts';

/** What `docker stop` and its like wait before they kill everything. */
const CONTAINER_GRACE_MS = 10_000;

/** Policies that say something which can never take effect, or not as one would think, in sentences. */
export function policyWarnings(specs: readonly ServiceSpec[]): readonly string[] {
  const ofEach = specs.flatMap((spec) => [unusedLimit, unreachableLimit, forgivesAtOnce, endlessEssential, slowCheck, longRun].flatMap((rule) => {
    const found = rule(spec);
    return found === null ? [] : [`${spec.name}: ${found}`];
  }));
  return [...ofEach, ...longStop(specs)];
}

function unusedLimit({ restart }: ServiceSpec): string | null {
  if (restart.mode !== 'never' || restart.maxRestarts === null || restart.maxRestarts === 0) return null;
  return `max_restarts ${restart.maxRestarts} has no effect while it runs or fails by itself: restart_policy is never`;
}

/** With a window, delays that grow may keep the failures inside it below the limit for ever. */
function unreachableLimit({ restart }: ServiceSpec): string | null {
  const { maxRestarts, windowMs, backoff, mode } = restart;
  if (maxRestarts === null || windowMs === null || mode === 'never') return null;
  const most = mostFailuresWithin(windowMs, maxRestarts + 1, (failures) => delay(failures, { ...backoff, jitter: 0 }, 0.5) * (1 - backoff.jitter));
  if (most > maxRestarts) return null;
  const slowest = formatDuration(Math.max(backoff.initialMs, backoff.maxMs));
  return `max_restarts ${maxRestarts} can never be reached: with delays of up to ${slowest} at most ${most} failures fall into a restart_window of ${formatDuration(windowMs)}, so it is restarted for ever`;
}

/** The fastest it can fail: at once after each delay. */
function mostFailuresWithin(windowMs: number, enough: number, delayAfter: (failures: number) => number): number {
  const failedAt: number[] = [];
  let at = 0;
  let most = 0;
  // Delays stop growing after 60 doublings at the latest.
  for (let failures = 1; failures <= enough + 64 && most < enough; failures += 1) {
    failedAt.push(at);
    while ((failedAt[0] ?? at) <= at - windowMs) failedAt.shift();
    most = Math.max(most, failedAt.length);
    at += delayAfter(failures);
  }
  return most;
}

function forgivesAtOnce({ restart }: ServiceSpec): string | null {
  if (restart.stableAfterMs > 0 || restart.maxRestarts === null || restart.windowMs !== null || restart.mode === 'never') return null;
  return `max_restarts ${restart.maxRestarts} counts only failures before it runs: stable_after 0s forgives all others at once`;
}

function endlessEssential({ essential, restart }: ServiceSpec): string | null {
  if (!essential || restart.oneshot || restart.mode === 'never' || restart.maxRestarts !== null || restart.noRestartExitCodes.length > 0) return null;
  return `essential has no effect: it never fails for good, since max_restarts is unlimited`;
}

function slowCheck({ check }: ServiceSpec): string | null {
  if (check === null || isAnnounced(check.probe) || check.timeoutMs >= check.intervalMs) return null;
  return `its check is tried every ${formatDuration(check.intervalMs)}, but has to pass within ${formatDuration(check.timeoutMs)}: readiness is tried twice at most`;
}

function longRun({ cron }: ServiceSpec): string | null {
  if (cron?.timeoutMs == null || cron.overlap === 'queue') return null;
  const parsed = parseCron(cron.expression);
  const first = parsed.ok ? nextInstant(parsed, cron.timezone, Date.UTC(2026, 0, 1)) : null;
  const second = parsed.ok && first !== null ? nextInstant(parsed, cron.timezone, first) : null;
  if (first === null || second === null || cron.timeoutMs <= second - first) return null;
  const rule = cron.overlap === 'skip' ? 'the next run is skipped' : 'the next run ends it';
  return `timeout ${formatDuration(cron.timeoutMs)} is longer than the ${formatDuration(second - first)} between two runs: a run that takes its time never meets it, because ${rule}`;
}

interface Measured {
  readonly ms: number;
  /** Without what nobody set. */
  readonly chosenMs: number;
  readonly chain: readonly string[];
}

/** Stopping everything: dependents first, so along a chain the graces add up. Nothing is said of what the default adds. */
function longStop(specs: readonly ServiceSpec[]): readonly string[] {
  const byName = new Map(specs.map((spec) => [spec.name, spec]));
  const longest = new Map<string, Measured>();
  const measure = (spec: ServiceSpec): Measured => {
    const known = longest.get(spec.name);
    if (known !== undefined) return known;
    const below = spec.dependsOn.flatMap(({ service }) => {
      const needed = byName.get(service);
      return needed === undefined ? [] : [measure(needed)];
    }).sort((one, other) => other.ms - one.ms)[0] ?? { ms: 0, chosenMs: 0, chain: [] };
    const chosenMs = spec.stopTimeoutMs === defaultStopTimeoutMs ? 0 : spec.stopTimeoutMs;
    const measured = { ms: spec.stopTimeoutMs + below.ms, chosenMs: chosenMs + below.chosenMs, chain: [spec.name, ...below.chain] };
    longest.set(spec.name, measured);
    return measured;
  };
  const worst = specs.map(measure).filter(({ chosenMs }) => chosenMs > CONTAINER_GRACE_MS).sort((one, other) => other.ms - one.ms)[0];
  if (worst === undefined) return [];
  const alone = worst.chain.length === 1;
  return [
    `${alone ? `${worst.chain[0]}: stop_timeout` : `stopping ${worst.chain.join(', then ')}`} may take ${formatDuration(worst.ms)}: ` +
    `in a container everything is killed ${formatDuration(CONTAINER_GRACE_MS)} after the stop, unless its own grace is longer`,
  ];
}
