import { spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { attempt } from '../errors.ts';

/** A line of passwd(5). */
export interface Account {
  readonly name: string;
  readonly uid: number;
  /** Of the primary group. */
  readonly gid: number;
  readonly home: string;
  readonly shell: string;
}

/** The account of that very name: digits are a name too. Looked up anew each time; `null` when there is none. */
export function findUser(name: string): Account | null {
  const fields = findEntry('passwd', name);
  if (fields === null) return null;
  const [found, , uid, gid, , home, shell] = fields;
  if (found === undefined || home === undefined || !isId(uid) || !isId(gid)) return null;
  // passwd(5): an empty shell means /bin/sh.
  return { name: found, uid: Number(uid), gid: Number(gid), home: home === '' ? '/' : home, shell: shell === undefined || shell === '' ? '/bin/sh' : shell };
}

/** The gid of the group of that very name; `null` when there is none. */
export function findGroup(name: string): number | null {
  const gid = findEntry('group', name)?.[2];
  return isId(gid) ? Number(gid) : null;
}

/**
 * The groups that login(1) gives an account whose primary group is `gid`: initgroups(3). A directory service is asked, with id(1), only where
 * nsswitch.conf(5) names one: a check asks at each attempt.
 */
export function groupsOf({ name, gid: ownGid }: Account, gid: number): readonly number[] {
  const local = rowsOf('/etc/group').flatMap(([, , id, members = '']) => (isId(id) && members.split(',').includes(name) ? [Number(id)] : []));
  // id(1) lists the account's own primary group in any case, initgroups(3) only where it was not replaced.
  const others = groupsAreLocal() ? [] : run('id', ['-G', '--', name]).trim().split(' ').filter(isId).map(Number).filter((id) => id !== ownGid);
  return [...new Set([gid, ...local, ...others])];
}

/** The account's name, or its number when it has none. The table is read again when it changes. */
export function userName(uid: number): string {
  try {
    const { mtimeMs } = statSync('/etc/passwd');
    if (mtimeMs !== known.mtimeMs) {
      known = { mtimeMs, names: new Map(rowsOf('/etc/passwd').flatMap(([name, , id]): [number, string][] => (name && isId(id) ? [[Number(id), name]] : []))) };
    }
  } catch {
    // No table of accounts: the number stands for the name.
  }
  return known.names.get(uid) ?? String(uid);
}

/** The group's name, or its number when it has none. */
export function groupName(gid: number): string {
  return rowsOf('/etc/group').find(([, , id]) => isId(id) && Number(id) === gid)?.[0] ?? String(gid);
}

function findEntry(database: 'passwd' | 'group', name: string): readonly string[] | null {
  const entryIn = (text: string): string | undefined => text.split('\n').find((line) => line.startsWith(`${name}:`));
  // Accounts of a directory service; getent(1) also takes numbers and names of its own choice, hence the second look at the name.
  return (entryIn(readDatabase(`/etc/${database}`)) ?? entryIn(run('getent', ['--', database, name])))?.split(':') ?? null;
}

function rowsOf(path: string): readonly (readonly string[])[] {
  return readDatabase(path).split('\n').map((line) => line.split(':'));
}

function readDatabase(path: string): string {
  // A system may keep its accounts elsewhere: the name service is asked then.
  return attempt(() => readFileSync(path, 'utf8'), '', 'ENOENT');
}

function groupsAreLocal(): boolean {
  const sources = new Map(readDatabase('/etc/nsswitch.conf').split('\n').map((line) => line.replace(/#.*/, '').split(':')).map(([database = '', names = '']) => [database.trim(), names]));
  const names = sources.get('initgroups') ?? sources.get('group') ?? 'files';
  return names.replaceAll(/\[[^\]]*\]/g, ' ').trim().split(/\s+/).every((name) => LOCAL_SOURCES.has(name));
}

const LOCAL_SOURCES: ReadonlySet<string> = new Set(['files', 'compat', 'db', 'systemd']);

function run(program: string, words: readonly string[]): string {
  const answer = spawnSync(program, words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], timeout: 5000 });
  return answer.status === 0 ? answer.stdout : '';
}

function isId(text: string | undefined): text is string {
  return text !== undefined && /^\d+$/.test(text);
}

let known: { readonly mtimeMs: number; readonly names: ReadonlyMap<number, string> } = { mtimeMs: -1, names: new Map() };
