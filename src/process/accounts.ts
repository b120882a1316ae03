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
  const rows = readDatabase('/etc/group').split('\n').map((line) => line.split(':'));
  const local = rows.flatMap(([, , id, members = '']) => (isId(id) && members.split(',').includes(name) ? [Number(id)] : []));
  // id(1) lists the account's own primary group in any case, initgroups(3) only where it was not replaced.
  const others = groupsAreLocal() ? [] : run('id', ['-G', '--', name]).trim().split(' ').filter(isId).map(Number).filter((id) => id !== ownGid);
  return [...new Set([gid, ...local, ...others])];
}

/** The account's name, or its number when it has none. The table is read again when it changes. */
export function userName(uid: number): string {
  try {
    const { mtimeMs } = statSync('/etc/passwd');
    if (mtimeMs !== known.mtimeMs) {
      const rows = readDatabase('/etc/passwd').split('\n').map((line) => line.split(':'));
      known = { mtimeMs, names: new Map(rows.flatMap(([name, , id]): [number, string][] => (name && isId(id) ? [[Number(id), name]] : []))) };
    }
  } catch {
    // No table of accounts: the number stands for the name.
  }
  return known.names.get(uid) ?? String(uid);
}

/** The group's name, or its number when it has none. */
export function groupName(gid: number): string {
  const row = readDatabase('/etc/group').split('\n').map((line) => line.split(':')).find(([, , id]) => isId(id) && Number(id) === gid);
  return row?.[0] ?? String(gid);
}

function findEntry(database: 'passwd' | 'group', name: string): readonly string[] | null {
  return entryIn(readDatabase(`/etc/${database}`), name) ?? entryIn(askNameService(database, name), name);
}

function entryIn(text: string, name: string): readonly string[] | null {
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${name}:`));
  return line === undefined ? null : line.split(':');
}

function readDatabase(path: string): string {
  // A system may keep its accounts elsewhere: the name service is asked then.
  return attempt(() => readFileSync(path, 'utf8'), '', 'ENOENT');
}

// Accounts of a directory service; getent(1) also takes numbers and names of its own choice, hence the second look at the name.
function askNameService(database: 'passwd' | 'group', name: string): string {
  return run('getent', ['--', database, name]);
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
