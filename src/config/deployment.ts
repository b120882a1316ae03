import { resolve } from 'node:path';
import type { BlueGreenSpec, DeploymentSpec, HealthCheck } from '../../machines/types.ts';
import { rolloutCheck } from './check.ts';
import { choice, command, duration, filled, list, text } from './kind.ts';
import { below, complain, complainExpected, missing, warn, type Written } from './place.ts';
import { defaultsOf, optional, record, withDefault, type Values } from './record.ts';

const blueGreenKeys = {
  slots: optional(list(text, 'a list of two slots'), 'The two values of `env_var`, such as ports.'),
  env_var: withDefault(filled('a variable name'), 'Variable that gets the slot.', 'PORT'),
  switch_command: optional(command, 'Sends traffic to the candidate.'),
  candidate_health_check: optional(rolloutCheck, 'Gate of the candidate; `deployment.health_check` by default.'),
  switch_verify: optional(rolloutCheck, 'Must pass after the switch, else it is switched back.'),
  state_path: optional(filled('a path'), 'File with the active slot, relative to the project directory; in the state directory by default.'),
};

const deploymentKeys = {
  strategy: withDefault(choice(['immediate', 'rolling']), 'How a restart replaces the process.', 'immediate'),
  pre_start: optional(command, 'Command run before each start; the start fails when it does.'),
  health_check: optional(rolloutCheck, 'Gate of a rollout; the service’s `health_check` by default.'),
  grace_period: withDefault(duration('zero'), 'Time both processes run after a rollout.', 0),
  blue_green: optional(record(blueGreenKeys, 'blue-green keys'), 'Two slots that take turns; with `strategy: rolling`.'),
  on_address_in_use: withDefault(choice(['replace', 'fail']), 'What a candidate that finds its address in use does.', 'replace'),
};

export const deployment = record(deploymentKeys, 'deployment keys');

/** `place` is that of the `deployment` block; `check` the service's own. */
export function resolveDeployment(
  written: Values<typeof deploymentKeys> | null, place: Written, service: string, projectDir: string, check: HealthCheck | null,
): { readonly deployment: DeploymentSpec; readonly preStart: string | null } {
  const values = written ?? defaultsOf(deploymentKeys);
  const gate = values.health_check ?? check;
  const blueGreen = values.blue_green === null ? null : resolveBlueGreen(values.blue_green, below(place, 'blue_green'), service, projectDir, gate);
  const isRolling = values.strategy === 'rolling';
  if (!isRolling) warn(below(place, 'blue_green'), 'has no effect without strategy: rolling');
  return {
    deployment: {
      strategy: values.strategy, check: gate, gracePeriodMs: values.grace_period, blueGreen: isRolling ? blueGreen : null, onAddressInUse: values.on_address_in_use,
    },
    preStart: values.pre_start,
  };
}

function resolveBlueGreen(
  values: Values<typeof blueGreenKeys>, place: Written, service: string, projectDir: string, gate: HealthCheck | null,
): BlueGreenSpec | null {
  const slots = below(place, 'slots');
  if (slots === null) missing(place, 'missing field `slots`');
  if (below(place, 'switch_command') === null) missing(place, `blue_green.switch_command is required for service '${service}'`);
  const [first, second, ...more] = values.slots ?? [];
  if (values.slots !== null && (first === undefined || second === undefined || more.length > 0)) {
    complain(slots, `blue_green.slots for '${service}' must contain exactly two entries, got ${values.slots.length}`);
  } else if (first !== undefined && first === second) complain(slots, `expected two different slots, got ${JSON.stringify(first)} twice`);
  const variable = below(place, 'env_var');
  if (variable !== null && values.env_var.includes('=')) complainExpected(variable, "a variable name without '='");
  if (first === undefined || second === undefined || values.switch_command === null) return null;
  return {
    envVar: values.env_var, slots: [first, second], switchCommand: values.switch_command,
    candidateCheck: values.candidate_health_check ?? gate, switchVerify: values.switch_verify,
    statePath: values.state_path === null ? null : resolve(projectDir, values.state_path),
  };
}
