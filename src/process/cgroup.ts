import { existsSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { makeDirectories } from '../files.ts';
import type { PrivilegeSpec } from '../../machines/types.ts';
import { attempt, hasCode, refuse, type Refused } from '../errors.ts';
import { describe } from './program.ts';
import { type Wrapping } from './tools.ts';

type CgroupLimits = NonNullable<PrivilegeSpec['limits']['cgroup']>;

/** A mounted hierarchy of control groups, of mountinfo in proc_pid_mountinfo(5). */
export interface Hierarchy {
  readonly mountPoint: string;
  readonly version: 1 | 2;
  /** Those that limits can be set for here. */
  readonly controllers: readonly string[];
}

/** One value to be written, and where. */
export interface CgroupSetting {
  readonly hierarchy: Hierarchy;
  readonly directory: string;
  readonly controller: string;
  readonly file: string;
  readonly value: string;
}

/**
 * How a program gets into the control group of its unit: the directories are made and the limits are written now, and a shell moves itself in
 * before it becomes the program, so that nothing is ever outside. cgroups(7): version 2 where it has the controller, else version 1.
 */
export function cgroupWrapping(limits: CgroupLimits | undefined, hash: string): Wrapping {
  if (limits === undefined) return { ok: true, prefix: [] };
  if (process.platform !== 'linux') return refuse('limits.cgroup: control groups are only available on Linux');
  const planned = planCgroup(limits, hash, readHierarchies());
  if (!planned.ok) return planned;
  const problem = carryOut(planned);
  if (problem !== null) return refuse(`limits.cgroup: ${problem}`);
  const doors = planned.directories.map((directory) => join(directory, 'cgroup.procs'));
  return { ok: true, prefix: ['/bin/sh', '-c', enterBySh, 'sh', ...doors, '--'] };
}

/**
 * Takes over the groups that an earlier supervisor has made, to be removed by this one: those it noted, and those of these units. `note` takes the list
 * before a group is made.
 */
export function rememberCgroups(
  units: readonly { readonly hash: string; readonly privileges: PrivilegeSpec }[], noted: unknown, note: (directories: readonly string[]) => void,
): void {
  noteMade = note;
  for (const directory of Array.isArray(noted) ? noted : []) if (typeof directory === 'string' && existsSync(directory)) made.add(directory);
  for (const { hash, privileges: { limits } } of units) {
    if (limits.cgroup === undefined || process.platform !== 'linux') continue;
    const planned = planCgroup(limits.cgroup, hash, readHierarchies());
    for (const directory of planned.ok ? planned.directories : []) if (existsSync(directory)) made.add(directory);
  }
}

/** Removes the control groups known here that are empty now; the others are left to those in them. What went wrong, or `null`. For the end of the supervisor. */
export function removeEmptyCgroups(): string | null {
  let problem: string | null = null;
  for (const directory of made) {
    try {
      rmdirSync(directory);
      made.delete(directory);
    } catch (error) {
      // rmdir(2) of a control group with a process in it: EBUSY.
      if (hasCode(error, 'ENOENT')) made.delete(directory);
      else if (!hasCode(error, 'EBUSY')) problem ??= `${directory}: an empty control group cannot be removed: ${describe(error)}`;
    }
  }
  return problem;
}

/**
 * How often the kernel has killed a process of a unit for the memory limit of its group, since the group was made: `oom_kill` of memory.events in
 * cgroups(7), of memory.oom_control in version 1. 0 without such a limit.
 */
export function killedForMemory(limits: CgroupLimits | undefined, hash: string): number {
  if (limits?.memoryMax === undefined || process.platform !== 'linux') return 0;
  const planned = planCgroup(limits, hash, readHierarchies());
  const memory = planned.ok ? planned.settings.find(({ controller }) => controller === 'memory') : undefined;
  if (memory === undefined) return 0;
  const events = join(memory.directory, memory.hierarchy.version === 2 ? 'memory.events' : 'memory.oom_control');
  // No such group yet, or none that counts.
  return Number(/^oom_kill (\d+)$/m.exec(attempt(() => readFileSync(events, 'utf8'), ''))?.[1] ?? 0);
}

export type CgroupPlan =
  | { readonly ok: true; readonly directories: readonly string[]; readonly settings: readonly CgroupSetting[] }
  | Refused;

export function planCgroup(limits: CgroupLimits, hash: string, hierarchies: readonly Hierarchy[]): CgroupPlan {
  const root = normalize(limits.root).replace(/(?<=.)\/$/, '');
  const onMount = hierarchies.filter(({ mountPoint }) => isWithin(root, mountPoint)).toSorted((a, b) => b.mountPoint.length - a.mountPoint.length)[0];
  // Where each hierarchy has a mount of its own, the usual root is the directory that holds the mounts.
  const base = onMount?.mountPoint ?? parentOfMounts(root, hierarchies);
  if (base === null) return refuse(`limits.cgroup.root "${limits.root}" is not on a cgroup file system`);
  const path = join(relative(base, root), hash);
  const preferred = onMount?.version === 2 ? [onMount] : hierarchies;
  const place = (controller: string): Hierarchy | undefined => (
    preferred.find((one) => one.version === 2 && one.controllers.includes(controller)) ?? preferred.find((one) => one.version === 1 && one.controllers.includes(controller))
  );

  const settings: CgroupSetting[] = [];
  const wanted: readonly (readonly [string, keyof typeof formerFiles, string | undefined])[] = [
    ['memory', 'memory.max', limits.memoryMax === undefined ? undefined : plainSize(limits.memoryMax)],
    ['cpu', 'cpu.max', limits.cpuMax], ['cpu', 'cpu.weight', limits.cpuWeight === undefined ? undefined : String(limits.cpuWeight)],
  ];
  for (const [controller, file, value] of wanted) {
    if (value === undefined) continue;
    const hierarchy = place(controller);
    if (hierarchy === undefined) return refuse(`limits.cgroup: ${file} needs the ${controller} controller, which no mounted cgroup hierarchy offers under "${limits.root}"`);
    const directory = join(hierarchy.mountPoint, path);
    const values = hierarchy.version === 2 ? [[file, value] as const] : formerFiles[file](value);
    settings.push(...values.map(([name, text]) => ({ hierarchy, directory, controller, file: name, value: text })));
  }
  const directories = new Set(settings.map(({ directory }) => directory));
  if (directories.size === 0) {
    const unlimited = preferred.find(({ version }) => version === 2) ?? preferred[0];
    if (unlimited === undefined) return refuse('limits.cgroup: no cgroup hierarchy is mounted');
    directories.add(join(unlimited.mountPoint, path));
  }
  return { ok: true, directories: [...directories], settings };
}

/** What is mounted, of a text in the form of /proc/self/mountinfo. */
export function hierarchiesIn(mountinfo: string, controllersOf: (mountPoint: string) => readonly string[]): readonly Hierarchy[] {
  return mountinfo.split('\n').flatMap((line): Hierarchy[] => {
    const [before = '', after = ''] = line.split(' - ');
    const [type, , superOptions = ''] = after.split(' ');
    const mountPoint = (before.split(' ')[4] ?? '').replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));
    if (type === 'cgroup2') return [{ mountPoint, version: 2, controllers: controllersOf(mountPoint) }];
    if (type === 'cgroup') return [{ mountPoint, version: 1, controllers: superOptions.split(',') }];
    return [];
  });
}

