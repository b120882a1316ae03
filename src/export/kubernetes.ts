import { restartsWith } from '../../machines/order.ts';
import type { ServiceSpec } from '../../machines/types.ts';
import { findUser } from '../process/accounts.ts';
import { formatSize } from '../words.ts';
import { writeYamlDocuments } from '../yaml-text.ts';
import { withoutNothing } from './compose.ts';
import { argvOf, bareCapability, boundsOf, isTask, orNothing, splitEnv, wholeSeconds, type ExportContext, type ExportedFile } from './context.ts';
import { portOf, probes } from './kubernetes-probes.ts';
import { loseAll } from './losses.ts';
import { crontabOf } from './schedule.ts';

const none = 'kubernetes has nothing like it';

const reasons: Readonly<Record<string, string>> = {
  'restart_window no_restart_exit_codes essential spawn skip profiles health_check.log health_check.notify_fd hooks.on_restart hooks.on_start.error': none,
  'limits.nofile limits.nproc limits.memlock': 'limits of a process are those of the node',
  'limits.nice limits.cpu_affinity limits.cgroup.root limits.cgroup.cpu_weight logs.logger': none,
  backoff: 'the kubelet has a backoff of its own, up to five minutes',
  stable_after: 'the kubelet forgives after ten minutes',
  stop_signal: 'it is that of the image; lifecycle.stopSignal is there from 1.33 on behind a feature gate',
  kill_mode: 'the first process gets the signal',
  stop_command: 'preStop runs before the signal, and not instead of it',
  'health_check.expect_status': 'a probe takes 200 to 399',
  'deployment.blue_green': 'two Deployments and a selector that is switched, which no file alone does',
  'deployment.health_check': 'the readiness probe decides about a rollout',
  'deployment.on_address_in_use': 'each pod has an address of its own',
  'hooks.on_stop': 'preStop runs before a stop, and not after it',
  isolation: 'a pod has namespaces of its own in any case',
  supplementary_groups: 'kubernetes takes numbers of groups that the image knows',
  'logs.rotate': 'the kubelet rotates logs',
  'logs.via': 'the node keeps what is written to standard output',
  'cron.catch_up': 'startingDeadlineSeconds is the nearest, for a run that was missed by so long',
  success_exit_codes: 'kubernetes knows 0 alone',
};

/** A Deployment, Job or CronJob for each service, with a Service where its check names a port and a Secret for what comes from env files. */
export function exportKubernetes(context: ExportContext): readonly ExportedFile[] {
  return context.services.map((spec) => {
    loseAll(context.losses, spec.name, reasons);
    const documents = [secret(spec, context), workload(spec, context), network(spec)].filter((one) => one !== null);
    return { name: `${slug(spec.name)}.yaml`, text: writeYamlDocuments(documents.map(withoutNothing)) };
  });
}

/** RFC 1123: lower-case letters, digits and dashes, at most 52 of them, which is what a CronJob leaves for the number of its Job. */
export function slug(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-').replaceAll(/^-+|-+$/g, '').slice(0, 52).replace(/-+$/, '') || 'service';
}

function meta(spec: ServiceSpec, suffix = ''): object {
  return { name: `${slug(spec.name)}${suffix}`, labels: labels(spec) };
}

function labels({ name }: ServiceSpec): object {
  return { 'app.kubernetes.io/name': slug(name) };
}

function workload(spec: ServiceSpec, context: ExportContext): object {
  const { losses } = context;
  const { name, cron, restart } = spec;
  if (slug(name) !== name) losses.changed(name, '', `named ${slug(name)} there`);
  if (cron !== null) return cronJob(spec, context);
  if (restart.oneshot || restart.mode !== 'always') {
    if (!restart.oneshot) losses.changed(name, 'restart_policy', 'a Deployment always restarts its pods, so this is a Job, which is complete when it has ended with 0');
    return { apiVersion: 'batch/v1', kind: 'Job', metadata: meta(spec), spec: jobSpec(spec, context) };
  }
  const rolling = spec.deployment.strategy === 'rolling';
  if (restart.maxRestarts !== null) losses.lost(name, 'max_restarts', 'a Deployment restarts for ever');
  return {
    apiVersion: 'apps/v1', kind: 'Deployment', metadata: meta(spec),
    spec: {
      replicas: 1,
      selector: { matchLabels: labels(spec) },
      strategy: rolling ? { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } } : { type: 'Recreate' },
      minReadySeconds: rolling && spec.deployment.gracePeriodMs > 0 ? wholeSeconds(spec.deployment.gracePeriodMs) : undefined,
      template: pod(spec, context, 'Always'),
    },
  };
}

