import { join } from 'node:path';
import { restartsWith } from '../../machines/order.ts';
import type { Dependency, ServiceSpec } from '../../machines/types.ts';
import { resolveProgram } from '../process/program.ts';
import { argvOf, boundsOf, checkCommand, execLine, isTask, secretFile, splitEnv, type ExportContext, type ExportedFile, type SplitEnv } from './context.ts';
import { refuse, type Refused } from '../errors.ts';
import { formatSize } from '../words.ts';
import { loseAll } from './losses.ts';
import { calendarOf } from './schedule.ts';

const none = 'systemd has nothing like it';

/** What no directive says, in a service of any shape. */
const reasons: Readonly<Record<string, string>> = {
  stable_after: 'systemd counts starts within a time, and forgives none',
  essential: 'the nearest, FailureAction, is about the whole machine',
  spawn: none,
  profiles: 'each unit is enabled or not by itself',
  'logs.rotate': 'journald rotates its own files',
  'logs.logger logs.via': 'output goes to the journal',
  'deployment.strategy deployment.grace_period deployment.health_check deployment.on_address_in_use': 'a restart of systemd ends the old process first',
  'deployment.blue_green': 'systemd knows no slots',
  'health_check.log': 'systemd does not read the output',
  'health_check.notify_fd': 'systemd has sd_notify(3) instead, which the program would have to call',
  'health_check.expect_status': 'curl(1) takes 2xx and 3xx',
  'health_check.retries': 'the check is made until it passes once; nothing looks after that',
  'health_check.on_unhealthy': 'nothing looks once the service is up',
  'hooks.on_restart': 'a restart is a stop and a start',
  'hooks.on_start.error': 'ExecStartPost runs after a start that worked',
  'isolation.pid': 'PrivatePIDs is there from systemd 257 on',
  'limits.cgroup.root': 'systemd has control groups of its own',
};

/** A unit for each service, and a timer for each cron unit. They are units of a user or, with `User=`, of the system. */
export function exportSystemd(context: ExportContext): readonly ExportedFile[] | Refused {
  for (const { name, workingDir } of context.services)
    for (const path of [workingDir, ...context.keys.envFiles(name)])
      if (/[\n\r]/.test(path)) return refuse(`${name}: a unit of systemd cannot name ${JSON.stringify(path)}: expected paths without a line end`);
  return context.services.flatMap((spec) => {
    loseAll(context.losses, spec.name, reasons);
    const environment = splitEnv(spec, context, { filesWin: true });
    const secrets = secretFile(spec, `${unitName(spec.name)}.env`, environment.secrets, context);
    const unit = { name: `${unitName(spec.name)}.service`, text: service(spec, context, environment, secrets) };
    const timer = spec.cron === null ? null : timerOf(spec, context);
    return [unit, ...(timer === null ? [] : [{ name: `${unitName(spec.name)}.timer`, text: timer }]), ...(secrets === null ? [] : [secrets])];
  });
}

/** systemd.unit(5): letters, digits and a few signs; anything else by its code, as systemd-escape(1) does. */
function unitName(name: string): string {
  return [...Buffer.from(name)].map((byte, index) => {
    const char = String.fromCodePoint(byte);
    return /[A-Za-z0-9:_-]/.test(char) || (char === '.' && index > 0) ? char : `\\x${byte.toString(16).padStart(2, '0')}`;
  }).join('');
}

type Line = readonly [key: string, value: string | number | boolean | null | undefined];

function section(name: string, lines: readonly Line[]): string {
  const written = lines.flatMap(([key, value]) => (value == null ? [] : [`${key}=${typeof value === 'boolean' ? (value ? 'yes' : 'no') : value}`]));
  return written.length === 0 ? '' : `[${name}]\n${written.join('\n')}\n`;
}

function service(spec: ServiceSpec, context: ExportContext, environment: SplitEnv, secrets: ExportedFile | null): string {
  const { restart, cron, stopCommand, killMode, skip, preStart } = spec;
  return [
    section('Unit', [['Description', plain(spec.name)], ...dependencies(spec), ...startLimit(spec, context)]),
    section('Service', [
      ['Type', isTask(spec) ? 'oneshot' : 'exec'],
      ...(restart.oneshot && cron === null ? [['RemainAfterExit', true] as const] : []),
      // A blank at the end would not be a part of it.
      ['WorkingDirectory', plain(spec.workingDir.replace(/\s$/, '$&/'))],
      ...[...environment.files, ...(secrets === null ? [] : [join(context.target, secrets.name)])].map((file): Line => ['EnvironmentFile', plain(unglobbed(file))]),
      ...Object.entries(environment.variables).map(([name, value]): Line => ['Environment', assigned(`${name}=${value}`)]),
      ...(skip === false ? [] : [['ExecCondition', skip === true ? '/bin/false' : script(`! { ${skip}\n}`)] as const]),
      ['ExecStartPre', preStart === null ? null : script(preStart)],
      ['ExecStart', execStart(spec, context)],
      ...waitLoop(spec, context),
      ...startHooks(spec, context),
      ['ExecStop', stopCommand === null ? null : script(stopCommand)],
      ...stopHooks(spec, context),
      ...restartLines(spec, context),
      ['SuccessExitStatus', listed(restart.successExitCodes.filter((code) => code !== 0))],
      ['RestartPreventExitStatus', listed(restart.noRestartExitCodes)],
      ['KillSignal', spec.stopSignal],
      ['KillMode', killMode === 'mixed' ? 'mixed' : null],
      ['TimeoutStopSec', spec.stopTimeoutMs === 0 ? 1 : seconds(spec.stopTimeoutMs)],
      ['TimeoutStartSec', startTimeout(spec)],
      ...privileges(spec, context),
    ]),
    cron === null ? section('Install', [['WantedBy', 'default.target']]) : '',
  ].filter((text) => text !== '').join('\n');
}

