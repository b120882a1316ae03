import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { HealthCheck, ServiceSpec } from '../../machines/types.ts';
import { quoteArgv } from '../config/launch.ts';
import { refuse, type Refused } from '../errors.ts';
import { parseSize, shellWord } from '../words.ts';
import type { Losses } from './losses.ts';
import type { WrittenKeys } from './written-keys.ts';

export interface ExportContext {
  readonly services: readonly ServiceSpec[];
  /** By service, of those that have some. */
  readonly profiles: Readonly<Record<string, readonly string[]>>;
  readonly projectDir: string;
  /** Where the files will be; paths in them are seen from there. */
  readonly target: string;
  readonly keys: WrittenKeys;
  readonly losses: Losses;
  /** The image of a service; null: none was named. */
  readonly imageOf: (service: string) => string | null;
  readonly searchPath: string | undefined;
  /** Whether the value of a variable is one that is shown nowhere. */
  isSecret(name: string, value: string): boolean;
}

export interface ExportedFile {
  readonly name: string;
  readonly text: string;
  /** It has values that are secret: it is not printed. */
  readonly isSecret?: true;
}

/** As an argument vector: of a script, that of the shell. */
export function argvOf({ launch }: ServiceSpec): readonly string[] {
  return launch.kind === 'exec' ? launch.argv : ['/bin/sh', '-c', launch.script];
}

/** What the control group of a service may use; null: as much as it likes. */
export function boundsOf({ privileges: { limits: { cgroup } } }: ServiceSpec): { readonly memoryBytes: number | null; readonly cpus: number | null } {
  const memory = parseSize(cgroup?.memoryMax ?? '');
  const [, quota, period = '100000'] = /^(\d+)(?:\s+(\d+))?$/.exec(cgroup?.cpuMax?.trim() ?? '') ?? [];
  return { memoryBytes: memory.ok ? memory.value : null, cpus: quota === undefined || Number(period) === 0 ? null : Number(quota) / Number(period) };
}

/** The limits of a process as they are called by ulimit, in numbers or texts; -1: none. Undefined where none is set. */
export function ulimitsOf({ privileges: { limits } }: ServiceSpec, written: (limit: number) => number | string): object | undefined {
  return orNothing(Object.fromEntries((['nofile', 'nproc', 'memlock'] as const).flatMap((key) => (limits[key] === undefined ? [] : [[key, written(limits[key] ?? -1)]]))));
}

/** `NET_ADMIN` of `CAP_NET_ADMIN`. */
export function bareCapability(name: string): string {
  return name.replace('CAP_', '');
}

/** A list or a map, of which nothing is written where it is empty. */
export function orNothing<All extends object>(all: All): All | undefined {
  return Object.keys(all).length === 0 ? undefined : all;
}

/** A service that ends by itself. */
export function isTask({ restart, cron }: ServiceSpec): boolean {
  return restart.oneshot || cron !== null;
}

/** A check as a shell command, where one can be made of it: `url` needs curl(1), `tcp` nc(1). */
export function checkCommand({ probe }: HealthCheck): string | null {
  switch (probe.kind) {
    case 'command': return probe.command;
    case 'url': return `curl -fsS -o /dev/null ${shellWord(probe.url)}`;
    case 'tcp': return `nc -z ${shellWord(probe.host)} ${probe.port}`;
    default: return null;
  }
}

export interface SplitEnv {
  /** Env files that the engine reads as sysg does. */
  readonly files: readonly string[];
  /** Everything else, by name, but for what is secret. */
  readonly variables: Readonly<Record<string, string>>;
  /** By name; they do not belong into a file that is shown around. */
  readonly secrets: Readonly<Record<string, string>>;
}

/** The variables of a service: env files that can stay files, and the rest with its values. `filesWin`: the engine lets files win over variables. */
export function splitEnv(spec: ServiceSpec, context: ExportContext, how: { readonly filesWin: boolean }): SplitEnv {
  const { files, variables } = withFiles(spec, context, how);
  const part = (isSecret: boolean): Record<string, string> => (
    Object.fromEntries(Object.entries(variables).filter(([name, value]) => context.isSecret(name, value) === isSecret))
  );
  return { files, variables: part(false), secrets: part(true) };
}

/** An env file beside the others, with the secrets of a service. It names it as a change where it goes. Null: there are none. */
export function secretFile(spec: ServiceSpec, name: string, secrets: SplitEnv['secrets'], { losses, target }: ExportContext): ExportedFile | null {
  const names = Object.keys(secrets);
  if (names.length === 0) return null;
  losses.changed(spec.name, 'env', `the secret ${names.length === 1 ? 'value' : 'values'} of ${names.join(', ')} ${names.length === 1 ? 'is' : 'are'} read from ${join(target, name)}, which -o writes for its owner alone`);
  return { name, text: Object.entries(secrets).map(([key, value]) => `${key}=${envFileValue(value)}\n`).join(''), isSecret: true };
}

/** As systemd and compose both read it: within single quotes everything is as it is. */
function envFileValue(value: string): string {
  return value.includes("'") ? `"${value.replaceAll(/[\\"$]/g, String.raw`\$&`)}"` : `'${value}'`;
}

function withFiles(spec: ServiceSpec, { keys, losses }: ExportContext, { filesWin }: { readonly filesWin: boolean }): Omit<SplitEnv, 'secrets'> {
  const files = keys.envFiles(spec.name).filter((file) => existsSync(file));
  const written = keys.variables(spec.name);
  const inFiles = new Set(files.flatMap((file) => [...readFileSync(file, 'utf8').matchAll(/^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=/gm)].map(([, name = '']) => name)));
  const clash = filesWin && [...written].some((name) => inFiles.has(name));
  if (files.length === 0) return { files: [], variables: spec.env };
  if (!clash && files.every(isPlain)) return { files, variables: Object.fromEntries(Object.entries(spec.env).filter(([name]) => written.has(name))) };
  losses.changed(spec.name, 'env.file', `the values of ${files.join(' and ')} stand in the result as they are now, since the file would be read differently there`);
  return { files: [], variables: spec.env };
}

/** Whether every reader of env files reads it in the same way. */
function isPlain(file: string): boolean {
  return readFileSync(file, 'utf8').split(/\r?\n/).every((line) => /^\s*(?:#.*)?$|^[A-Za-z_]\w*=[^\s'"\\#$`;]*$/.test(line));
}

/** `exec` and the words as a shell reads them: one process, without a shell that stays. */
export function execLine(spec: ServiceSpec): string {
  return spec.launch.kind === 'exec' ? `exec ${quoteArgv(spec.launch.argv)}` : spec.launch.script;
}

/** At least one. */
export function wholeSeconds(ms: number): number {
  return Math.max(1, Math.ceil(ms / 1000));
}

/** Where two services would have one name. */
export function refuseAlike(names: readonly string[]): Refused | null {
  const taken = names.find((name, index) => names.indexOf(name) !== index);
  return taken === undefined ? null : refuse(`two services would be ${taken}: expected names that differ in more than case and signs`);
}
