import type { PrivilegeSpec } from '../../machines/types.ts';
import { refuse, type Refused } from '../errors.ts';
import { findGroup, findUser, groupsOf, type Account } from './accounts.ts';

/** Whose rights a process gets. `null`: those of the supervisor. */
export interface Credentials {
  /** Requested by name; its home and shell go into the environment. */
  readonly account: Account | null;
  readonly uid: number | null;
  readonly gid: number | null;
  /** All supplementary groups: those listed, else the account's own as login(1) gives them. What the supervisor inherited is never kept. */
  readonly groups: readonly number[];
}

/** Looks up the user and the groups of a unit. `dropPrivileges`: as root, a unit that names no user runs as the user nobody. */
export function findCredentials(service: string, privileges: PrivilegeSpec, dropPrivileges: boolean): { readonly ok: true; readonly credentials: Credentials | null } | Refused {
  const { group, supplementaryGroups } = privileges;
  const isRoot = process.getuid?.() === 0;
  const user = privileges.user ?? (dropPrivileges && isRoot ? 'nobody' : null);
  if (user === null && group === null && supplementaryGroups === null) return { ok: true, credentials: null };
  if (!isRoot) return refuse(`service '${service}' requested user/group switching but systemg is not running as root`);

  const account = user === null ? null : findUser(user);
  if (user !== null && account === null) return refuse(`user '${user}' not found`);
  const groupId = group === null ? null : findGroup(group);
  if (group !== null && groupId === null) return refuse(`group '${group}' not found`);
  const gid = groupId ?? account?.gid ?? null;

  const groups = supplementaryGroups === null && account !== null ? [...groupsOf(account, gid ?? account.gid)] : [];
  if (supplementaryGroups !== null && gid !== null) groups.push(gid);
  for (const name of supplementaryGroups ?? []) {
    const found = findGroup(name);
    if (found === null) return refuse(`supplementary group '${name}' not found`);
    groups.push(found);
  }
  return { ok: true, credentials: { account, uid: account?.uid ?? null, gid, groups: [...new Set(groups)] } };
}

/** Where a program that runs as another user is at home. */
export function accountEnvironment(credentials: Credentials | null): Readonly<Record<string, string>> {
  const account = credentials?.account ?? null;
  return account === null ? {} : { HOME: account.home, USER: account.name, LOGNAME: account.name, SHELL: account.shell };
}

/** The owner of a unit's output, so that the unit can open /dev/stdout again; `null`: the supervisor, also where no account is found. */
export function outputOwner(service: string, privileges: PrivilegeSpec, dropPrivileges: boolean): { readonly uid: number; readonly gid: number } | null {
  const found = findCredentials(service, privileges, dropPrivileges);
  const { account = null, gid = null } = (found.ok ? found.credentials : null) ?? {};
  return account === null ? null : { uid: account.uid, gid: gid ?? account.gid };
}
