import { readFileSync } from 'node:fs';
import type { ServiceSpec } from '../../machines/types.ts';
import { serviceSpec } from './spec.ts';

export const isRoot = process.getuid?.() === 0;

type Privileges = ServiceSpec['privileges'];
const { privileges: none } = serviceSpec([], '/');

export function privileged(changes: Partial<Omit<Privileges, 'isolation'>> & { isolation?: Partial<Privileges['isolation']> }): { privileges: Privileges } {
  return { privileges: { ...none, ...changes, isolation: { ...none.isolation, ...changes.isolation } } };
}

export function procField(pid: number, name: string): string {
  const line = new RegExp(`^${name}:[ \\t]*(.*)$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  if (line === undefined) throw new Error(`no field ${name} of process ${pid}`);
  return line.trim().replaceAll('\t', ' ');
}

export function capabilitySets(pid: number): Record<string, bigint> {
  return Object.fromEntries(['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'].map((set) => [set, BigInt(`0x${procField(pid, set)}`)]));
}
