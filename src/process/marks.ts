import { accessSync, closeSync, constants, mkdirSync, openSync, readdirSync, readFileSync, rmdirSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { attempt, hasCode } from '../errors.ts';
import { hierarchiesIn } from './cgroup.ts';

/**
 * Marks that no process can take off by itself: each process of a unit begins in a control group of its own, named for its tokens, below the
 * supervisor's. All that comes from it is in there, also what has cleared its environment, begun a session and lost its parent: cgroups(7). Where
 * the supervisor may make no such group, the environment and what was noted of descendants have to do.
 */

/**
 * Starts something synchronously within the group of these tokens: the calling thread enters the group for that moment, so that the child is never
 * outside. Nothing else is changed by it, and where it cannot be done the start goes on without.
 */
export function startMarked<Started>(tokens: readonly string[], start: () => Started): Started {
  const home = findHome();
  const back = home === null ? null : openDoor(home);
  if (home === null || back === null) return start();
  try {
    enter(home, tokens);
    return start();
  } finally {
    // By a descriptor that was opened before: none may be left now. What was started is to be kept whether this succeeds or not.
    attempt(() => writeSync(back, '0'), null);
    closeSync(back);
  }
}

/** Null: the supervisor was moved to another group and its own is gone, or no descriptor is left. The next start looks for its group again. */
function openDoor({ directory, door }: Home): number | null {
  try {
    return openSync(join(directory, door), 'w');
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENODEV')) known = undefined;
    return null;
  }
}

function enter({ directory, door }: Home, tokens: readonly string[]): void {
  const group = join(directory, nameOf(tokens));
  // Another supervisor in this group takes away what is empty, as this one is for a moment: it is made again, each time with a new chance.
  for (let tries = 0; tries < MOST_TRIES; tries += 1) {
    try {
      mkdirSync(group, { recursive: true });
      writeFileSync(join(group, door), '0');
      noteGroup(group, tokens);
      return;
    } catch (error) {
      // There is no room for another group (cgroup.max.descendants), or it is not ours any more.
      if (!hasCode(error, 'ENOENT', 'ENODEV')) return;
    }
  }
}

// Two that wait for the same lock of the kernel fall into step: more than twenty tries in a row were seen to fail. A thousand are over in 0.1 s.
const MOST_TRIES = 1000;

/** Takes away the group of a process that is gone. One that is still in use stays until the next supervisor begins. */
export function removeMark(tokens: readonly string[]): void {
  const [token = ''] = tokens;
  // Mostly a search that found nothing has taken it away already.
  for (const directory of groupsOf.get(token) ?? []) if (directory.endsWith(`/${nameOf(tokens)}`)) removeGroup(directory);
}

/** Takes away the groups that nothing is in any more. */
export function removeEmptyMarks(): void {
  const home = findHome();
  if (home === null) return;
  for (const name of readdirSync(home.directory)) {
    if (name.startsWith(prefix) && !removeGroup(join(home.directory, name))) noteGroup(join(home.directory, name), name.slice(prefix.length).split('+'));
  }
}

/** Whether the token has a group here. */
export function hasMark(token: string): boolean {
  return groupsOf.has(token);
}

/**
 * The pids in the groups of a token, groups below them included; `null` when the token has no group here. A process leaves its group only when root
 * moves it, as container engines and systemd-run(1) do.
 */
export function pidsMarked(token: string): readonly number[] | null {
  const groups = groupsOf.get(token);
  if (groups === undefined) return null;
  return attempt(() => [...groups].flatMap(pidsIn), null);
}

/** Takes away the groups of a token: the kernel does that only when no process lives in them. Returns whether it did so now. */
export function takeOffMark(token: string): boolean {
  const groups = groupsOf.get(token);
  return groups !== undefined && [...groups].every(removeGroup);
}

function pidsIn(directory: string): readonly number[] {
  // Another supervisor takes empty groups away, too.
  return attempt(() => {
    const own = readFileSync(join(directory, 'cgroup.procs'), 'utf8').split('\n').filter((line) => line !== '').map(Number);
    // Two links and no more: no group below it.
    if (statSync(directory).nlink <= 2) return own;
    return [...own, ...readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isDirectory()).flatMap(({ name }) => pidsIn(join(directory, name)))];
  }, [], 'ENOENT', 'ENODEV');
}