function dependencies({ dependsOn }: ServiceSpec): readonly Line[] {
  const units = (some: readonly Dependency[]): string | null => listed(some.map(({ service: name }) => `${unitName(name)}.service`));
  const bound = dependsOn.filter(restartsWith);
  return [
    ['After', units(dependsOn)],
    ['Requires', units(dependsOn.filter((edge) => !restartsWith(edge)))],
    ['BindsTo', units(bound)],
    ['PartOf', units(bound)],
  ];
}

function startLimit({ name, restart, cron }: ServiceSpec, { losses }: ExportContext): readonly Line[] {
  if (restart.maxRestarts === null || cron !== null) return [['StartLimitIntervalSec', 0]];
  if (restart.windowMs === null) losses.changed(name, 'max_restarts', 'systemd counts all starts of a day, and not failures in a row');
  // The first start counts, too.
  return [['StartLimitIntervalSec', restart.windowMs === null ? '1d' : seconds(restart.windowMs)], ['StartLimitBurst', restart.maxRestarts + 1]];
}

function execStart(spec: ServiceSpec, { searchPath, losses }: ExportContext): string {
  const [program = '', ...words] = argvOf(spec);
  const found = resolveProgram(program, spec.env['PATH'] ?? searchPath, spec.workingDir);
  if (found.ok) return [assigned(found.path), ...words.map(quoted)].join(' ');
  for (const key of ['exec', 'command']) losses.changed(spec.name, key, `${program} was not found on this machine; a shell looks for it`);
  return script(execLine(spec));
}

/** What is after it waits until the check has passed: the service is being started for that long. */
function waitLoop(spec: ServiceSpec, { losses }: ExportContext): readonly Line[] {
  const { check, name } = spec;
  if (check === null || isTask(spec)) return [];
  const command = checkCommand(check);
  if (command === null) return [];
  losses.changed(name, 'health_check', 'it is made until it passes once, by ExecStartPost; nothing looks after that');
  const before = check.startPeriodMs === 0 ? '' : `sleep ${check.startPeriodMs / 1000}; `;
  return [['ExecStartPost', script(`${before}until ( ${command}\n); do sleep ${check.intervalMs / 1000}; done`)]];
}

function startTimeout({ check, cron, restart }: ServiceSpec): string {
  const limitMs = cron !== null ? cron.timeoutMs : restart.oneshot || check === null ? null : check.startPeriodMs + check.timeoutMs;
  return limitMs === null ? 'infinity' : seconds(limitMs);
}

/** A failing hook fails nothing. */
function startHooks({ name, hooks }: ServiceSpec, { losses }: ExportContext): readonly Line[] {
  return hooks.filter(({ stage, outcome }) => stage === 'on_start' && outcome === 'success').map(({ command }): Line => {
    losses.changed(name, 'hooks.on_start.success', 'it runs without the variables of sysg, before anything that waits for the service');
    return ['ExecStartPost', `-${script(command)}`];
  });
}

/** ExecStopPost runs after every end, also of a start that failed. */
function stopHooks({ name, hooks }: ServiceSpec, { losses }: ExportContext): readonly Line[] {
  return hooks.filter(({ stage }) => stage === 'on_stop').map(({ outcome, command }): Line => {
    losses.changed(name, `hooks.on_stop.${outcome}`, 'it runs after every end, and learns of it by $SERVICE_RESULT instead of the variables of sysg');
    return ['ExecStopPost', script(`if [ "$SERVICE_RESULT" ${outcome === 'success' ? '=' : '!='} success ]; then ${command}\nfi`)];
  });
}

