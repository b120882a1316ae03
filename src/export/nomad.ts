import { basename } from 'node:path';
import type { ServiceSpec } from '../../machines/types.ts';
import { formatDuration } from '../words.ts';
import { withoutNothing } from './compose.ts';
import { argvOf, checkCommand, isTask, type ExportContext, type ExportedFile } from './context.ts';
import { slug } from './kubernetes.ts';
import { portOf } from './kubernetes-probes.ts';
import { loseAll } from './losses.ts';
import { crontabOf } from './schedule.ts';

const none = 'nomad has nothing like it';

const reasons: Readonly<Record<string, string>> = {
  stable_after: none,
  success_exit_codes: 'nomad knows 0 alone',
  no_restart_exit_codes: none,
  essential: 'the nearest, a leader, is about the tasks of one group',
  kill_mode: none,
  stop_command: none,
  spawn: none,
  skip: none,
  profiles: none,
  'health_check.log': none,
  'health_check.notify_fd': none,
  'health_check.expect_status': 'a check takes 2xx',
  'hooks.on_restart': none,
  'hooks.on_start.error': none,
  'hooks.on_stop.error': none,
  'deployment.health_check': 'the check of the service decides about an update',
  'deployment.on_address_in_use': none,
  'limits.nice': none,
  'limits.cpu_affinity': none,
  'limits.cgroup.cpu_max': none,
  'limits.cgroup.cpu_weight': none,
  'limits.cgroup.root': none,
  supplementary_groups: none,
  group: none,
  'logs.logger': none,
  'logs.via': 'nomad keeps what is written to standard output',
  'logs.rotate.compress': none,
  'cron.catch_up': none,
  'backoff.max': 'the pause between restarts is always the same',
  'backoff.factor': 'the pause between restarts is always the same',
  'backoff.jitter': 'nomad adds up to a quarter',
};

const DOCKER = 'docker';

/** A job for each service, as JSON of the API: `nomad job run -json FILE`. A service without an image runs by raw_exec. */
export function exportNomad(context: ExportContext): readonly ExportedFile[] {
  return context.services.map((spec) => {
    loseAll(context.losses, spec.name, reasons);
    return { name: `${slug(spec.name)}.nomad.json`, text: `${JSON.stringify(withoutNothing({ Job: job(spec, context) }), null, 2)}\n` };
  });
}

function job(spec: ServiceSpec, context: ExportContext): object {
  const { name, cron, deployment, stopTimeoutMs, check } = spec;
  const id = jobId(spec, context);
  const isService = !isTask(spec) && spec.restart.mode !== 'never';
  const { blueGreen } = deployment;
  if (blueGreen !== null)
    context.losses.changed(name, 'deployment.blue_green', 'a canary that is promoted by itself stands for the two slots; switch_command is not run');
  const tasks = [
    ...before(spec, context),
    { ...task(spec, context, slug(name), argvOf(spec)), KillSignal: spec.stopSignal, KillTimeout: ns(stopTimeoutMs) },
    ...after(spec, context),
  ];
  return {
    ID: id,
    Name: id,
    Type: isService ? 'service' : 'batch',
    Datacenters: ['*'],
    Periodic: cron === null ? undefined : periodic(spec, context),
    Update:
      isService && deployment.strategy === 'rolling'
        ? {
            MaxParallel: 1,
            MinHealthyTime: ns(deployment.gracePeriodMs),
            HealthyDeadline: ns(Math.max(deployment.gracePeriodMs + 1000, (check?.startPeriodMs ?? 0) + (check?.timeoutMs ?? 60_000))),
            ProgressDeadline: ns(Math.max(600_000, 2 * (check?.timeoutMs ?? 0) + deployment.gracePeriodMs + 2000)),
            AutoRevert: true,
            ...(blueGreen !== null && { Canary: 1, AutoPromote: true }),
          }
        : undefined,
    TaskGroups: [
      {
        Name: slug(name),
        Count: 1,
        RestartPolicy: restartPolicy(spec, context),
        Services: services(spec, context),
        Networks: networks(spec),
        EphemeralDisk: disk(spec, context, tasks.length),
        Tasks: tasks,
      },
    ],
  };
}

