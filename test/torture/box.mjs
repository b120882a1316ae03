// Namespaces of its own for a run: every process in them belongs to it, its disk is small, and its machine can be said to have booted anew.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const isRoot = process.getuid() === 0;
const unshare = ['--pid', '--mount', '--ipc', '--uts', '--fork', '--kill-child', '--mount-proc', ...(isRoot ? [] : ['--user', '--map-root-user'])];

/** Why there are no namespaces to be had here, or null. */
export function obstacle() {
  if (process.platform !== 'linux') return 'namespaces are Linux\'s';
  const tried = spawnSync('unshare', [...unshare, 'mount', '-t', 'tmpfs', 'sysg-torture', '/mnt'], { encoding: 'utf8' });
  return tried.status === 0 ? null : `unshare(1) says: ${tried.error?.message ?? tried.stderr.trim()}`;
}

/** Runs a module of this directory in there, with the arguments, and returns its exit code. The first process is a shell: it reaps orphans. */
export function runInBox(module, args) {
  const { NODE_EXTRA_CA_CERTS: _certificates, SYSG_INSTANCE: _token, ...env } = process.env;
  const mount = mkdtempSync(join(tmpdir(), 'sysg-torture-'));
  const ended = spawnSync('unshare', [...unshare, 'sh', '-c', '"$@" & wait $!', 'sh', process.execPath, module, ...args], {
    stdio: 'inherit', env: { ...env, SYSG_TORTURE_BOX: mount },
  });
  rmSync(mount, { recursive: true, force: true });
  return ended.status ?? 1;
}

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
