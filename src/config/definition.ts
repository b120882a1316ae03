import { createHash } from 'node:crypto';
import type { ServiceSpec } from '../../machines/types.ts';

type Undefined = Omit<ServiceSpec, 'definition' | 'hash'>;

/**
 * Two digests of a resolved unit. `process` covers what a running process was started with, so that a change needs a
 * new one; `policy` covers everything else, which is taken over live.
 */
export function definitionOf(unit: Undefined): ServiceSpec['definition'] {
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

/** JSON with the keys of every object sorted. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined).toSorted(([left], [right]) => (left < right ? -1 : 1));
  return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${canonicalJson(inner)}`).join(',')}}`;
}