function restartLines({ name, restart, cron }: ServiceSpec, { losses }: ExportContext): readonly Line[] {
  if (cron !== null || restart.mode === 'never') return [['Restart', 'no']];
  const { initialMs, maxMs, factor, jitter } = restart.backoff;
  const grows = factor > 1 && maxMs > initialMs;
  if (grows) losses.changed(name, 'backoff', 'the pause does not grow: RestartSteps and RestartMaxDelaySec are there from systemd 254 on');
  if (jitter > 0) losses.lost(name, 'backoff.jitter', none);
  return [['Restart', restart.mode === 'always' && !restart.oneshot ? 'always' : 'on-failure'], ['RestartSec', initialMs === 0 ? 0 : seconds(initialMs)]];
}

function privileges(spec: ServiceSpec, { losses }: ExportContext): readonly Line[] {
  const { name, privileges: { user, group, supplementaryGroups, capabilities, limits, isolation, sandbox } } = spec;
  const { cgroup } = limits;
  const { memoryBytes, cpus } = boundsOf(spec);
  const limit = (value: number | null | undefined): string | number | null => (value === undefined ? null : (value ?? 'infinity'));
  const isBound = cgroup?.memoryMax !== undefined || cgroup?.cpuMax !== undefined;
  if (isBound) losses.changed(name, 'limits.cgroup', 'systemd keeps it where the unit may have the controller: of a user it needs delegation');
  return [
    ['User', user],
    ['Group', group],
    ['SupplementaryGroups', supplementaryGroups === null ? null : supplementaryGroups.join(' ')],
    ['LimitNOFILE', limit(limits.nofile)],
    ['LimitNPROC', limit(limits.nproc)],
    ['LimitMEMLOCK', limit(limits.memlock)],
    ['Nice', limits.nice],
    ['CPUAffinity', limits.cpuAffinity?.join(' ')],
    ['MemoryMax', cgroup?.memoryMax === 'max' ? 'infinity' : memoryBytes === null ? null : formatSize(memoryBytes)],
    ['CPUQuota', cpus === null ? null : `${Math.max(1, Math.round(cpus * 100))}%`],
    ['CPUWeight', cgroup?.cpuWeight],
    ['CapabilityBoundingSet', listed(capabilities)],
    ['AmbientCapabilities', listed(capabilities)],
    ['PrivateNetwork', isolation.network || null],
    ['PrivateMounts', isolation.mount || null],
    ['PrivateUsers', isolation.user || null],
    ['NoNewPrivileges', sandbox?.noNewPrivileges || null],
    ['ProtectSystem', sandbox?.readOnlyRoot === true ? 'strict' : null],
    ['PrivateTmp', sandbox?.privateTmp || null],
    ['ReadWritePaths', listed(sandbox?.writable.map(assigned) ?? [])],
  ];
}

function timerOf({ name, cron }: ServiceSpec, { losses }: ExportContext): string | null {
  if (cron === null) return null;
  if (cron.overlap !== 'skip') losses.lost(name, 'cron.overlap', 'a timer starts nothing while its service runs');
  if (cron.catchUp === 'last') losses.changed(name, 'cron.catch_up', 'Persistent=yes makes up for a run that was missed while the timer was off');
  const calendar = calendarOf(cron);
  return [
    section('Unit', [['Description', `Runs of ${plain(name)}`]]),
    section('Timer', [['OnCalendar', calendar], ['AccuracySec', '1s'], ['Persistent', cron.catchUp === 'last' || null]]),
    section('Install', [['WantedBy', 'timers.target']]),
  ].join('\n');
}

function listed(words: readonly (string | number)[]): string | null {
  return words.length === 0 ? null : words.join(' ');
}

function seconds(ms: number): string {
  return `${ms / 1000}s`;
}

function script(text: string): string {
  return `/bin/sh -c ${quoted(text)}`;
}

/** A value in which specifiers are text (systemd.unit(5)); with a backslash at its end the line would go on. */
function plain(text: string): string {
  return text.replaceAll('%', '%%').replaceAll(/\p{Cc}/gu, ' ').replace(/\\$/, '\\ ');
}

/** A path that is a pattern of glob(7), and the same path: systemd.exec(5). */
function unglobbed(path: string): string {
  return path.replaceAll(/[*?[\\]/g, (sign) => `\\${sign}`).replace(/\s$/, '[$&]');
}

/** One word of a command line in which nothing is replaced: systemd.service(5). */
function quoted(text: string): string {
  return assigned(text.replaceAll('$', () => '$$'));
}

/** A value between quotes where it needs them: systemd.syntax(7). */
function assigned(text: string): string {
  const kept = text.replaceAll('%', '%%');
  if (/^[\w@+=:,./%$-]+$/.test(kept)) return kept;
  return `"${kept
    .replaceAll(/[\\"]/g, (sign) => `\\${sign}`)
    .replaceAll('\n', '\\n')
    .replaceAll('\t', '\\t')
    .replaceAll(/\p{Cc}/gu, (sign) => `\\u${(sign.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`)}"`;
}