function jobId({ name }: ServiceSpec, { projectDir }: ExportContext): string {
  return `${slug(basename(projectDir))}-${slug(name)}`;
}

function task(spec: ServiceSpec, context: ExportContext, name: string, argv: readonly string[]): object {
  const { losses, imageOf, keys } = context;
  const image = imageOf(spec.name);
  const [command = '', ...args] = argv.map(literal);
  const { privileges: { user, capabilities, limits } } = spec;
  if (keys.envFiles(spec.name).length > 0) losses.changed(spec.name, 'env.file', 'its values stand in the job as they are now, but for those that are secret');
  const variables = Object.entries(spec.env);
  const secrets = variables.filter(([key, value]) => context.isSecret(key, value)).map(([key]) => key);
  const place = `nomad/jobs/${jobId(spec, context)}`;
  const shown = variables.filter(([key]) => !secrets.includes(key));
  if (secrets.length > 0)
    losses.changed(spec.name, 'env', `secret values are read from the variables of the job: nomad var put ${place} ${secrets.map((key) => `${key}=…`).join(' ')}`);
  if (image === null) {
    for (const key of ['capabilities', 'limits.nofile', 'limits.nproc', 'limits.memlock', 'isolation'])
      losses.lost(spec.name, key, 'raw_exec sets nothing of it; with --image it runs in a container');
  } else losses.changed(spec.name, 'working_dir', 'it is a path of the image there');
  const ulimit = Object.fromEntries(
    (['nofile', 'nproc', 'memlock'] as const).flatMap((key) => (limits[key] === undefined ? [] : [[key, String(limits[key] ?? -1)]])),
  );
  const memory = megabytes(limits.cgroup?.memoryMax);
  return {
    Name: name,
    Driver: image === null ? 'raw_exec' : DOCKER,
    User: user ?? undefined,
    Env: Object.fromEntries(shown.filter(([, value]) => !REFERENCE.test(value))),
    Templates: listed([
      ...envTemplate('env', secrets.map((key) => `${key}={{ .${key} | toJSON }}\n`), (lines) => `{{ with nomadVar "${place}" }}${lines}{{ end }}`),
      ...envTemplate('literals', shown.filter(([, value]) => REFERENCE.test(value)).map(([key, value]) => `${key}={{ ${JSON.stringify(value)} | toJSON }}\n`)),
    ]),
    Config:
      image === null
        ? { command, args, work_dir: literal(spec.workingDir) }
        : {
            image: literal(image),
            command,
            args,
            work_dir: keys.has(spec.name, ['working_dir']) ? literal(spec.workingDir) : undefined,
            cap_drop: capabilities.length === 0 ? undefined : ['all'],
            cap_add: capabilities.length === 0 ? undefined : capabilities.map((one) => one.replace('CAP_', '').toLowerCase()),
            ulimit: Object.keys(ulimit).length === 0 ? undefined : [ulimit],
          },
    Resources: memory === null ? undefined : { MemoryMB: memory },
    LogConfig: logConfig(spec, context),
  };
}

function listed(all: readonly object[]): readonly object[] | undefined {
  return all.length === 0 ? undefined : all;
}

/** Variables that a task gets from a file that Nomad writes: nothing is replaced in their values. */
function envTemplate(name: string, lines: readonly string[], within = (text: string): string => text): readonly object[] {
  return lines.length === 0 ? [] : [{ DestPath: `\${NOMAD_SECRETS_DIR}/${name}`, Envvars: true, EmbeddedTmpl: within(lines.join('')) }];
}

/** Of the job only where the file has the key. */
function logConfig({ name, logs: { rotate } }: ServiceSpec, { keys }: ExportContext): { readonly MaxFiles: number; readonly MaxFileSizeMB: number } | undefined {
  if (!keys.has(name, ['logs', 'rotate'])) return undefined;
  return { MaxFiles: rotate.keep + 1, MaxFileSizeMB: Math.max(1, Math.round(rotate.sizeBytes / 1024 ** 2)) };
}