/** The groups that this supervisor has made or found, by each of their tokens. */
const groupsOf = new Map<string, Set<string>>();

function noteGroup(directory: string, tokens: readonly string[]): void {
  for (const token of tokens) groupsOf.set(token, (groupsOf.get(token) ?? new Set()).add(directory));
}

/** The tokens that a process is marked with, however its environment was changed. */
export function marksOf(pid: number): readonly string[] {
  if (findHome() === null) return [];
  // The process has ended.
  return attempt(() => marksIn(readFileSync(`/proc/${pid}/cgroup`, 'utf8')), []);
}

/** The tokens in a text in the form of /proc/PID/cgroup. */
export function marksIn(text: string): readonly string[] {
  return [...text.matchAll(/\/sysg-unit\.([^/\n]+)/g)].flatMap(([, tokens = '']) => tokens.split('+'));
}

interface Home {
  readonly directory: string;
  /** The file that takes what is to enter a group. */
  readonly door: 'tasks' | 'cgroup.procs';
}

function findHome(): Home | null {
  if (known === undefined) {
    known = process.platform === 'linux' ? searchHome() : null;
    // Those of supervisors that were killed.
    removeEmptyMarks();
  }
  return known;
}

// Of version 1 the hierarchy that has a name and no controller: to be in one of its groups means nothing but that, and a single thread can enter. Else
// version 2, where a group with processes has no controllers either.
function searchHome(): Home | null {
  try {
    const own = readFileSync('/proc/self/cgroup', 'utf8').split('\n').map((line) => /^\d+:([^:]*):(.*)$/.exec(line) ?? []);
    const hierarchies = hierarchiesIn(readFileSync('/proc/self/mountinfo', 'utf8'), () => []);
    const named = hierarchies.filter(({ version, controllers }) => version === 1 && controllers.some((name) => name.startsWith('name=')));
    for (const { version, mountPoint, controllers } of [...named, ...hierarchies.filter((one) => one.version === 2)]) {
      const [, , path] = own.find(([, names]) => (version === 2 ? names === '' : names !== undefined && controllers.includes(names))) ?? [];
      // A container may see its own group as the top of the mount, and its path from the top of the machine.
      for (const directory of path === undefined ? [] : [join(mountPoint, path), mountPoint]) {
        const door = version === 1 ? 'tasks' : 'cgroup.procs';
        if (isOwn(directory, door)) return { directory, door };
      }
    }
  } catch {
    // No control groups, or none that can be looked at.
  }
  return null;
}

/** This process is in the group, may enter it, and can make a group below it. */
function isOwn(directory: string, door: Home['door']): boolean {
  try {
    if (!readFileSync(join(directory, 'cgroup.procs'), 'latin1').split('\n').includes(String(process.pid))) return false;
    accessSync(join(directory, door), constants.W_OK);
    const trial = join(directory, `sysg-unit.trial-${process.pid}`);
    mkdirSync(trial);
    return removeGroup(trial);
  } catch {
    // Another user's, or mounted for reading alone.
    return false;
  }
}

/** Whether the group is not there any more: rmdir(2) says EBUSY while a process is in it. */
function removeGroup(directory: string): boolean {
  try {
    rmdirSync(directory);
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) return false;
  }
  for (const token of directory.slice(directory.lastIndexOf('/') + 1 + prefix.length).split('+')) {
    const groups = groupsOf.get(token);
    if (groups?.delete(directory) === true && groups.size === 0) groupsOf.delete(token);
  }
  return true;
}

const prefix = 'sysg-unit.';

function nameOf(tokens: readonly string[]): string {
  return prefix + tokens.join('+');
}

let known: Home | null | undefined;
