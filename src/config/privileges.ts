import type { PrivilegeSpec, SpawnSpec } from '../../machines/types.ts';
import { parseSize } from '../words.ts';
import { choice, either, filled, flag, integer, limit, list, meaning, size, verbatim, worded, type JsonSchema, type Kind } from './kind.ts';
import { complain, noteFormer } from './place.ts';
import { defaultsOf, nullable, optional, record, withDefault, type Values } from './record.ts';

/** capabilities(7) */
const capabilityNames = `CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE
  NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE
  SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM
  BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE`.split(/\s+/).map((name) => `CAP_${name}`);

/** cgroup v2: `max` or bytes for memory.max, `<quota|max> [period]` in microseconds for cpu.max; written verbatim. */
const memoryMax = worded<string>((value) => {
  const parsed = parseSize(value);
  return value === 'max' || parsed.ok ? { ok: true, value } : { ...parsed, expected: "'max' or a size such as 512M" };
}, { type: ['string', 'integer'] });
const cpuMax = worded<string>((value) => (
  /^(max|\d+)(\s+\d+)?$/.test(value.trim())
    ? { ok: true, value }
    : { ok: false, expected: "'max' or a quota and a period in microseconds such as '50000 100000'", hint: shareAsQuota(value.trim()) }
), { type: ['string', 'integer'] });
const absolutePath = verbatim((value) => value.startsWith('/'), 'an absolute path', { type: 'string', pattern: '^/' });

const cgroupKeys = {
  root: withDefault(absolutePath, 'Directory under which a group per service is made.', '/sys/fs/cgroup/systemg'),
  memory_max: nullable(memoryMax, 'memory.max'),
  cpu_max: nullable(cpuMax, 'cpu.max'),
  cpu_weight: nullable(integer(1, 10_000), 'cpu.weight'),
};

const limitKeys = {
  nofile: nullable(limit, 'Open files.'),
  nproc: nullable(limit, 'Processes of the user.'),
  memlock: nullable(limit, 'Locked memory in bytes.'),
  nice: nullable(integer(-20, 19), 'Scheduling priority; -20 is the most favourable.'),
  cpu_affinity: nullable(list(integer(0, 1023), 'a list of CPU numbers', 1), 'CPUs it may run on.'),
  cgroup: nullable(record(cgroupKeys, 'cgroup keys'), 'Control group (cgroup v2, root only).'),
};

const isolationKeys = {
  network: withDefault(flag, 'Own network namespace.', false),
  mount: withDefault(flag, 'Own mount namespace.', false),
  pid: withDefault(flag, 'Own pid namespace.', false),
  user: withDefault(flag, 'Own user namespace.', false),
  private_devices: optional(unenforced({ const: false }), 'Accepted by systemg 0.33.0 and never enforced; refused when set.'),
  private_tmp: optional(unenforced({ const: false }), 'Accepted by systemg 0.33.0 and never enforced; refused when set.'),
  seccomp: optional(unenforced({ type: 'null' }), 'Accepted by systemg 0.33.0 and never enforced; refused.'),
  apparmor_profile: optional(unenforced({ type: 'null' }), 'Accepted by systemg 0.33.0 and never enforced; refused.'),
  selinux_context: optional(unenforced({ type: 'null' }), 'Accepted by systemg 0.33.0 and never enforced; refused.'),
};

const sandboxKeys = {
  no_new_privs: withDefault(flag, 'No setuid program and no file capability gives it more rights.', false),
  read_only_root: withDefault(flag, 'All files are read-only, but for devices, /proc, /sys and what `writable` and `private_tmp` except (root only).', false),
  private_tmp: withDefault(flag, 'An empty /tmp and /var/tmp of its own, gone with its last process (root only).', false),
  writable: withDefault(list(absolutePath, 'a list of absolute directories'), 'Directories that stay writable under `read_only_root`.', []),
};

type SandboxValues = Values<typeof sandboxKeys>;

/** `strict` is everything at once. */
const sandbox = either<SandboxValues>(
  meaning(choice(['strict'], "'strict' or a map of sandbox keys"), () => ({ no_new_privs: true, read_only_root: true, private_tmp: true, writable: [] })),
  meaning(record(sandboxKeys, 'sandbox keys'), (values, place) => {
    if (values.writable.length > 0 && !values.read_only_root) complain(place, "'writable' says nothing without 'read_only_root: true'");
    return values;
  }),
);

