import { resolve } from 'node:path';
import type { ServiceSpec } from '../../machines/types.ts';
import { namesSlot, serviceCheck } from './check.ts';
import { commandKeys, resolveCommand, type ResolvedCommand } from './command.ts';
import { cron } from './cron.ts';
import { dependsOn, type Dependent, type PlainService } from './dependencies.ts';
import { deployment, resolveDeployment } from './deployment.ts';
import type { SourceNode } from './document.ts';
import { emptyEnv, envSchema, layered, readEnv, type EnvBlock } from './env.ts';
import type { Scope } from './interpolate.ts';
import { command, filled, flag, list, raw, type Kind } from './kind.ts';
import { hooks, lifecycleKeys, resolveRestart } from './lifecycle.ts';
import { defaultLogs, logs } from './logs.ts';
import { below, complain, complainExpected, warn, type Place, type Written } from './place.ts';
import { privilegeKeys, resolvePrivileges, spawn } from './privileges.ts';
import { complainUnknown, defaultsOf, optional, readKeys, withDefault, type Values } from './record.ts';

export interface DraftService extends Dependent {
  readonly profiles: readonly string[];
  readonly unit: PlainService;
  readonly identity: IdentityBlock;
}

/** What the hash of a service may be made of: its own block, without what `defaults` adds. */
export interface IdentityBlock {
  readonly block: SourceNode;
  readonly command: string;
  /** The variables of the file and those of the service, where there are any. */
  readonly env: readonly EnvBlock[];
  readonly scope: Scope;
}

/** The hash of each service by its name. */
export type Identify = (blocks: ReadonlyMap<string, IdentityBlock>) => ReadonlyMap<string, string>;

/** What the file says outside the service. */
export interface Surroundings {
  readonly projectDir: string;
  /** `null`: the file has no `env` of its own. */
  readonly env: EnvBlock | null;
  /** The `defaults` block. */
  readonly defaults: Place | null;
}

const skip: Kind<boolean | string> = {
  schema: { anyOf: [flag.schema, { type: 'string', minLength: 1 }] },
  read(place) {
    const value = place.node.kind === 'scalar' ? place.node.value : null;
    if (typeof value === 'boolean') return value;
    // 0.33.0 refuses a number, which is no program that anyone means.
    return typeof value === 'number' ? complainExpected(place, 'true, false or a command') : command.read(place);
  },
};

/** Service keys that `defaults` may hold. */
export const defaultableKeys = {
  env: optional(raw(envSchema), 'Variables, over those of the top level: directly, or in `vars` beside a `file`.'),
  working_dir: optional(filled('a directory'), 'Working directory, relative to the project directory, which is the default.'),
  ...lifecycleKeys,
  health_check: optional(serviceCheck, 'Readiness, which dependents wait for; then liveness.'),
  depends_on: withDefault(dependsOn, 'Services that must be there first.', []),
  ...privilegeKeys,
  deployment: optional(deployment, 'How the service is started and replaced.'),
  hooks: withDefault(hooks, 'Commands run after a start, a stop and a restart.', []),
  cron: optional(cron, 'When it runs; a string is the expression.'),
  skip: withDefault(skip, '`true` skips the service; a command skips it when it exits with 0.', false),
  spawn: optional(spawn, 'Whether and how many children it may spawn through the supervisor.'),
  logs: withDefault(logs, 'Where its output goes, and how it is rotated.', defaultLogs),
};

/** The service keys that systemg 0.33.0 reads. */
export const formerServiceKeys: ReadonlySet<string> = new Set([
  'command', 'env', 'user', 'group', 'supplementary_groups', 'limits', 'capabilities', 'isolation', 'restart_policy', 'backoff', 'max_restarts', 'depends_on',
  'deployment', 'hooks', 'cron', 'skip', 'spawn',
]);

export const serviceKeys = {
  ...commandKeys, ...defaultableKeys,
  profiles: withDefault(list(filled('the name of a profile'), 'a list of names of profiles'), 'Started only by `start --profile` with one of them, by name, or where a service that is started needs it.', []),
};