/** A job whose logs could fill its disk is refused. Null: the disk that a group has by itself is enough. */
function disk(spec: ServiceSpec, context: ExportContext, tasks: number): object | undefined {
  const { MaxFiles, MaxFileSizeMB } = logConfig(spec, context) ?? DEFAULT_LOGS;
  const logs = MaxFiles * MaxFileSizeMB * tasks;
  return logs < DEFAULT_DISK_MB ? undefined : { SizeMB: DEFAULT_DISK_MB + logs };
}

/** Of a task and of a group that say nothing of it: the logs and ephemeral_disk blocks of the job specification. */
const DEFAULT_LOGS = { MaxFiles: 10, MaxFileSizeMB: 10 };
const DEFAULT_DISK_MB = 300;

/** What has to be done first: one-shots that are waited for, then `pre_start`. */
function before(spec: ServiceSpec, context: ExportContext): readonly object[] {
  const first = spec.dependsOn.flatMap(({ service, condition }) => {
    const other = context.services.find((one) => one.name === service);
    if (other?.restart.oneshot === true && condition === 'completed') {
      context.losses.changed(spec.name, 'depends_on', `${service} is run before each start of this one, beside being a job of its own`);
      return [{ ...task(other, context, slug(service), argvOf(other)), Lifecycle: { Hook: 'prestart', Sidecar: false } }];
    }
    const command = other?.check === null || other === undefined || condition !== 'healthy' ? null : checkCommand(other.check);
    if (other !== undefined && command !== null) {
      context.losses.changed(spec.name, 'depends_on', `a task makes the check of ${service} until it passes; nothing restarts with ${service}`);
      return [
        {
          ...task(other, context, `wait-for-${slug(service)}`, [
            '/bin/sh',
            '-c',
            `until ( ${command}\n); do sleep ${other.check === null ? 1 : other.check.intervalMs / 1000}; done`,
          ]),
          Lifecycle: { Hook: 'prestart', Sidecar: false },
        },
      ];
    }
    context.losses.lost(spec.name, 'depends_on', `nothing waits for ${service}, which is another job`);
    return [];
  });
  const pre =
    spec.preStart === null
      ? []
      : [{ ...task(spec, context, 'pre-start', ['/bin/sh', '-c', spec.preStart]), Lifecycle: { Hook: 'prestart', Sidecar: false } }];
  return [...first, ...pre];
}

function after(spec: ServiceSpec, context: ExportContext): readonly object[] {
  return spec.hooks.flatMap(({ stage, outcome, command }) => {
    if (stage === 'on_restart' || outcome === 'error') return [];
    context.losses.changed(spec.name, `hooks.${stage}.${outcome}`, 'a task of the group runs it, without the variables of sysg');
    const isStart = stage === 'on_start';
    return [
      {
        ...task(spec, context, isStart ? 'after-start' : 'after-stop', ['/bin/sh', '-c', command]),
        Lifecycle: { Hook: isStart ? 'poststart' : 'poststop', Sidecar: false },
      },
    ];
  });
}

function restartPolicy({ name, restart, cron }: ServiceSpec, { losses }: ExportContext): object {
  if (cron !== null || restart.mode === 'never') return { Attempts: 0, Mode: 'fail', Interval: ns(60_000), Delay: ns(1000) };
  if (restart.mode === 'on-failure' && !restart.oneshot)
    losses.changed(name, 'restart_policy', 'a task of a service is also restarted when it ends with 0');
  const { backoff, maxRestarts, windowMs } = restart;
  if (maxRestarts === null)
    return { Attempts: 1, Interval: ns(Math.max(SHORTEST_INTERVAL_MS, backoff.initialMs + 1000)), Delay: ns(Math.max(1, backoff.initialMs)), Mode: 'delay' };
  if (windowMs === null) losses.changed(name, 'max_restarts', 'nomad counts the restarts of a day, and not failures in a row');
  const interval = Math.max(windowMs ?? 86_400_000, SHORTEST_INTERVAL_MS, maxRestarts * backoff.initialMs);
  if (windowMs !== null && interval > windowMs)
    losses.changed(name, 'restart_window', `${formatDuration(interval)} there: nomad takes at least 5 s, and as long as all the restarts with their pauses`);
  return { Attempts: maxRestarts, Interval: ns(interval), Delay: ns(backoff.initialMs), Mode: 'fail' };
}

