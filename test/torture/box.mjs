// Namespaces of its own for a run: every process in them belongs to it, its disk is small, and its machine can be said to have booted anew.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, rmdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

const isRoot = process.getuid() === 0;
const unshare = ['--pid', '--mount', '--ipc', '--uts', '--fork', '--kill-child', '--mount-proc', ...(isRoot ? [] : ['--user', '--map-root-user'])];

/** Why there are no namespaces to be had here, or null. */
export function obstacle() {
  if (process.platform !== 'linux') return 'namespaces are Linux\'s';
  const tried = spawnSync('unshare', [...unshare, 'mount', '-t', 'tmpfs', 'sysg-torture', '/mnt'], { encoding: 'utf8' });
  return tried.status === 0 ? null : `unshare(1) says: ${tried.error?.message ?? tried.stderr.trim()}`;
}

/**
 * Runs a module of this directory in there, with the arguments, and returns its exit code. The first process is a shell: it reaps orphans. Where control
 * groups can be made, the box has a root of its own in each hierarchy: what its processes do to groups stays in the box.
 */
export function runInBox(module, args) {
  const { NODE_EXTRA_CA_CERTS: _certificates, SYSG_INSTANCE: _token, ...env } = process.env;
  const box = mkdtempSync(join(tmpdir(), 'sysg-torture-'));
  const groups = makeGroups(basename(box));
  const inner = [process.execPath, module, ...args];
  const ended = spawnSync('sh', [
    '-c', enterGroups, 'sh', ...groups.map(({ directory }) => join(directory, 'cgroup.procs')), '--',
    'unshare', ...unshare, ...(groups.length > 0 ? ['--cgroup'] : []), 'sh', '-c', '"$@" & wait $!', 'sh', ...inner,
  ], {
    stdio: 'inherit', env: { ...env, SYSG_TORTURE_BOX: box, SYSG_TORTURE_GROUPS: groups.map(({ name, directory, mountPoint }) => `${name} ${directory} ${mountPoint}`).join('\n') },
  });
  rmSync(box, { recursive: true, force: true });
  for (const { directory } of groups) removeGroups(directory);
  return ended.status ?? 1;
}

/** Moves the shell, and all that it becomes. */
const enterGroups = 'while [ "$1" != -- ]; do echo 0 >"$1" || exit 126; shift; done; shift; exec "$@"';

/** One new group in version 2 and in the `pids` hierarchy of version 1, as far as they are mounted here and may be written to. */
function makeGroups(box) {
  const own = readFileSync('/proc/self/cgroup', 'utf8').split('\n').map((line) => line.split(':'));
  return readFileSync('/proc/self/mountinfo', 'utf8').split('\n').flatMap((line) => {
    const [before = '', after = ''] = line.split(' - ');
    const [type, , options = ''] = after.split(' ');
    const name = type === 'cgroup' && options.split(',').includes('pids') ? 'pids' : type;
    const path = own.find(([, controllers]) => (name === 'cgroup2' ? controllers === '' : controllers?.split(',').includes(name)))?.[2];
    if ((name !== 'cgroup2' && name !== 'pids') || path === undefined) return [];
    const mountPoint = before.split(' ')[4];
    const directory = join(mountPoint, path, box);
    try {
      mkdirSync(directory);
      return [{ name, directory, mountPoint }];
    } catch {
      // Not ours to use here.
      return [];
    }
  });
}

function removeGroups(directory) {
  for (const name of spawnSync('find', [directory, '-depth', '-type', 'd'], { encoding: 'utf8' }).stdout.split('\n').filter((line) => line !== '')) {
    try {
      rmdirSync(name);
    } catch {
      // Somebody who is dying is in it still; the box has ended, and an empty group costs nothing.
    }
  }
}

/** Lays the groups of the box over the hierarchies. Returns where each is mounted, by `cgroup2` and `pids`. */
export function mountGroups() {
  if (mounted !== null) return mounted;
  mounted = {};
  for (const line of (process.env.SYSG_TORTURE_GROUPS ?? '').split('\n').filter((text) => text !== '')) {
    const [name, directory, mountPoint] = line.split(' ');
    must('mount', ['--bind', directory, mountPoint]);
    mounted[name] = mountPoint;
  }
  return mounted;
}
let mounted = null;

/** The directory of a run inside the box. */
export function boxDirectory() {
  return process.env.SYSG_TORTURE_BOX;
}

export function mountDisk(directory, megabytes) {
  mkdirSync(directory, { recursive: true });
  must('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=700`, 'sysg-torture', directory]);
}

export function unmountDisk(directory) {
  spawnSync('umount', ['-l', directory]);
}

/** From now on nothing can be written by a path in the directory. Returns what ends that. */
export function mountReadOnly(directory) {
  // Made where nobody looks: one that is written by a path of its own cannot become read-only.
  const aside = `${boxDirectory()}/read-only`;
  mkdirSync(aside, { recursive: true });
  must('mount', ['--bind', directory, aside]);
  must('mount', ['-o', 'remount,bind,ro', aside]);
  must('mount', ['--bind', aside, directory]);
  unmountDisk(aside);
  let isOver = false;
  return () => {
    if (!isOver) unmountDisk(directory);
    isOver = true;
  };
}

/** From now on `path` reads as `text`, for this box alone. Returns what changes the text. */
export function cover(path, file, text) {
  writeFileSync(file, text);
  must('mount', ['--bind', file, path]);
  return (next) => writeFileSync(file, next);
}

function must(tool, args) {
  const { status, stderr, error } = spawnSync(tool, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${tool} ${args.join(' ')}: ${error?.message ?? stderr}`);
}
