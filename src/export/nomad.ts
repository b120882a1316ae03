import type { ServiceSpec } from '../../machines/types.ts';
import { formatDuration } from '../words.ts';
import { withoutNothing } from './compose.ts';
import { argvOf, isTask, type ExportContext, type ExportedFile } from './context.ts';
import { slug } from './kubernetes.ts';
import { portOf } from './kubernetes-probes.ts';
import { loseAll } from './losses.ts';
import { after, before, jobId, logConfig, task } from './nomad-task.ts';
import { crontabOf } from './schedule.ts';

const none = 'nomad has nothing like it';

const reasons: Readonly<Record<string, string>> = {
  'stable_after no_restart_exit_codes kill_mode stop_command spawn skip profiles sandbox supplementary_groups group cron.catch_up': none,
  'health_check.log health_check.notify_fd hooks.on_restart hooks.on_start.error hooks.on_stop.error deployment.on_address_in_use': none,
  'limits.nice limits.cpu_affinity limits.cgroup.cpu_max limits.cgroup.cpu_weight limits.cgroup.root logs.logger logs.rotate.compress': none,
  success_exit_codes: 'nomad knows 0 alone',
  essential: 'the nearest, a leader, is about the tasks of one group',
  'health_check.expect_status': 'a check takes 2xx',
  'deployment.health_check': 'the check of the service decides about an update',
  'logs.via': 'nomad keeps what is written to standard output',
  'backoff.max backoff.factor': 'the pause between restarts is always the same',
  'backoff.jitter': 'nomad adds up to a quarter',
};

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
  if (blueGreen !== null) context.losses.changed(name, 'deployment.blue_green', 'a canary that is promoted by itself stands for the two slots; switch_command is not run');
  const tasks = [
    ...before(spec, context),
    { ...task(spec, context, slug(name), argvOf(spec)), KillSignal: spec.stopSignal, KillTimeout: ns(stopTimeoutMs) },
    ...after(spec, context),
  ];
  return {
    ID: id, Name: id, Type: isService ? 'service' : 'batch', Datacenters: ['*'],
    Periodic: cron === null ? undefined : periodic(spec, context),
    Update: !isService || deployment.strategy !== 'rolling' ? undefined : {
      MaxParallel: 1,
      MinHealthyTime: ns(deployment.gracePeriodMs),
      HealthyDeadline: ns(Math.max(deployment.gracePeriodMs + 1000, (check?.startPeriodMs ?? 0) + (check?.timeoutMs ?? 60_000))),
      ProgressDeadline: ns(Math.max(600_000, 2 * (check?.timeoutMs ?? 0) + deployment.gracePeriodMs + 2000)),
      AutoRevert: true,
      ...(blueGreen !== null && { Canary: 1, AutoPromote: true }),
    },
    TaskGroups: [{
      Name: slug(name), Count: 1, RestartPolicy: restartPolicy(spec, context), Services: services(spec, context), Networks: networks(spec),
      EphemeralDisk: disk(spec, context, tasks.length), Tasks: tasks,
    }],
  };
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

function restartPolicy({ name, restart, cron }: ServiceSpec, { losses }: ExportContext): object {
  if (cron !== null || restart.mode === 'never') return { Attempts: 0, Mode: 'fail', Interval: ns(60_000), Delay: ns(1000) };
  if (restart.mode === 'on-failure' && !restart.oneshot) losses.changed(name, 'restart_policy', 'a task of a service is also restarted when it ends with 0');
  const { backoff, maxRestarts, windowMs } = restart;
  if (maxRestarts === null) return { Attempts: 1, Interval: ns(Math.max(SHORTEST_INTERVAL_MS, backoff.initialMs + 1000)), Delay: ns(Math.max(1, backoff.initialMs)), Mode: 'delay' };
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
  const { probe } = check;
  const url = probe.kind === 'url' ? new URL(probe.url) : null;
  if (probe.kind === 'command') {
    losses.lost(name, 'health_check', 'a check by a command needs Consul, and none of it is written');
    return undefined;
  }
  if (url === null && probe.kind !== 'tcp') return undefined;
  losses.changed(name, 'health_check', 'start_period and timeout of the readiness as a whole are not said');
  const made = {
    Name: `${slug(name)}-check`,
    Type: url === null ? 'tcp' : 'http',
    ...(url !== null && { Path: `${url.pathname}${url.search}`, Protocol: url.protocol.slice(0, -1) }),
    Interval: ns(Math.max(1000, check.intervalMs)),
    Timeout: ns(Math.max(1000, check.attemptTimeoutMs ?? Math.min(check.timeoutMs, check.intervalMs))),
    ...(check.onUnhealthy === 'restart' && { CheckRestart: { Limit: check.retries, Grace: ns(check.startPeriodMs + check.timeoutMs) } }),
  };
  return [{ Name: slug(name), Provider: 'nomad', PortLabel: portLabel, Checks: [made] }];
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
    Enabled: crontab !== null && spec.skip !== true, Spec: crontab?.schedule ?? '0 0 1 1 *', SpecType: 'cron', ProhibitOverlap: true,
    TimeZone: spec.cron?.timezone ?? 'Local',
  };
}

/** The API has durations as nanoseconds. */
function ns(ms: number): number {
  return Math.round(ms) * 1_000_000;
}