function jobSpec(spec: ServiceSpec, context: ExportContext, limitMs: number | null = null): object {
  const { mode, maxRestarts } = spec.restart;
  const retries = mode === 'never' || spec.cron !== null ? 0 : maxRestarts;
  return {
    backoffLimit: retries ?? 2_147_483_647,
    activeDeadlineSeconds: limitMs === null ? undefined : wholeSeconds(limitMs),
    template: pod(spec, context, retries === 0 ? 'Never' : 'OnFailure'),
  };
}

function cronJob(spec: ServiceSpec, context: ExportContext): object {
  const { name, cron } = spec;
  const crontab = cron === null ? null : crontabOf(cron);
  if (crontab === null) context.losses.lost(name, 'cron', 'a CronJob has whole minutes and no years: it is written as suspended');
  else if (crontab.changed !== null) context.losses.changed(name, 'cron', crontab.changed);
  if (cron?.overlap === 'queue') context.losses.changed(name, 'cron.overlap', 'a run that is due while another goes on is left out');
  return {
    apiVersion: 'batch/v1', kind: 'CronJob', metadata: meta(spec),
    spec: {
      schedule: crontab?.schedule ?? '0 0 1 1 *',
      suspend: crontab === null || spec.skip === true ? true : undefined,
      timeZone: cron?.timezone === 'UTC' ? 'Etc/UTC' : (cron?.timezone ?? undefined),
      concurrencyPolicy: cron?.overlap === 'replace' ? 'Replace' : 'Forbid',
      jobTemplate: { spec: jobSpec(spec, context, cron?.timeoutMs ?? null) },
    },
  };
}

function pod(spec: ServiceSpec, context: ExportContext, restartPolicy: string): object {
  const initContainers = [
    ...waits(spec, context),
    ...(spec.preStart === null ? [] : [{ ...base(spec, context), name: 'pre-start', command: ['/bin/sh', '-c', references(spec.preStart)] }]),
  ];
  return {
    metadata: { labels: labels(spec) },
    spec: {
      restartPolicy,
      terminationGracePeriodSeconds: Math.ceil(spec.stopTimeoutMs / 1000),
      initContainers: orNothing(initContainers),
      containers: [{
        ...base(spec, context), name: slug(spec.name), command: argvOf(spec).map(references), ...(isTask(spec) ? {} : probes(spec, context)),
        lifecycle: lifecycle(spec, context),
      }],
    },
  };
}

/** What a service and the commands before it share. */
function base(spec: ServiceSpec, context: ExportContext): object {
  const environment = splitEnv(spec, context, { filesWin: false });
  const variables = Object.entries(environment.variables).map(([name, value]) => ({ name, value: references(value) }));
  const { memoryBytes, cpus } = boundsOf(spec);
  const limits = {
    memory: memoryBytes === null ? undefined : formatSize(memoryBytes).replace(/\D$/, '$&i'),
    cpu: cpus === null ? undefined : `${Math.max(1, Math.round(cpus * 1000))}m`,
  };
  context.losses.changed(spec.name, 'working_dir', 'it is a path of the image there');
  return {
    image: context.imageOf(spec.name) ?? '',
    workingDir: context.keys.has(spec.name, ['working_dir']) ? spec.workingDir : undefined,
    envFrom: environment.files.length === 0 && Object.keys(environment.secrets).length === 0 ? undefined : [{ secretRef: { name: `${slug(spec.name)}-env` } }],
    env: orNothing(variables),
    resources: memoryBytes === null && cpus === null ? undefined : { limits },
    securityContext: security(spec, context),
  };
}