const SHORTEST_INTERVAL_MS = 5000;

function services(spec: ServiceSpec, { losses }: ExportContext): readonly object[] | undefined {
  const { name, check } = spec;
  if (check === null || isTask(spec)) return undefined;
  const limits = {
    Interval: ns(Math.max(1000, check.intervalMs)),
    Timeout: ns(Math.max(1000, check.attemptTimeoutMs ?? Math.min(check.timeoutMs, check.intervalMs))),
  };
  const { probe } = check;
  const url = probe.kind === 'url' ? new URL(probe.url) : null;
  if (probe.kind === 'command') {
    losses.lost(name, 'health_check', 'a check by a command needs Consul, and none of it is written');
    return undefined;
  }
  if (url === null && probe.kind !== 'tcp') return undefined;
  losses.changed(name, 'health_check', 'start_period and timeout of the readiness as a whole are not said');
  return [
    {
      Name: slug(name),
      Provider: 'nomad',
      PortLabel: portLabel,
      Checks: [
        {
          Name: `${slug(name)}-check`,
          Type: url === null ? 'tcp' : 'http',
          ...(url !== null && { Path: `${url.pathname}${url.search}`, Protocol: url.protocol.slice(0, -1) }),
          ...limits,
          ...(check.onUnhealthy === 'restart' && { CheckRestart: { Limit: check.retries, Grace: ns(check.startPeriodMs + check.timeoutMs) } }),
        },
      ],
    },
  ];
}

const portLabel = 'check';

/** The port that the check names is one of the machine. */
function networks(spec: ServiceSpec): readonly object[] | undefined {
  const port = isTask(spec) ? null : portOf(spec.check);
  return port === null ? undefined : [{ Mode: 'host', ReservedPorts: [{ Label: portLabel, Value: port }] }];
}

function periodic(spec: ServiceSpec, { losses }: ExportContext): object {
  const crontab = spec.cron === null ? null : crontabOf(spec.cron);
  if (crontab === null) losses.lost(spec.name, 'cron', 'a schedule here has whole minutes and no years: it is written as not enabled');
  else if (crontab.changed !== null) losses.changed(spec.name, 'cron', crontab.changed);
  if (spec.cron?.overlap !== 'skip') losses.changed(spec.name, 'cron.overlap', 'a run that is due while another goes on is left out');
  if (spec.cron?.timeoutMs != null) losses.lost(spec.name, 'cron.timeout', none);
  return {
    Enabled: crontab !== null && spec.skip !== true,
    Spec: crontab?.schedule ?? '0 0 1 1 *',
    SpecType: 'cron',
    ProhibitOverlap: true,
    TimeZone: spec.cron?.timezone ?? 'Local',
  };
}

/** The API has durations as nanoseconds. */
function ns(ms: number): number {
  return Math.round(ms) * 1_000_000;
}

function megabytes(text: string | undefined): number | null {
  const [, number, unit = ''] = /^(\d+)\s*([KMGT]?)B?$/i.exec(text ?? '') ?? [];
  if (number === undefined) return null;
  return Math.max(10, Math.ceil((Number(number) * 1024 ** ['', 'K', 'M', 'G', 'T'].indexOf(unit.toUpperCase())) / 1024 ** 2));
}

/** In the configuration of a driver, which is a template of HCL. */
function literal(text: string): string {
  return text.replaceAll(/[$%](?=\{)/g, (sign) => `${sign}${sign}`);
}

/** What Nomad replaces in a variable, where it knows the name: of that there is no escape. */
const REFERENCE = /\$\{[\w.-]+\}/;
