import { findGroup, findUser, groupName, userName } from '../process/accounts.ts';
import { signalNamed } from '../signals.ts';
import { formatDuration, numbersIn } from '../words.ts';
import type { Plain, Sourced } from '../yaml-text.ts';
import { composeDuration } from './compose-health.ts';
import { settled, settledText, templatesOf, type ComposeAround } from './compose-run.ts';
import { put, type Draft, type DraftBlock } from './draft.ts';
import { openReader, shown, textsOf, type Reader } from './reader.ts';
import { kernelLimit } from './reasons.ts';
import { asScript, asCommandLine } from './references.ts';

/** `restart`, and for swarm `deploy.restart_policy`. */
export function composeRestart(read: Reader, block: DraftBlock, around: ComposeAround): void {
  const restart = settled(read, 'restart', around);
  if (restart === null) return;
  const { text, from } = restart;
  const [onFailure, most] = /^on-failure(?::(\d+))?$/.exec(text) ?? [];
  if (text === 'always' || text === 'unless-stopped') put(block, 'restart_policy', 'always', from);
  else if (onFailure !== undefined) {
    put(block, 'restart_policy', 'on-failure', from);
    if (most !== undefined) put(block, 'max_restarts', Number(most));
  } else if (text !== 'no' && text !== 'false') read.lose('restart', `expected no, always, on-failure or unless-stopped, got ${JSON.stringify(text)}`);
}

export function composeDeploy(read: Reader, block: DraftBlock): void {
  const deploy = read.within('deploy');
  if (deploy === null) return;
  const rules = deploy.within('restart_policy');
  if (rules !== null) {
    const condition = rules.parsed('condition', 'none, on-failure or any', (text) => POLICIES.get(text) ?? null);
    if (!block.has('restart_policy')) put(block, 'restart_policy', condition?.value ?? 'always', rules.node);
    const [delay, window] = (['delay', 'window'] as const).map((key) => rules.parsed(key, 'a duration such as 1m30s', composeDuration));
    if (delay != null) put(block, 'backoff', formatDuration(delay.value), delay.from);
    const most = rules.number('max_attempts');
    if (most !== null) put(block, 'max_restarts', most);
    if (window != null && window.value > 0 && most !== null) put(block, 'restart_window', formatDuration(window.value), window.from);
    rules.rest({});
  }
  const replicas = deploy.number('replicas');
  if (replicas !== null && replicas !== 1) deploy.lose('replicas', `one process is run instead of ${replicas}`);
  deploy.lose('resources', kernelLimit);
  deploy.rest({}, 'it is about a cluster');
}

/** When compose restarts, by `deploy.restart_policy.condition`. */
const POLICIES: ReadonlyMap<string, string> = new Map([['none', 'never'], ['on-failure', 'on-failure'], ['any', 'always']]);

export function composeStop(read: Reader, block: DraftBlock, around: ComposeAround): void {
  const signal = settled(read, 'stop_signal', around);
  const name = signal === null ? null : signalNamed(signal.text);
  if (signal !== null && name !== null) put(block, 'stop_signal', name, signal.from);
  else if (signal !== null) read.lose('stop_signal', `expected a signal by its name, got ${JSON.stringify(signal.text)}`);
  const grace = settled(read, 'stop_grace_period', around);
  const ms = grace === null ? null : composeDuration(grace.text);
  if (grace !== null && ms !== null) put(block, 'stop_timeout', formatDuration(ms), grace.from);
  else if (grace !== null) read.lose('stop_grace_period', `expected a duration such as 1m30s, got ${JSON.stringify(grace.text)}`);
  const hook = read.take('post_start');
  const commands = (hook?.items ?? []).flatMap((item) => {
    const inner = openReader(item, read.at('post_start'), around.remarks);
    const command = inner.take('command');
    inner.rest({}, 'a hook has a command and a timeout, and runs as the supervisor');
    const templates = templatesOf(command === null ? [] : (command.items ?? [command]), inner.at('command'), around);
    const [first] = templates;
    if (first === undefined) return [];
    return [command?.items == null ? asScript(first) : asCommandLine(templates)];
  });
  if (commands.length > 0) put(block, 'hooks', { on_start: { success: { command: commands.join(' && ') } } }, hook);
}

const composeConditions: Readonly<Record<string, string>> = { service_started: 'started', service_healthy: 'healthy', service_completed_successfully: 'completed' };

/** Those that another one waits for to be completed. */
export function completedServices(services: readonly Sourced[], conditions = composeConditions): ReadonlySet<string> {
  const edges = services.flatMap(({ entries }) => [...(entries?.get('depends_on')?.entries ?? [])]);
  return new Set(edges.filter(([, { entries }]) => conditions[String(entries?.get('condition')?.value)] === 'completed').map(([name]) => name));
}

