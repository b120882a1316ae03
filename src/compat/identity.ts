import { digest } from '../config/definition.ts';
import type { SourceNode } from '../config/document.ts';
import type { EnvBlock } from '../config/env.ts';
import { interpolate, type Scope } from '../config/interpolate.ts';
import { valueAt } from '../config/place.ts';
import type { Identify, IdentityBlock } from '../config/service.ts';
import { parseLimit } from '../words.ts';

/** How a value of 0.33.0's service definition is serialised. */
type Shape =
  | 'text' | 'command' | 'skip' | 'literal' | 'limit' | 'names' | 'cron'
  | { readonly list: Shape }
  | { readonly fields: readonly (readonly [key: string, shape: Shape])[] };

const check: Shape = { fields: [['url', 'text'], ['command', 'command'], ['interval', 'text'], ['timeout', 'text'], ['retries', 'literal']] };
const hook: Shape = { fields: [['command', 'command'], ['timeout', 'text']] };
const hookStage: Shape = { fields: [['success', hook], ['error', hook]] };

const blueGreen: Shape = {
  fields: [
    ['env_var', 'text'], ['slots', { list: 'text' }], ['switch_command', 'command'], ['candidate_health_check', check], ['switch_verify', check],
    ['state_path', 'text'],
  ],
};

/** The fields after `command` and `env`, in the order of declaration, which is that of the JSON. */
const fields: readonly (readonly [key: string, shape: Shape])[] = [
  ['user', 'text'], ['group', 'text'], ['supplementary_groups', { list: 'text' }],
  ['limits', {
    fields: [
      ['nofile', 'limit'], ['nproc', 'limit'], ['memlock', 'limit'], ['nice', 'literal'], ['cpu_affinity', { list: 'literal' }],
      ['cgroup', { fields: [['root', 'text'], ['memory_max', 'text'], ['cpu_max', 'text'], ['cpu_weight', 'literal']] }],
    ],
  }],
  ['capabilities', { list: 'text' }],
  ['isolation', {
    fields: [
      ['network', 'literal'], ['mount', 'literal'], ['pid', 'literal'], ['user', 'literal'], ['seccomp', 'text'],
      ['apparmor_profile', 'text'], ['selinux_context', 'text'], ['private_devices', 'literal'], ['private_tmp', 'literal'],
    ],
  }],
  ['restart_policy', 'text'],
  ['backoff', { fields: [['initial', 'text'], ['max', 'text'], ['factor', 'literal'], ['jitter', 'literal']] }],
  ['max_restarts', 'literal'], ['depends_on', { list: 'names' }],
  ['deployment', { fields: [['strategy', 'text'], ['pre_start', 'command'], ['health_check', check], ['grace_period', 'text'], ['blue_green', blueGreen]] }],
  ['hooks', { fields: [['on_start', hookStage], ['on_stop', hookStage], ['on_restart', hookStage]] }],
  ['cron', 'cron'], ['skip', 'skip'],
  ['spawn', {
    fields: [
      ['mode', 'text'],
      ['limits', { fields: [['children', 'literal'], ['depth', 'literal'], ['descendants', 'literal'], ['total_memory', 'text'], ['termination_policy', 'text']] }],
    ],
  }],
];

/** The JSON that systemg 0.33.0 hashes for a service block: its own keys only, names of variables sorted. */
export function identityJson({ block, command, env, scope }: IdentityBlock): string {
  const rest = fields.map(([key, shape]) => `${JSON.stringify(key)}:${JSON.stringify(serialise(valueAt(block, key), shape, scope))}`);
  return `{"command":${JSON.stringify(command)},"env":${envJson(env)},${rest.join(',')}}`;
}

/** The hashes by which systemg 0.33.0 knows services. Of equal blocks the first by name keeps 0.33.0's; the others add NUL and their name. */
export const identify: Identify = (blocks) => {
  const taken = new Set<string>();
  return new Map([...blocks].toSorted(([left], [right]) => byBytes(left, right)).map(([name, block]) => {
    const json = identityJson(block);
    const hash = digest(taken.has(json) ? `${json}\0${name}` : json);
    taken.add(json);
    return [name, hash];
  }));
};

/** Ascending by UTF-8 bytes, the order in which 0.33.0 compares names. */
function byBytes(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}

/** Joined by hand: an object would move names that look like array indices to the front. */
function envJson(blocks: readonly EnvBlock[]): string {
  if (blocks.length === 0) return 'null';
  const vars = new Map(blocks.flatMap((block) => [...block.vars]));
  const sorted = [...vars.keys()].toSorted(byBytes).map((name) => `${JSON.stringify(name)}:${JSON.stringify(vars.get(name))}`);
  const file = blocks.findLast((block) => block.file !== null)?.file ?? null;
  return `{"file":${JSON.stringify(file)},"vars":${vars.size === 0 ? 'null' : `{${sorted.join(',')}}`}}`;
}

function serialise(node: SourceNode | null, shape: Shape, scope: Scope): unknown {
  if (node === null) return null;
  if (shape === 'cron') {
    if (node.kind === 'scalar') return { expression: interpolate(node.text, scope, 'text').text, timezone: null };
    return serialise(node, { fields: [['expression', 'text'], ['timezone', 'text']] }, scope);
  }
  if (shape === 'names' && node.kind === 'map') return serialise(valueAt(node, 'service'), 'text', scope);
  if (typeof shape === 'object' && 'fields' in shape && node.kind === 'map') {
    return Object.fromEntries(shape.fields.map(([key, inner]) => [key, serialise(valueAt(node, key), inner, scope)]));
  }
  if (typeof shape === 'object' && 'list' in shape && node.kind === 'list') return node.items.map((item) => serialise(item, shape.list, scope));
  if (node.kind !== 'scalar') return null;
  if (shape === 'literal' || (shape === 'skip' && typeof node.value === 'boolean')) return node.value;
  if (shape === 'limit') {
    const parsed = parseLimit(node.text);
    return parsed.ok ? parsed.value : null;
  }
  return interpolate(node.text, scope, shape === 'command' || shape === 'skip' ? 'script' : 'text').text;
}