/** Reads, checks and resolves one service; `null` when it has no command at all. */
export function resolveService(place: Place, name: string, around: Surroundings): DraftService | null {
  if (place.node.kind !== 'map') return complainExpected(place, 'a map of service keys') ?? null;
  complainUnknown(place, Object.keys(serviceKeys));
  const block = { ...place, node: withDefaults(place.node, around.defaults) };

  const envPlace = below(block, 'env');
  const root = around.env ?? emptyEnv;
  const own = envPlace === null ? emptyEnv : readEnv({ ...envPlace, scope: layered(place.scope, root.fromFile, root.vars) }, around.projectDir, root);
  const overlay = new Map([...root.fromFile, ...own.fromFile, ...root.vars, ...own.vars]);
  const scope = layered(place.scope, overlay);

  const scoped = { ...block, scope };
  const values = readKeys(scoped, serviceKeys);
  const resolvedCommand = values === undefined ? null : resolveCommand(scoped, values);
  if (values === undefined || resolvedCommand === null) return null;

  const unit = unitOf(name, around.projectDir, values, resolvedCommand, Object.fromEntries(overlay), scoped);
  if (unit.check !== null && unit.deployment.blueGreen === null && namesSlot(unit.check)) complainSlot(below(scoped, 'health_check'), values.deployment);
  if (unit.cron !== null) {
    for (const key of ['restart_policy', 'backoff', 'max_restarts']) warn(below(place, key), 'has no effect on a cron unit');
  }
  return {
    name, unit, profiles: values.profiles, dependsOn: values.depends_on,
    identity: {
      block: place.node, command: resolvedCommand.command, scope,
      env: [around.env, below(place, 'env') === null ? null : own].filter((env) => env !== null),
    },
  };
}

/** `{slot}` means nothing in `check`. A `blue_green` block with mistakes has complaints of its own. */
function complainSlot(check: Written, written: Values<typeof serviceKeys>['deployment']): void {
  if (written?.strategy === 'rolling' && written.blue_green !== null) return;
  const lacks = written?.blue_green == null ? 'has no deployment.blue_green' : "has a deployment.blue_green without effect, which needs 'strategy: rolling'";
  complain(check, `'{slot}' is the slot of a blue-green service; this one ${lacks}`);
}

/** A service of which nothing is configured but its command. */
export function plainService(name: string, projectDir: string, resolvedCommand: ResolvedCommand): PlainService {
  return unitOf(name, projectDir, defaultsOf(defaultableKeys), resolvedCommand, {}, null);
}

function unitOf(
  name: string, projectDir: string, values: Values<typeof defaultableKeys>, resolvedCommand: ResolvedCommand, env: ServiceSpec['env'], place: Written,
): PlainService {
  return {
    name, ...resolvedCommand, projectDir,
    workingDir: values.working_dir === null ? projectDir : resolve(projectDir, values.working_dir),
    env,
    stopSignal: values.stop_signal, stopTimeoutMs: values.stop_timeout, killMode: values.kill_mode, stopCommand: values.stop_command,
    restart: resolveRestart(place, values),
    essential: values.essential, check: values.health_check, skip: values.skip, hooks: values.hooks,
    ...resolveDeployment(values.deployment, below(place, 'deployment'), name, projectDir, values.health_check),
    cron: values.cron, spawn: values.spawn, privileges: resolvePrivileges(values), logs: values.logs,
  };
}

/** The service's own keys, then those of `defaults` about which it says nothing. */
function withDefaults(node: SourceNode, defaults: Place | null): SourceNode {
  if (node.kind !== 'map' || defaults?.node.kind !== 'map') return node;
  const own = new Set(node.entries.map((entry) => entry.key));
  return { ...node, entries: [...node.entries, ...defaults.node.entries.filter((entry) => !own.has(entry.key) && Object.hasOwn(defaultableKeys, entry.key))] };
}