const made = new Set<string>();
let noteMade: (directories: readonly string[]) => void = () => undefined;

// Writing 0 moves the writer, whatever its pid is called there; printf is built in, so nothing else was started.
const enterBySh = 'while [ "$1" != -- ]; do printf 0 > "$1" || exit 126; shift; done; shift; exec "$@"';

/** Version 1's names for the limits of version 2. */
const formerFiles = {
  'memory.max': (value: string) => [['memory.limit_in_bytes', value === 'max' ? '-1' : value]],
  'cpu.max': (value: string) => {
    const [quota = 'max', period = '100000'] = value.trim().split(/\s+/);
    return [['cpu.cfs_period_us', period], ['cpu.cfs_quota_us', quota === 'max' ? '-1' : quota]];
  },
  // The default of either is the same share: weight 100 is 1024.
  'cpu.weight': (value: string) => [['cpu.shares', String(Math.min(262_144, Math.max(2, Math.round((Number(value) * 1024) / 100))))]],
} as const satisfies Record<string, (value: string) => readonly (readonly [string, string])[]>;

function readHierarchies(): readonly Hierarchy[] {
  return hierarchiesIn(readFileSync('/proc/self/mountinfo', 'utf8'), (mountPoint) => words(join(mountPoint, 'cgroup.controllers')));
}

/** Makes the directories and sets the limits, as far as the first problem. */
function carryOut({ directories, settings }: Extract<CgroupPlan, { ok: true }>): string | null {
  let failure = '';
  try {
    for (const directory of directories) {
      failure = `${directory} cannot be made`;
      if (!made.has(directory)) noteMade([...made.add(directory)]);
      makeDirectories(directory, 0o755);
    }
    for (const { hierarchy, directory, controller, file, value } of settings) {
      // A controller works in a group of version 2 when each group above it hands it down.
      for (const above of hierarchy.version === 2 ? ancestors(hierarchy.mountPoint, dirname(directory)) : []) {
        const path = join(above, 'cgroup.subtree_control');
        failure = `"${value}" cannot be set in ${path}`;
        if (!words(path).includes(controller)) writeFileSync(path, `+${controller}`);
      }
      // Opened as it is: a file that would have to be created is none of the kernel's.
      const path = join(directory, file);
      failure = `"${value}" cannot be set in ${path}`;
      writeFileSync(path, value, { flag: 'r+' });
    }
    return null;
  } catch (error) {
    return `${failure}: ${describe(error)}`;
  }
}

function ancestors(top: string, bottom: string): readonly string[] {
  return bottom === top ? [top] : [...ancestors(top, dirname(bottom)), bottom];
}

function words(path: string): readonly string[] {
  return readFileSync(path, 'utf8').trim().split(/\s+/).filter((word) => word !== '');
}

function isWithin(path: string, directory: string): boolean {
  return path === directory || path.startsWith(directory === '/' ? '/' : `${directory}/`);
}

function parentOfMounts(root: string, hierarchies: readonly Hierarchy[]): string | null {
  const parents = hierarchies.map(({ mountPoint }) => dirname(mountPoint));
  return parents.find((parent, index) => parents.indexOf(parent) !== index && isWithin(root, parent)) ?? null;
}

// The kernel knows 512M and not 512MB, nor 1_000.
function plainSize(value: string): string {
  return value.replaceAll(/[_\s]/g, '').replace(/(?<=[0-9KMGTkmgt])[bB]+$/, '');
}