export const privilegeKeys = {
  user: optional(filled('a user name'), 'Account it runs as.'),
  group: optional(filled('a group name'), 'Group it runs as; that of the user by default.'),
  supplementary_groups: optional(list(filled('a group name'), 'a list of group names'), 'Further groups, in place of those that the account is a member of.'),
  limits: optional(record(limitKeys, 'limits'), 'Resource limits.'),
  capabilities: withDefault(list(choice(capabilityNames, 'a capability such as CAP_NET_BIND_SERVICE'), 'a list of capabilities'), 'Capabilities it keeps.', []),
  isolation: optional(record(isolationKeys, 'isolation keys'), 'Namespaces of its own.'),
  sandbox: optional(sandbox, 'What it may not do: `strict`, or single restrictions.'),
};

export function resolvePrivileges(values: Values<typeof privilegeKeys>): PrivilegeSpec {
  const { network, mount, pid, user } = values.isolation ?? defaultsOf(isolationKeys);
  const { cpu_affinity: cpuAffinity, cgroup, ...limits } = values.limits ?? defaultsOf(limitKeys);
  const { root, memory_max: memoryMax, cpu_max: cpuMax, cpu_weight: cpuWeight } = cgroup ?? defaultsOf(cgroupKeys);
  return {
    user: values.user, group: values.group, supplementaryGroups: values.supplementary_groups, capabilities: values.capabilities,
    limits: given({ ...limits, cpuAffinity, cgroup: cgroup === undefined ? undefined : { root, ...given({ memoryMax, cpuMax, cpuWeight }) } }),
    isolation: { network, mount, pid, user },
    ...sandboxOf(values.sandbox),
  };
}

/** Nothing at all where nothing is asked for: then the definition of a unit is what it was before there were sandboxes. */
function sandboxOf(values: SandboxValues | null): Pick<PrivilegeSpec, 'sandbox'> {
  if (values === null || !(values.no_new_privs || values.read_only_root || values.private_tmp)) return {};
  const { no_new_privs: noNewPrivileges, read_only_root: readOnlyRoot, private_tmp: privateTmp, writable } = values;
  return { sandbox: { noNewPrivileges, readOnlyRoot, privateTmp, writable } };
}

const count = integer(0, 4_294_967_295);

const spawnLimitKeys = {
  children: withDefault(count, 'Children that one parent may have at a time.', 100),
  depth: withDefault(count, 'A child is allowed while its depth is below this; 1 is a child of the service itself.', 3),
  descendants: withDefault(count, 'Children of one service that may live at a time, at any depth.', 500),
  total_memory: optional(size, 'Resident memory of all children together, with what they started.'),
  termination_policy: withDefault(choice(['cascade', 'orphan', 'reparent']), 'What the end of a child means to its own children.', 'cascade'),
};

const block = record({
  mode: withDefault(choice(['static', 'dynamic']), '`dynamic` lets the service spawn children through the supervisor.', 'static'),
  limits: optional(record(spawnLimitKeys, 'spawn limits'), 'Limits of what it may spawn.'),
}, 'spawn keys');

/** `null` is a static unit. */
export const spawn: Kind<SpawnSpec | null> = meaning(block, ({ mode, limits }, place) => {
  if (mode === 'static') return null;
  if (limits === null) noteFormer(place, 'systemg 0.33.0 lets nothing be spawned without a limits map; the default limits apply');
  const { total_memory: totalMemoryBytes, termination_policy: terminationPolicy, ...counts } = limits ?? defaultsOf(spawnLimitKeys);
  return { ...counts, totalMemoryBytes, terminationPolicy };
});

/** What cannot be enforced must not be promised. */
function unenforced(schema: JsonSchema): Kind<null> {
  return {
    schema,
    read(place) {
      const isOff = place.node.kind === 'scalar' && place.node.value === false;
      if (!isOff) complain(place, `'${place.path.at(-1)}' cannot be enforced; systemg 0.33.0 accepts and ignores it`);
      return null;
    },
  };
}

/** Only the keys that have a value: an absent limit leaves what is inherited, `null` is unlimited. */
function given<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

/** `, did you mean '50000 100000'?` of the `50%`, `500m` and `0.5` processors of other programs. */
function shareAsQuota(text: string): string {
  const [, number, unit] = /^(\d+(?:\.\d+)?)(%|m)?$/.exec(text) ?? [];
  const quota = Math.round(Number(number) * 100_000 / (unit === '%' ? 100 : unit === 'm' ? 1000 : 1));
  return number === undefined ? '' : `, did you mean '${quota} 100000'?`;
}
