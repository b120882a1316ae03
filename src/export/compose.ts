import { basename, join, relative } from 'node:path';
import { restartsWith } from '../../machines/order.ts';
import type { ServiceSpec } from '../../machines/types.ts';
import type { Refused } from '../errors.ts';
import { formatDuration, formatSize } from '../words.ts';
import { writeYamlDocuments } from '../yaml-text.ts';
import {
  argvOf, bareCapability, boundsOf, checkCommand, orNothing, refuseAlike, secretFile, splitEnv, ulimitsOf, type ExportContext, type ExportedFile, type SplitEnv,
} from './context.ts';
import { loseAll } from './losses.ts';

const none = 'compose has nothing like it';

const reasons: Readonly<Record<string, string>> = {
  'no_restart_exit_codes restart_window spawn hooks.on_restart hooks.on_start.error limits.nice limits.cgroup.root logs.logger': none,
  'deployment.blue_green deployment.grace_period deployment.health_check deployment.on_address_in_use health_check.log health_check.notify_fd': none,
  stable_after: 'docker forgives after ten seconds, always',
  success_exit_codes: 'docker knows 0 alone',
  essential: 'the nearest, --abort-on-container-exit, is a flag of "compose up"',
  backoff: 'docker waits 100 ms, then twice as long each time, up to a minute',
  kill_mode: 'docker signals the first process alone',
  stop_command: 'pre_stop runs before the signal, and not instead of it',
  'deployment.strategy': 'compose replaces a container by ending it',
  'health_check.expect_status': 'curl(1) takes 2xx and 3xx',
  'hooks.on_stop': 'pre_stop runs before a stop, and not after it',
  'limits.cgroup.cpu_weight': 'cpu_shares count in another way',
  isolation: 'a container has namespaces of its own in any case',
  cron: 'compose runs nothing by the clock: the service has the profile "cron" and is started by hand',
  'logs.via': 'docker keeps what is written to standard output',
};

/** One compose file. Every service runs in an image; `command` is what it is given. */
export function exportCompose(context: ExportContext): readonly ExportedFile[] | Refused {
  const secrets: ExportedFile[] = [];
  const services = context.services.flatMap((spec) => {
    loseAll(context.losses, spec.name, reasons);
    const environment = splitEnv(spec, context, { filesWin: false });
    const file = secretFile(spec, `${composeName(spec.name)}.env`, environment.secrets, context);
    if (file !== null) secrets.push(file);
    return entries(spec, context, { ...environment, files: [...environment.files, ...(file === null ? [] : [join(context.target, file.name)])] });
  });
  const alike = refuseAlike(services.map(([key]) => key));
  if (alike !== null) return alike;
  const name = basename(context.projectDir).toLowerCase().replaceAll(/[^a-z0-9_-]+/g, '-').replace(/^[^a-z0-9]+/, '') || 'sysg';
  return [{ name: 'compose.yaml', text: writeYamlDocuments([withoutNothing({ name, services: Object.fromEntries(services) })]) }, ...secrets];
}

/** Compose takes letters, digits, dots, dashes and underscores. */
function composeName(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9._-]/g, '-');
}

function entries(spec: ServiceSpec, context: ExportContext, environment: SplitEnv): readonly (readonly [string, unknown])[] {
  const { target, losses, imageOf } = context;
  const { name, preStart } = spec;
  const image = imageOf(name) ?? '';
  const shared = {
    image: dollars(image),
    working_dir: context.keys.has(name, ['working_dir']) ? dollars(spec.workingDir) : undefined,
    env_file: orNothing(environment.files.map((file) => dollars(relative(target, file).startsWith('..') ? file : `./${relative(target, file)}`))),
    environment: orNothing(Object.fromEntries(Object.entries(environment.variables).map(([variable, value]) => [variable, dollars(value)]))),
    ...privileges(spec, context),
  };
  const key = composeName(name);
  const before = `${key}-pre-start`;
  losses.changed(name, 'working_dir', 'it is a path of the image there');
  if (key !== name) losses.changed(name, '', `named ${key} there`);
  if (preStart !== null) losses.changed(name, 'deployment.pre_start', `a service of its own, ${before}, that ends before this one starts; not before each restart`);
  const profiles = spec.cron !== null ? ['cron'] : spec.skip === true ? ['skipped'] : profilesOf(name, context);
  if (typeof spec.skip === 'string') losses.lost(name, 'skip', none);
  else if (spec.skip) losses.changed(name, 'skip', 'the service has the profile "skipped"');
  const own = {
    ...shared,
    command: argvOf(spec).map(dollars),
    depends_on: dependencies(spec, context, preStart === null ? null : before),
    healthcheck: health(spec, context),
    restart: restartOf(spec),
    stop_signal: spec.stopSignal,
    stop_grace_period: formatDuration(spec.stopTimeoutMs),
    post_start: hooks(spec, context),
    profiles,
    logging: logging(spec, context),
  };
  return [
    ...(preStart === null ? [] : [[before, { ...shared, command: ['/bin/sh', '-c', dollars(preStart)], restart: 'no', profiles }] as const]),
    [key, own],
  ];
}

