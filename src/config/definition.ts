import { createHash } from 'node:crypto';
import type { ServiceSpec } from '../../machines/types.ts';

/**
 * Two digests of a resolved unit. `process` covers what a running process was started with, so that a change needs a
 * new one; `policy` covers everything else, which is taken over live.
 */
export function definitionOf(unit: Omit<ServiceSpec, 'definition' | 'hash'>): ServiceSpec['definition'] {
  const { launch, workingDir, env, skip, preStart, privileges, logs, check, spawn, cron, deployment, ...policy } = unit;
  const { blueGreen } = deployment;
  const process = {
    launch, workingDir, env, skip, preStart, privileges,
    logs: { via: logs.via, logger: logs.logger },
    notifyFd: check?.probe.kind === 'notify' ? check.probe.fd : null,
    spawns: spawn !== null,
    scheduled: cron !== null,
    slots: blueGreen === null ? null : { envVar: blueGreen.envVar, slots: blueGreen.slots },
  };
  return { process: digest(canonicalJson(process)), policy: digest(canonicalJson({ ...policy, rotate: logs.rotate, check, spawn, cron, deployment })) };
}

/** The first 8 bytes of SHA-256, as 16 lower-case hex digits. */
export function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/** The keys of the file, as a person knows them, in which two definitions of a unit differ. */
export function changedKeys(before: ServiceSpec, after: ServiceSpec): readonly string[] {
  const [one, other] = [asWritten(before), asWritten(after)];
  const changed = keysOfFile.filter(([field]) => canonicalJson(one[field]) !== canonicalJson(other[field]));
  return [...new Set(changed.map(([, key]) => key))];
}

const keysOfFile: readonly (readonly [keyof ServiceSpec, string])[] = [
  ['command', 'command'], ['launch', 'command'], ['projectDir', 'project directory'], ['workingDir', 'working_dir'], ['env', 'env'],
  ['stopSignal', 'stop_signal'], ['stopTimeoutMs', 'stop_timeout'], ['killMode', 'kill_mode'], ['stopCommand', 'stop_command'], ['restart', 'restart rules'], ['essential', 'essential'], ['check', 'health_check'],
  ['dependsOn', 'depends_on'], ['skip', 'skip'], ['preStart', 'pre_start'], ['hooks', 'hooks'], ['deployment', 'deployment'], ['cron', 'cron'],
  ['spawn', 'spawn'], ['privileges', 'user, limits or capabilities'], ['logs', 'logs'],
];

/** A rollout without a check of its own takes the service's: that is the key `health_check`, and not `deployment`. */
function asWritten(spec: ServiceSpec): ServiceSpec {
  const { check, deployment: { blueGreen, ...deployment } } = spec;
  const ownOnly = (gate: ServiceSpec['check']): ServiceSpec['check'] => (canonicalJson(gate) === canonicalJson(check) ? null : gate);
  return {
    ...spec,
    deployment: { ...deployment, check: ownOnly(deployment.check), blueGreen: blueGreen === null ? null : { ...blueGreen, candidateCheck: ownOnly(blueGreen.candidateCheck) } },
  };
}

/** JSON with the keys of every object sorted. */
function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined).toSorted(([left], [right]) => (left < right ? -1 : 1));
  return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${canonicalJson(inner)}`).join(',')}}`;
}
