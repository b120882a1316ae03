import type { PrivilegeSpec } from '../../machines/types.ts';
import { didYouMean, type Parsed, parseSize } from '../words.ts';
import { filled, flag, integer, limit, list, raw, worded, type Kind } from './kind.ts';
import { below, complain, isNothing, type Place } from './place.ts';
import { optional, record, withDefault, type Values } from './record.ts';

type Limits = PrivilegeSpec['limits'];
type Isolation = PrivilegeSpec['isolation'];

/** capabilities(7) */
const capabilityNames = `CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE
  NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE
  SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM
  BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE`.split(/\s+/).map((name) => `CAP_${name}`);

const capability: Kind<string> = worded((value) => (
  capabilityNames.includes(value) ? { ok: true, value } : { ok: false, expected: 'a capability such as CAP_NET_BIND_SERVICE', hint: didYouMean(value, capabilityNames) }
), { enum: capabilityNames }, 'a capability such as CAP_NET_BIND_SERVICE');

/** cgroup v2: `max` or bytes for memory.max, `<quota|max> [period]` in microseconds for cpu.max; written verbatim. */
const memoryMax = worded(verbatim((value) => value === 'max' || parseSize(value).ok, "'max' or a size such as 512M"), { type: ['string', 'integer'] });
const cpuMax = worded(verbatim((value) => /^(max|\d+)(\s+\d+)?$/.test(value.trim()), "'max' or a quota and a period in microseconds such as '50000 100000'"), { type: ['string', 'integer'] });
const absolutePath = worded(verbatim((value) => value.startsWith('/'), 'an absolute path'), { type: 'string', pattern: '^/' });

const cgroup = record({
  root: withDefault(absolutePath, 'Directory under which a group per service is made.', '/sys/fs/cgroup/systemg'),
  memory_max: optional(memoryMax, 'memory.max'),
  cpu_max: optional(cpuMax, 'cpu.max'),
  cpu_weight: optional(integer(1, 10_000), 'cpu.weight'),
}, 'cgroup keys');

const limits = record({
  nofile: optional(raw(limit.schema), 'Open files.'),
  nproc: optional(raw(limit.schema), 'Processes of the user.'),
  memlock: optional(raw(limit.schema), 'Locked memory in bytes.'),
  nice: optional(integer(-20, 19), 'Scheduling priority; -20 is the most favourable.'),
  cpu_affinity: optional(list(integer(0, 1023), 'a list of CPU numbers', 1), 'CPUs it may run on.'),
  cgroup: optional(cgroup, 'Control group (cgroup v2, root only).'),
}, 'limits');

const isolation = record({
  network: withDefault(flag, 'Own network namespace.', false),
  mount: withDefault(flag, 'Own mount namespace.', false),
  pid: withDefault(flag, 'Own pid namespace.', false),
  user: withDefault(flag, 'Own user namespace.', false),
  private_devices: optional(raw({ const: false }), 'Accepted by systemg 0.33.0 and never enforced; refused when set.'),
  private_tmp: optional(raw({ const: false }), 'Accepted by systemg 0.33.0 and never enforced; refused when set.'),
  seccomp: optional(raw({ type: 'null' }), 'Accepted by systemg 0.33.0 and never enforced; refused.'),
  apparmor_profile: optional(raw({ type: 'null' }), 'Accepted by systemg 0.33.0 and never enforced; refused.'),
  selinux_context: optional(raw({ type: 'null' }), 'Accepted by systemg 0.33.0 and never enforced; refused.'),
}, 'isolation keys');

export const privilegeKeys = {
  user: optional(filled('a user name'), 'Account it runs as.'),
  group: optional(filled('a group name'), 'Group it runs as; that of the user by default.'),
  supplementary_groups: optional(list(filled('a group name'), 'a list of group names'), 'Further groups.'),
  limits: optional(limits, 'Resource limits.'),
  capabilities: withDefault(list(capability, 'a list of capabilities'), 'Capabilities it keeps.', []),
  isolation: optional(isolation, 'Namespaces of its own.'),
};

export function resolvePrivileges(place: Place, values: Values<typeof privilegeKeys>): PrivilegeSpec {
  refuseUnenforced(below(place, 'isolation'));
  const namespaces = values.isolation;
  return {
    user: values.user,
    group: values.group,
    supplementaryGroups: values.supplementary_groups,
    capabilities: values.capabilities,
    limits: values.limits === null ? {} : resolveLimits(values.limits),
    isolation: { network: namespaces?.network ?? false, mount: namespaces?.mount ?? false, pid: namespaces?.pid ?? false, user: namespaces?.user ?? false } satisfies Isolation,
  };
}

type LimitValues = NonNullable<Values<typeof privilegeKeys>['limits']>;

function resolveLimits(values: LimitValues): Limits {
  const group = values.cgroup;
  return {
    ...readLimit('nofile', values.nofile),
    ...readLimit('nproc', values.nproc),
    ...readLimit('memlock', values.memlock),
    ...(values.nice === null ? {} : { nice: values.nice }),
    ...(values.cpu_affinity === null ? {} : { cpuAffinity: values.cpu_affinity }),
    ...(group === null ? {} : {
      cgroup: {
        root: group.root,
        ...(group.memory_max === null ? {} : { memoryMax: group.memory_max }),
        ...(group.cpu_max === null ? {} : { cpuMax: group.cpu_max }),
        ...(group.cpu_weight === null ? {} : { cpuWeight: group.cpu_weight }),
      },
    }),
  };
}

/** Absence and `unlimited` differ, so absence is told by the place and not by `null`. */
function readLimit(name: 'nofile' | 'nproc' | 'memlock', place: Place | null): Limits {
  const value = place === null ? undefined : limit.read(place);
  return value === undefined ? {} : { [name]: value };
}

/** What cannot be enforced must not be promised. */
function refuseUnenforced(place: Place | null): void {
  if (place === null) return;
  for (const key of ['private_devices', 'private_tmp', 'seccomp', 'apparmor_profile', 'selinux_context']) {
    const given = below(place, key);
    if (given === null || isNothing(given.node) || (given.node.kind === 'scalar' && given.node.value === false)) continue;
    complain(given, `'${key}' cannot be enforced; systemg 0.33.0 accepts and ignores it`);
  }
}

function verbatim(accepts: (value: string) => boolean, expected: string): (value: string) => Parsed<string> {
  return (value) => (accepts(value) ? { ok: true, value } : { ok: false, expected });
}
