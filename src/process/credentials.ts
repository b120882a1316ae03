import type { PrivilegeSpec } from '../../machines/types.ts';
import { findGroup, findUser, type Account } from './accounts.ts';

/** Whose rights a process gets. `null`: those of the supervisor. */
export interface Credentials {
  /** Requested by name; its home and shell go into the environment. */
  readonly account: Account | null;
  readonly uid: number | null;
  readonly gid: number | null;
  /** All supplementary groups: what the supervisor inherited is never kept. */
  readonly groups: readonly number[];
}

export type CredentialsFound =
  | { readonly ok: true; readonly credentials: Credentials | null }
  | { readonly ok: false; readonly reason: string };

/** Whom units without a user run as when the supervisor drops privileges. */
const nobody = 'nobody';

/** Looks up the user and the groups of a unit. `dropPrivileges`: as root, a unit that names no user is nobody's. */
export function findCredentials(service: string, privileges: PrivilegeSpec, dropPrivileges: boolean): CredentialsFound {
  const { group, supplementaryGroups } = privileges;
  const isRoot = process.getuid?.() === 0;
  const user = privileges.user ?? (dropPrivileges && isRoot ? nobody : null);
  if (user === null && group === null && supplementaryGroups === null) return { ok: true, credentials: null };
  if (!isRoot) return refuse(`service '${service}' requested user/group switching but systemg is not running as root`);

  const account = user === null ? null : findUser(user);
  if (user !== null && account === null) return refuse(`user '${user}' not found`);
  const groupId = group === null ? null : findGroup(group);
  if (group !== null && groupId === null) return refuse(`group '${group}' not found`);
  const gid = groupId ?? account?.gid ?? null;

  const groups: number[] = [];
  for (const name of supplementaryGroups ?? []) {
    const found = findGroup(name);
    if (found === null) return refuse(`supplementary group '${name}' not found`);
    groups.push(found);
  }
  const primary = supplementaryGroups === null || gid === null ? [] : [gid];
  return { ok: true, credentials: { account, uid: account?.uid ?? null, gid, groups: [...new Set([...primary, ...groups])] } };
}

/** Where a program that runs as another user is at home. */
export function accountEnvironment(credentials: Credentials | null): Readonly<Record<string, string>> {
  const account = credentials?.account ?? null;
  return account === null ? {} : { HOME: account.home, USER: account.name, LOGNAME: account.name, SHELL: account.shell };
}

/** To whom the output of a unit belongs, so that it can open /dev/stdout again; `null`: to the supervisor, or nobody could be found. */
export function outputOwner(service: string, privileges: PrivilegeSpec, dropPrivileges: boolean): { readonly uid: number; readonly gid: number } | null {
  const found = findCredentials(service, privileges, dropPrivileges);
  const account = found.ok ? (found.credentials?.account ?? null) : null;
  return account === null ? null : { uid: account.uid, gid: (found.ok ? found.credentials?.gid : null) ?? account.gid };
}

function refuse(reason: string): CredentialsFound {
  return { ok: false, reason };
}