/** Compose waits once, at its own start, and restarts a dependent only where `restart: true` says so. */
export function composeDependencies(read: Reader, block: DraftBlock, around: ComposeAround, conditions = composeConditions): void {
  const found = read.take('depends_on');
  if (found === null) return;
  const listed = found.items?.map((item) => [String(item.value), item] as const) ?? [...(found.entries ?? [])];
  const needed = listed.flatMap(([name, node]): Plain[] => {
    const key = read.at(`depends_on.${name}`);
    if (!around.names.has(name)) {
      if (node.entries?.get('required')?.value !== false) around.remarks.lost(node, key, `there is no service '${name}'`);
      return [];
    }
    const condition = String(node.entries?.get('condition')?.value ?? Object.keys(conditions)[0]);
    if (conditions[condition] === undefined)
      around.remarks.changed(node, key, `expected one of ${Object.keys(conditions).join(', ')}, got ${condition}; it waits for the start`);
    const isRestarted = node.entries?.get('restart')?.value === true;
    return [{ service: name, condition: conditions[condition] ?? 'started', on_restart: isRestarted ? 'restart' : 'ignore' }];
  });
  if (needed.length > 0) put(block, 'depends_on', needed, found);
}

/** A service without a check that sysg can make never becomes healthy: its dependents wait for its start. */
export function withoutBlindWaits({ services, remarks }: Draft): void {
  const checked = new Set(services.filter(({ block }) => block.has('health_check')).map(({ name }) => name));
  for (const { name, block } of services) {
    const needed = block.get('depends_on');
    if (needed === undefined || !Array.isArray(needed.value)) continue;
    needed.value = (needed.value as readonly { readonly service: string; readonly condition: string; readonly on_restart: string }[]).map((one) => {
      if (one.condition !== 'healthy' || checked.has(one.service)) return one;
      if (needed.from !== null)
        remarks.changed(needed.from, `${name}.depends_on.${one.service}`, `'${one.service}' has no health check here, so its start is waited for`);
      return { ...one, condition: 'started' };
    });
  }
}

export function composeLimits(read: Reader, block: DraftBlock, around: ComposeAround): void {
  const { remarks } = around;
  account(read, block, around);
  read.lose('group_add', 'these are groups of the container; supplementary_groups takes those of this machine');
  const limits: DraftBlock = new Map();
  for (const [name, node] of read.take('ulimits')?.entries ?? []) {
    const value = node.value ?? node.entries?.get('hard')?.value ?? node.entries?.get('soft')?.value ?? null;
    const key = read.at(`ulimits.${name}`);
    if (!['nofile', 'nproc', 'memlock'].includes(name)) remarks.lost(node, key, 'limits are nofile, nproc and memlock');
    else if (value === null || !/^-?\d+$/.test(String(value))) remarks.lost(node, key, `expected a number, got ${shown(node)}`);
    else {
      put(limits, name, Number(value) < 0 ? 'unlimited' : Number(value), node);
      const soft = node.entries?.get('soft');
      if (soft !== undefined && soft.value !== value) remarks.changed(node, key, 'soft and hard limit are the same here');
    }
  }
  const cpus = settled(read, 'cpuset', around);
  const numbers = numbersIn(cpus?.text ?? '');
  if (cpus !== null && numbers.length > 0) put(limits, 'cpu_affinity', numbers, cpus.from);
  if (limits.size > 0) put(block, 'limits', limits, null);
  for (const key of ['cap_add', 'cap_drop'])
    read.lose(key, 'a container begins with some capabilities, a service with those of its user; "capabilities" lists what a service of root keeps');
  const profiles = read.take('profiles');
  const names = textsOf(profiles);
  if (names.length > 0) put(block, 'profiles', [...names], profiles);
  rotation(read, block, around);
}

/** Accounts of the container are seldom those of the machine. */
function account(read: Reader, block: DraftBlock, around: ComposeAround): void {
  const user = settled(read, 'user', around);
  if (user === null) return;
  const [written = '', ofGroup = ''] = user.text.split(':');
  const name = /^\d+$/.test(written) ? userName(Number(written)) : written;
  if (name !== '' && findUser(name) !== null) {
    put(block, 'user', name, user.from);
    read.change('user', `an account of the container; here it is ${name} of this machine, and only root can switch to it`);
  } else if (written !== '') read.lose('user', `there is no account ${written} on this machine`);
  const group = /^\d+$/.test(ofGroup) ? groupName(Number(ofGroup)) : ofGroup;
  if (group !== '' && findGroup(group) !== null) put(block, 'group', group, user.from);
  else if (group !== '') read.lose('user', `there is no group ${ofGroup} on this machine`);
}

function rotation(read: Reader, block: DraftBlock, around: ComposeAround): void {
  const logging = read.within('logging');
  if (logging === null) return;
  logging.lose('driver', 'sysg keeps logs in its own directory; logs.logger is a command that gets them');
  const options = logging.within('options');
  const [size, files] = [options?.take('max-size') ?? null, options?.take('max-file') ?? null];
  const bytes = size === null ? null : (settledText(size, logging.at('options.max-size'), around)?.text.toUpperCase() ?? null);
  const rotate = {
    ...(bytes !== null && /^\d+[KMG]?$/.test(bytes) && { size: bytes }),
    ...(files !== null && Number(files.value) >= 1 && { keep: Number(files.value) - 1 }),
  };
  if (Object.keys(rotate).length > 0) put(block, 'logs', { rotate }, logging.node);
  options?.rest({});
  logging.rest({});
}
