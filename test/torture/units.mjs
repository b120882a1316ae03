// The services of a torture run, and the file that describes them.

export const UNITS = {
  talk: { kind: 'talk', text: 'restart_policy: always, backoff: 50ms, logs: {rotate: {size: 48K, keep: 4}}' },
  burst: { kind: 'burst', text: 'restart_policy: always, backoff: 50ms, logs: {rotate: {size: 64K, keep: 4}}' },
  forks: { kind: 'forks', text: 'restart_policy: always, backoff: 50ms, stop_timeout: 150ms' },
  stubborn: { kind: 'stubborn', text: 'restart_policy: always, backoff: 50ms, stop_timeout: 150ms' },
  leaves: { kind: 'leaves', text: 'restart_policy: always, backoff: 50ms' },
  grouped: { kind: 'leaves', text: 'restart_policy: always, backoff: 50ms', groupText: 'limits: {cgroup: {root: GROUPS/units}}' },
  after: { kind: 'sleeps', text: 'restart_policy: always, backoff: 50ms, depends_on: [talk]' },
  flaps: { kind: 'flaps', text: 'restart_policy: always, backoff: 200ms' },
  spent: { kind: 'fails', text: 'restart_policy: on-failure, max_restarts: 2, backoff: 10ms' },
  once: { kind: 'once', text: 'oneshot: true' },
  waits: { kind: 'fails', text: 'restart_policy: on-failure, backoff: 10h' },
  tick: { kind: 'tick', text: 'cron: {expression: "* * * * * *"}' },
  roll: { kind: 'sleeps', text: 'restart_policy: always, backoff: 50ms, deployment: {strategy: rolling, grace_period: 100ms}' },
  blue: {
    kind: 'sleeps',
    text: 'restart_policy: always, backoff: 50ms, deployment: {strategy: rolling, grace_period: 50ms, blue_green: {env_var: SLOT, slots: [one, two], '
      + 'switch_command: "echo {candidate_slot} > $HOME/active.new && mv $HOME/active.new $HOME/active"}}',
  },
};
export const NAMES = Object.keys(UNITS);
/** Those whose process runs as long as they are wanted. */
export const STEADY = ['talk', 'burst', 'forks', 'stubborn', 'leaves', 'grouped', 'roll', 'blue'];
export const BUDGET = 2;

/** `edits`: of units, what an edit of the file has changed: a number in their environment, or their absence. `groups`: where control groups may be made. */
export function configuration(actor, edits, groups) {
  const textOf = ({ text, groupText }) => (groupText === undefined || groups === undefined ? text : `${text}, ${groupText.replace('GROUPS', groups)}`);
  const lines = NAMES.filter((name) => edits[name] !== 'absent').map((name) => (
    `  ${name}: {exec: [${actor}, ${name}, ${UNITS[name].kind}], ${textOf(UNITS[name])}, env: {vars: {TORTURE_UNIT: ${name}, EDIT: "${edits[name] ?? 0}"}}}\n`
  ));
  return `version: "1"\nmetrics: {sample_interval_secs: 1}\nservices:\n${lines.join('')}`;
}