function restartOf({ restart: { mode, oneshot, maxRestarts }, cron }: ServiceSpec): string {
  if (mode === 'never' || cron !== null) return 'no';
  if (mode === 'always' && !oneshot) return 'always';
  return maxRestarts === null ? 'on-failure' : `on-failure:${maxRestarts}`;
}

/** Compose starts nothing that is needed beyond the chosen profiles: what is needed gets the profiles of what needs it, and none where that has none. */
function profilesOf(name: string, context: ExportContext): readonly string[] | undefined {
  const own = Object.hasOwn(context.profiles, name) ? context.profiles[name] : undefined;
  if (own === undefined) return undefined;
  const all = new Set(own);
  for (const other of context.services.filter(({ dependsOn }) => dependsOn.some(({ service }) => service === name))) {
    const further = profilesOf(other.name, context);
    if (further === undefined) return undefined;
    for (const profile of further) all.add(profile);
  }
  return [...all];
}

const conditions = { started: 'service_started', healthy: 'service_healthy', completed: 'service_completed_successfully' } as const;

function dependencies({ name, dependsOn }: ServiceSpec, { services, losses }: ExportContext, before: string | null): object | undefined {
  const needed = dependsOn.flatMap((edge): (readonly [string, object])[] => {
    const { service, condition } = edge;
    const other = services.find((one) => one.name === service);
    if (other === undefined) return [];
    // Compose would start what is not to be started by itself.
    const isApart = other.cron !== null || other.skip === true;
    const isBlind = condition === 'healthy' && (other.check === null || checkCommand(other.check) === null);
    if (isBlind) losses.changed(name, 'depends_on', `${service} has no check that compose can make: its start is waited for`);
    if (isApart) losses.changed(name, 'depends_on', `${service} is not started with the others there, and not waited for`);
    return isApart ? [] : [[composeName(service), { condition: conditions[isBlind ? 'started' : condition], ...(restartsWith(edge) && { restart: true }) }]];
  });
  return orNothing(Object.fromEntries([...needed, ...(before === null ? [] : [[before, { condition: conditions.completed }] as const])]));
}

/** Docker begins at once, and does not count failures within `start_period`. */
function health({ name, check }: ServiceSpec, { losses }: ExportContext): object | undefined {
  const command = check === null ? null : checkCommand(check);
  if (check === null || command === null) return undefined;
  if (check.probe.kind !== 'command') losses.changed(name, `health_check.${check.probe.kind}`, `it needs ${check.probe.kind === 'url' ? 'curl' : 'nc'} in the image`);
  losses.changed(name, 'health_check', 'an unhealthy container is left running');
  return {
    test: ['CMD-SHELL', dollars(command)], interval: formatDuration(check.intervalMs), timeout: formatDuration(check.attemptTimeoutMs ?? check.timeoutMs),
    retries: check.retries, start_period: formatDuration(check.startPeriodMs + check.timeoutMs),
  };
}

function hooks({ name, hooks: all }: ServiceSpec, { losses }: ExportContext): readonly object[] | undefined {
  const started = all.filter(({ stage, outcome }) => stage === 'on_start' && outcome === 'success');
  if (started.length > 0) losses.changed(name, 'hooks.on_start.success', 'it runs in the container, without the variables of sysg');
  return orNothing(started.map(({ command }) => ({ command: ['/bin/sh', '-c', dollars(command)] })));
}

function privileges(spec: ServiceSpec, { losses }: ExportContext): object {
  const { user, group, supplementaryGroups, capabilities, limits, sandbox } = spec.privileges;
  if (sandbox !== undefined && sandbox.writable.length > 0) losses.lost(spec.name, 'sandbox.writable', 'a volume of the container is writable');
  const { memoryBytes, cpus } = boundsOf(spec);
  const bounds = {
    ...(memoryBytes !== null && { memory: formatSize(memoryBytes).toLowerCase() }), ...(cpus !== null && { cpus: String(Math.round(cpus * 1000) / 1000) }),
  };
  return {
    user: user === null ? undefined : group === null ? user : `${user}:${group}`,
    group_add: supplementaryGroups ?? undefined,
    cap_drop: capabilities.length === 0 ? undefined : ['ALL'],
    cap_add: orNothing(capabilities.map(bareCapability)),
    ulimits: ulimitsOf(spec, Number),
    cpuset: limits.cpuAffinity?.join(','),
    security_opt: sandbox?.noNewPrivileges === true ? ['no-new-privileges:true'] : undefined,
    read_only: sandbox?.readOnlyRoot || undefined,
    tmpfs: sandbox?.privateTmp === true ? ['/tmp', '/var/tmp'] : undefined,
    deploy: memoryBytes === null && cpus === null ? undefined : { resources: { limits: bounds } },
  };
}

function logging({ name, logs: { rotate } }: ServiceSpec, { keys, losses }: ExportContext): object | undefined {
  if (!keys.has(name, ['logs', 'rotate'])) return undefined;
  losses.changed(name, 'logs.rotate', 'the log is that of docker');
  return {
    driver: 'json-file',
    options: { 'max-size': `${rotate.sizeBytes}`, 'max-file': String(rotate.keep + 1), ...(rotate.compress && { compress: 'true' }) },
  };
}

/** Compose replaces variables in every text. */
function dollars(text: string): string {
  return text.replaceAll('$', () => '$$');
}

/** JSON without what is undefined. */
export function withoutNothing(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
