import type { BackoffPolicy, RestartPolicy } from '../../machines/types.ts';
import { formatDuration } from '../words.ts';
import { choice, decimal, duration, flag, integer, list, type Kind } from './kind.ts';
import { below, complain, warn, type Place } from './place.ts';
import { optional, record, withDefault, type Values } from './record.ts';

const backoffMap = record({
  initial: withDefault(duration('zero'), 'Delay after the first failure.', 1000),
  max: withDefault(duration('zero'), 'The longest delay.', 60_000),
  factor: withDefault(decimal(1, 1000), 'Multiplier per consecutive failure.', 2),
  jitter: withDefault(decimal(0, 1), 'Share of the delay that chance may add or take.', 0.1),
}, 'backoff keys');

const constantBackoff = duration('zero');

const backoff: Kind<BackoffPolicy> = {
  schema: { anyOf: [constantBackoff.schema, backoffMap.schema] },
  show: (policy) => ({
    initial: formatDuration(policy.initialMs), max: formatDuration(policy.maxMs), factor: policy.factor, jitter: policy.jitter,
  }),
  read(place) {
    if (place.node.kind !== 'map') {
      const constantMs = constantBackoff.read(place);
      return constantMs === undefined ? undefined : { initialMs: constantMs, maxMs: constantMs, factor: 1, jitter: 0 };
    }
    const values = backoffMap.read(place);
    if (values === undefined) return undefined;
    if (values.initial > values.max) {
      const maxShown = below(place, 'max') === null ? `${formatDuration(values.max)}, the default` : formatDuration(values.max);
      complain(below(place, 'initial') ?? place, `expected at most max (${maxShown}), got ${formatDuration(values.initial)}`);
    }
    return { initialMs: values.initial, maxMs: values.max, factor: values.factor, jitter: values.jitter };
  },
};

const exitCodes = list(integer(0, 255), 'a list of exit codes');

export const restartKeys = {
  restart_policy: withDefault(choice(['always', 'on-failure', 'never']), '`always` restarts clean exits too.', 'never'),
  backoff: withDefault(backoff, 'Delay before a restart; a bare duration is constant.', { initialMs: 1000, maxMs: 60_000, factor: 2, jitter: 0.1 }),
  max_restarts: optional(integer(0, 4_294_967_295), 'Restarts after consecutive failures, or within `restart_window`; then the service is failed. Unlimited by default.'),
  restart_window: optional(duration('positive'), 'Sliding window for `max_restarts`.'),
  stable_after: withDefault(duration('zero'), 'Running (and ready) this long forgives earlier failures.', 10_000),
  success_exit_codes: withDefault(exitCodes, 'Exit codes that count as a clean exit.', [0]),
  no_restart_exit_codes: withDefault(exitCodes, 'Exit codes after which the service is never restarted.', []),
  oneshot: withDefault(flag, 'A clean exit is completion.', false),
};

export function resolveRestart(place: Place, values: Values<typeof restartKeys>): RestartPolicy {
  const window = below(place, 'restart_window');
  if (window !== null && values.max_restarts === null) warn(window, 'has no effect without max_restarts');
  return {
    mode: values.restart_policy,
    oneshot: values.oneshot,
    maxRestarts: values.max_restarts,
    windowMs: values.restart_window,
    backoff: values.backoff,
    stableAfterMs: values.stable_after,
    successExitCodes: values.success_exit_codes,
    noRestartExitCodes: values.no_restart_exit_codes,
  };
}
