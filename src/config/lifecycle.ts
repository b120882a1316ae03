import type { BackoffPolicy, HookOutcome, HookSpec, HookStage, RestartPolicy } from '../../machines/types.ts';
import { formatDuration } from '../words.ts';
import { choice, command, decimal, duration, either, flag, integer, list, meaning, signal, spelledCommand, type Kind } from './kind.ts';
import { below, complain, warn, type Written } from './place.ts';
import { defaultsOf, optional, record, required, withDefault, type Values } from './record.ts';

/** Of a service that says nothing about it. */
export const defaultStopTimeoutMs = 10_000;

const backoffKeys = {
  initial: withDefault(duration('zero'), 'Delay after the first failure.', 1000),
  max: withDefault(duration('zero'), 'The longest delay.', 60_000),
  factor: withDefault(decimal(1, 1000), 'Multiplier per consecutive failure.', 2),
  jitter: withDefault(decimal(0, 1), 'Share of the delay that chance may add or take.', 0.1),
};

const constant = meaning(duration('zero'), (ms): BackoffPolicy => ({ initialMs: ms, maxMs: ms, factor: 1, jitter: 0 }));
const growing = meaning(record(backoffKeys, 'backoff keys'), (values, place) => {
  if (values.initial > values.max) {
    const maxShown = `${formatDuration(values.max)}${below(place, 'max') === null ? ', the default' : ''}`;
    complain(below(place, 'initial') ?? place, `expected at most max (${maxShown}), got ${formatDuration(values.initial)}`);
  }
  return backoffPolicy(values);
});

const backoff: Kind<BackoffPolicy> = {
  ...either(constant, growing, ({ node }) => node.kind === 'map'),
  show: ({ initialMs, maxMs, factor, jitter }) => ({ initial: formatDuration(initialMs), max: formatDuration(maxMs), factor, jitter }),
};

const exitCodes = list(integer(0, 255), 'a list of exit codes');

/** Of starts and ends. */
export const lifecycleKeys = {
  restart_policy: withDefault(choice(['always', 'on-failure', 'never']), '`always` restarts clean exits too.', 'never'),
  backoff: withDefault(backoff, 'Delay before a restart; a bare duration is constant. With `0s`, what ends before it counts as started waits 10 ms, then 20, 40 and so on up to 1 s.', backoffPolicy(defaultsOf(backoffKeys))),
  max_restarts: optional(integer(0, 4_294_967_295), 'Restarts after consecutive failures, or within `restart_window`; then the service is failed. Unlimited by default.'),
  restart_window: optional(duration('positive'), 'Sliding window for `max_restarts`.'),
  stable_after: withDefault(duration('zero'), 'Running (and ready) this long forgives earlier failures.', 10_000),
  success_exit_codes: withDefault(exitCodes, 'Exit codes that count as a clean exit.', [0]),
  no_restart_exit_codes: withDefault(exitCodes, 'Exit codes after which the service is never restarted.', []),
  oneshot: withDefault(flag, 'A clean exit is completion.', false),
  stop_signal: withDefault(signal, 'First signal of a stop.', 'SIGTERM'),
  stop_timeout: withDefault(duration('zero'), 'Time from it to SIGKILL.', defaultStopTimeoutMs),
  kill_mode: withDefault(choice(['group', 'mixed']), '`mixed` sends the stop signal to the main process alone, and SIGKILL to all that is left after `stop_timeout`.', 'group'),
  stop_command: optional(spelledCommand, 'Run instead of the stop signal, with the environment of hooks, within `stop_timeout`.'),
  essential: withDefault(flag, 'When it has failed, or has ended as a one-shot, everything is stopped.', false),
};

const stages = ['on_start', 'on_stop', 'on_restart'] as const satisfies readonly HookStage[];
const outcomes = ['success', 'error'] as const satisfies readonly HookOutcome[];

const action = record({
  command: required(command, 'Command run by `sh -c` in the project directory.'),
  timeout: withDefault(duration('positive'), 'Time it may take; then it is killed.', 30_000),
}, "hook keys such as {command: 'echo started'}");

const stage = record({
  success: optional(action, 'Run when it succeeded.'),
  error: optional(action, 'Run when it failed.'),
}, "the outcomes 'success' and 'error'");

const stageMap = record({
  on_start: optional(stage, 'After a start.'),
  on_stop: optional(stage, 'After a stop or an end.'),
  on_restart: optional(stage, 'After an automatic restart.'),
}, "the stages 'on_start', 'on_stop' and 'on_restart'");

export const hooks: Kind<readonly HookSpec[]> = meaning(stageMap, (values) => stages.flatMap((name) => outcomes.flatMap((outcome) => {
  const found = values[name]?.[outcome] ?? null;
  return found === null ? [] : [{ stage: name, outcome, command: found.command, timeoutMs: found.timeout }];
})));

export function resolveRestart(place: Written, values: Values<typeof lifecycleKeys>): RestartPolicy {
  if (values.max_restarts === null) warn(below(place, 'restart_window'), 'has no effect without max_restarts');
  return {
    mode: values.restart_policy, oneshot: values.oneshot, maxRestarts: values.max_restarts, windowMs: values.restart_window, backoff: values.backoff,
    stableAfterMs: values.stable_after, successExitCodes: values.success_exit_codes, noRestartExitCodes: values.no_restart_exit_codes,
  };
}

function backoffPolicy({ initial, max, factor, jitter }: Values<typeof backoffKeys>): BackoffPolicy {
  return { initialMs: initial, maxMs: max, factor, jitter };
}
