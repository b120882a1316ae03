import type { ServiceSpec } from '../../machines/types.ts';
import { canonicalJson } from './definition.ts';

/** The keys of the file, as a person knows them, in which two definitions of a unit differ. */
export function changedKeys(before: ServiceSpec, after: ServiceSpec): readonly string[] {
  const changed = fields.filter(([field]) => canonicalJson(before[field]) !== canonicalJson(after[field])).map(([, key]) => key);
  return [...new Set(changed)];
}

const fields: readonly (readonly [keyof ServiceSpec, string])[] = [
  ['command', 'command'], ['launch', 'command'], ['projectDir', 'project directory'], ['workingDir', 'working_dir'], ['env', 'env'],
  ['stopSignal', 'stop_signal'], ['stopTimeoutMs', 'stop_timeout'], ['restart', 'restart rules'], ['essential', 'essential'], ['check', 'health_check'],
  ['dependsOn', 'depends_on'], ['skip', 'skip'], ['preStart', 'pre_start'], ['hooks', 'hooks'], ['deployment', 'deployment'], ['cron', 'cron'],
  ['spawn', 'spawn'], ['privileges', 'user, limits or capabilities'], ['logs', 'logs'],
];
