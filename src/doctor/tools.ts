import type { PrivilegeSpec, ServiceSpec } from '../../machines/types.ts';
import { agrees, disagrees, specsInForce, type Facts, type Finding } from './facts.ts';

export interface KnownTool {
  readonly name: string;
  readonly package: string;
  /** What it is for. */
  readonly purpose: string;
  /** Whether a unit needs it; absent: every supervisor does. */
  readonly neededBy?: (spec: ServiceSpec) => boolean;
}

const limits = ({ privileges }: ServiceSpec): PrivilegeSpec['limits'] => privileges.limits;
const isolated = ({ privileges: { isolation } }: ServiceSpec): boolean => isolation.network || isolation.mount || isolation.pid || isolation.user;

const mounts = ({ privileges: { sandbox } }: ServiceSpec): boolean => sandbox?.readOnlyRoot === true || sandbox?.privateTmp === true;

const tools: readonly KnownTool[] = [
  { name: 'sh', package: 'dash', purpose: 'commands, hooks and the guardian' },
  { name: 'flock', package: 'util-linux', purpose: 'the lock of the state directory' },
  { name: 'mkfifo', package: 'coreutils', purpose: 'the output of services' },
  { name: 'gzip', package: 'gzip', purpose: 'logs.rotate.compress', neededBy: ({ logs }) => logs.rotate.compress && logs.rotate.keep > 0 },
  {
    name: 'prlimit', package: 'util-linux', purpose: 'limits.nofile, nproc and memlock',
    neededBy: (spec) => [limits(spec).nofile, limits(spec).nproc, limits(spec).memlock].some((value) => value !== undefined),
  },
  { name: 'nice', package: 'coreutils', purpose: 'limits.nice', neededBy: (spec) => limits(spec).nice !== undefined },
  { name: 'taskset', package: 'util-linux', purpose: 'limits.cpu_affinity', neededBy: (spec) => limits(spec).cpuAffinity !== undefined },
  {
    name: 'setpriv', package: 'util-linux', purpose: 'user, group, supplementary_groups, capabilities and sandbox.no_new_privs',
    neededBy: ({ privileges: { user, group, supplementaryGroups, capabilities, sandbox } }) => (
      user !== null || group !== null || supplementaryGroups !== null || capabilities.length > 0 || sandbox?.noNewPrivileges === true
    ),
  },
  { name: 'unshare', package: 'util-linux', purpose: 'isolation and sandbox', neededBy: (spec) => isolated(spec) || mounts(spec) },
  { name: 'sed', package: 'sed', purpose: 'sandbox.read_only_root and private_tmp', neededBy: mounts },
  { name: 'mount', package: 'mount', purpose: 'sandbox.read_only_root and private_tmp', neededBy: mounts },
  { name: 'setsid', package: 'util-linux', purpose: 'isolation.pid', neededBy: ({ privileges }) => privileges.isolation.pid },
];

/** What a supervisor runs on that platform: elsewhere than on Linux nothing of util-linux, whose work the kernel does (a lock) or nobody can (a sandbox). */
export function toolsOn(platform: NodeJS.Platform): readonly KnownTool[] {
  return platform === 'linux' ? tools : tools.filter((tool) => tool.package !== 'util-linux' && tool.neededBy !== mounts);
}

export const knownTools = toolsOn(process.platform);

/** The tools of the system that a supervisor runs. One that no unit needs may be missing. */
export function checkTools({ tools: paths, config, serving }: Pick<Facts, 'tools' | 'config' | 'serving'>): readonly Finding[] {
  const specs = specsInForce({ config, serving });
  const missing = knownTools.filter(({ name }) => paths.get(name) == null);
  const needed = missing.flatMap((tool) => {
    const users = tool.neededBy === undefined ? null : specs.filter(tool.neededBy).map(({ name }) => name);
    return users?.length === 0 ? [] : [{ tool, users }];
  });
  const spare = missing.filter((tool) => !needed.some((need) => need.tool === tool));
  const without = spare.map((tool) => `${tool.name} (package ${tool.package}, for ${tool.purpose})`).join(', ');
  const rest = agrees('tools', `${knownTools.length - missing.length} of ${knownTools.length} are installed${without === '' ? '' : `; no unit needs ${without}`}`);
  return [...needed.map(({ tool, users }) => disagrees(
    `tool ${tool.name}`, `no program ${tool.name} on PATH or in the usual places`,
    `it for ${tool.purpose}${users === null ? '' : `, which ${users.join(', ')} ${users.length === 1 ? 'asks' : 'ask'} for`}`,
    `Install the package ${tool.package}.`,
  )), rest];
}