function security({ name, privileges: { user, group, capabilities, sandbox } }: ServiceSpec, { losses }: ExportContext): object | undefined {
  const account = user === null ? null : findUser(user);
  if (user !== null) {
    const number = account === null ? `, and there is no account ${user} on this machine: it is left out` : `: ${account.uid} is ${user} on this machine`;
    losses.changed(name, 'user', `kubernetes takes numbers${number}`);
  }
  if (group !== null) losses.lost(name, 'group', 'kubernetes takes the number of a group that the image knows');
  const needsVolume = sandbox?.privateTmp === true || (sandbox?.writable ?? []).length > 0;
  if (needsVolume) losses.lost(name, 'sandbox', 'of it, private_tmp and writable: a volume that is mounted there is writable');
  const found = {
    allowPrivilegeEscalation: sandbox?.noNewPrivileges === true ? false : undefined,
    readOnlyRootFilesystem: sandbox?.readOnlyRoot || undefined,
    runAsUser: account?.uid,
    runAsGroup: account?.gid,
    capabilities: capabilities.length === 0 ? undefined : { drop: ['ALL'], add: capabilities.map(bareCapability) },
  };
  return Object.values(found).every((one) => one === undefined) ? undefined : found;
}

/** The values of env files, and of variables that are secret. */
function secret(spec: ServiceSpec, context: ExportContext): object | null {
  const { files, variables, secrets } = splitEnv(spec, context, { filesWin: false });
  if (files.length === 0 && Object.keys(secrets).length === 0) return null;
  context.losses.changed(spec.name, 'env.file', 'its values stand in a Secret as they are now');
  return {
    apiVersion: 'v1', kind: 'Secret', metadata: meta(spec, '-env'),
    stringData: Object.fromEntries(Object.entries(spec.env).filter(([name]) => variables[name] === undefined)),
  };
}

function network(spec: ServiceSpec): object | null {
  const port = portOf(spec.check);
  if (port === null || isTask(spec)) return null;
  return {
    apiVersion: 'v1', kind: 'Service', metadata: meta(spec), spec: { selector: labels(spec), ports: [{ port, targetPort: port }] },
  };
}

/** Nothing waits across workloads: a pod tries until the port of the other one answers. */
function waits({ name, dependsOn }: ServiceSpec, { services, losses }: ExportContext): readonly object[] {
  return dependsOn.flatMap((edge) => {
    const { service, condition } = edge;
    const other = services.find((one) => one.name === service);
    const port = other === undefined || isTask(other) ? null : portOf(other.check);
    if (restartsWith(edge)) losses.lost(name, 'depends_on', `nothing restarts with ${service}`);
    if (port === null || condition !== 'healthy') {
      const what = condition === 'completed' ? `the Job ${slug(service)}` : condition === 'healthy' ? `${service}, whose check names no port` : service;
      losses.lost(name, 'depends_on', `nothing waits for ${what}`);
      return [];
    }
    losses.changed(name, 'depends_on', `it waits until port ${port} of the Service ${slug(service)} answers, which it does when a pod of it is ready`);
    return [{
      name: `wait-for-${slug(service)}`.slice(0, 63).replace(/-+$/, ''), image: 'busybox:1.37',
      command: ['/bin/sh', '-c', `until nc -z ${slug(service)} ${port}; do sleep 2; done`],
    }];
  });
}

function lifecycle({ name, hooks }: ServiceSpec, { losses }: ExportContext): object | undefined {
  const started = hooks.find(({ stage, outcome }) => stage === 'on_start' && outcome === 'success');
  if (started === undefined) return undefined;
  losses.changed(name, 'hooks.on_start.success', 'it runs beside the start of the container, without the variables of sysg');
  return { postStart: { exec: { command: ['/bin/sh', '-c', started.command] } } };
}

/** `$(NAME)` would be replaced in commands, arguments and variables. */
function references(text: string): string {
  return text.replaceAll('$(', () => '$$(');
}
