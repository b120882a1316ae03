import type { PrivilegeSpec, ServiceSpec } from '../../machines/types.ts';
import { refuse, type Refused } from '../errors.ts';
import { cgroupWrapping } from './cgroup.ts';
import { accountEnvironment, findCredentials, type Credentials } from './credentials.ts';
import { limitWrapping, nofileToRestore } from './limits.ts';
import { namespaceWrapping } from './namespaces.ts';
import { mountWrapping } from './sandbox.ts';
import { byTool, chained, type Wrapping } from './tools.ts';

export interface PrivilegeRequest {
  readonly service: string;
  /** Names the unit's control group. */
  readonly hash: string;
  readonly privileges: PrivilegeSpec;
  /** As root, a unit that names no user runs as nobody. */
  readonly dropPrivileges: boolean;
  /** Of the program that started the supervisor. */
  readonly softNofile: number | null;
  /** The supervisor's PATH: the tools that run as root are not the service's to choose. */
  readonly searchPath: string | undefined;
}

export interface Confinement {
  readonly ok: true;
  /** Words before the program's own. */
  readonly prefix: readonly string[];
  /** The soft limit of open files that is not the supervisor's; `prefix` does not see to it. */
  readonly softNofile: number | null;
  /** Variables over those of the unit. */
  readonly environment: Readonly<Record<string, string>>;
  readonly credentials: Credentials | null;
  /** Something was asked for that is to be seen to hold. */
  readonly asked: boolean;
}

/**
 * How a program gets what its unit's privileges say: the control group, limits, mounts, namespaces, then groups, gid, uid and capabilities, in this
 * order, each by a tool that execs the next. The user namespace comes after the change of user, so that the namespace contains that user. Refuses what it
 * cannot enforce: a start without a protection that was asked for is worse than none.
 */
export function confine(request: PrivilegeRequest): Confinement | Refused {
  const { service, privileges, searchPath } = request;
  const { limits, isolation, capabilities, sandbox } = privileges;
  const found = findCredentials(service, privileges, request.dropPrivileges);
  if (!found.ok) return refuse(unconfigured(service, found.reason));
  const { credentials } = found;
  if (capabilities.length > 0 && !isolation.user && process.getuid?.() !== 0) {
    return refuse(unconfigured(service, `capabilities ${capabilities.join(', ')} need a supervisor that runs as root`));
  }
  const groupsAndUser = identityWords(credentials, isolation.pid);
  const bounds = [...(sandbox?.noNewPrivileges === true && capabilities.length === 0 ? ['--no-new-privs'] : []), ...capabilityWords(capabilities, credentials)];
  const namespaces = namespaceWrapping(isolation, capabilities.length > 0, searchPath);
  const wrapping = chained([
    cgroupWrapping(limits.cgroup, request.hash),
    limitWrapping(limits, searchPath),
    mountWrapping(sandbox, searchPath),
    ...(isolation.user
      ? [setpriv(groupsAndUser, searchPath), namespaces, setpriv(capabilities.length > 0 || sandbox?.noNewPrivileges === true ? bounds : [], searchPath)]
      : [namespaces, setpriv([...groupsAndUser, ...bounds], searchPath)]),
  ]);
  if (!wrapping.ok) return refuse(unconfigured(service, wrapping.reason));
  // Elsewhere there is no /proc to see it in; what gets this far there is nice(1) alone, which is checked before.
  const asked = process.platform === 'linux' && (credentials !== null || capabilities.length > 0 || sandbox !== undefined || Object.keys(limits).length > 0 || Object.values(isolation).includes(true));
  return { ...wrapping, softNofile: nofileToRestore(limits, request.softNofile), environment: accountEnvironment(credentials), credentials, asked };
}

/** What is run beside a service, as its user: limits, capabilities, namespaces and the sandbox are for the service itself. */
export function confineAsUser(spec: Pick<ServiceSpec, 'name' | 'hash' | 'privileges'>, environment: NodeJS.ProcessEnv, dropPrivileges: boolean): Confinement | Refused {
  const { sandbox: _sandbox, ...withoutSandbox } = spec.privileges;
  return confine({
    service: spec.name, hash: spec.hash, dropPrivileges, softNofile: null, searchPath: environment['PATH'],
    privileges: { ...withoutSandbox, capabilities: [], limits: {}, isolation: { network: false, mount: false, pid: false, user: false } },
  });
}

/** The sentence of a refusal. */
export function unconfigured(service: string, reason: string): string {
  return `Failed to configure privileges for service '${service}': ${reason}`;
}

// setpriv(1) sets bounding set, groups, gid, uid, inheritable and ambient capabilities in an order that works, whatever the order of its words.
function setpriv(words: readonly string[], searchPath: string | undefined): Wrapping {
  if (words.length === 0) return { ok: true, prefix: [] };
  if (process.platform !== 'linux') return refuse('user, group and capabilities are only available on Linux');
  return byTool('setpriv', 'user, group and capabilities need', searchPath, ...words, '--');
}

function identityWords(credentials: Credentials | null, hasParent: boolean): readonly string[] {
  if (credentials === null) return [];
  const { uid, gid, groups } = credentials;
  const words = [groups.length === 0 ? '--clear-groups' : `--groups=${groups.join(',')}`];
  if (gid !== null) words.push(`--regid=${gid}`);
  if (uid !== null) words.push(`--reuid=${uid}`);
  // prctl(2): a change of user forgets the death signal that unshare --kill-child has set.
  if (hasParent) words.push('--pdeathsig=KILL');
  return words;
}

/** To what a list gives nothing adds anything, no setuid program either. No list leaves the bounding set to such programs; what was inherited is dropped with the user all the same. */
function capabilityWords(capabilities: readonly string[], credentials: Credentials | null): readonly string[] {
  if (capabilities.length === 0) return credentials === null ? [] : ['--inh-caps=-all', '--ambient-caps=-all'];
  const set = ['-all', ...new Set(capabilities.map((name) => `+${name.replace(/^CAP_/, '').toLowerCase()}`))].join(',');
  return ['--no-new-privs', `--bounding-set=${set}`, `--inh-caps=${set}`, `--ambient-caps=${set}`];
}
