import type { PrivilegeSpec } from '../../machines/types.ts';
import { refuse } from '../errors.ts';
import { byTool, chained, type Wrapping } from './tools.ts';

type Sandbox = NonNullable<PrivilegeSpec['sandbox']>;

/**
 * How a program gets a view of the files of its own: a mount namespace, in which mounts are changed before the program is executed in their place. The first
 * change that fails ends it all.
 */
export function mountWrapping(sandbox: Sandbox | undefined, searchPath: string | undefined): Wrapping {
  if (sandbox === undefined || !(sandbox.readOnlyRoot || sandbox.privateTmp)) return { ok: true, prefix: [] };
  if (process.platform !== 'linux') return refuse('sandbox is only available on Linux');
  if (process.getuid?.() !== 0) return refuse(`${sandbox.readOnlyRoot ? 'sandbox.read_only_root' : 'sandbox.private_tmp'} needs a supervisor that runs as root`);
  const script = [keepWritable, ...(sandbox.readOnlyRoot ? [closeAll] : []), ...(sandbox.privateTmp ? [emptyTmp] : []), 'exec "$@"'].join('\n');
  return chained([
    byTool('unshare', 'sandbox needs', searchPath, '--mount', '--propagation', 'slave', '--', '/bin/sh', '-euc', script),
    byTool('mount', 'sandbox needs', searchPath),
    byTool('sed', 'sandbox needs', searchPath, String(sandbox.writable.length), ...sandbox.writable),
  ]);
}

// The words are 0: mount, 1: sed, both by their paths, since the PATH is the service's and this is done by root; 2: how many directories stay writable, then those
// directories, then the program and its words. A mount of its own keeps each apart.
const keepWritable = `
sed=$1; count=$2; shift 2; kept=:
while [ "$count" -gt 0 ]; do "$0" --bind "$1" "$1"; kept="$kept$1:"; shift; count=$((count - 1)); done`;

// proc_pid_mountinfo(5): the fifth field is the place, with blanks as \040. Devices, /proc and /sys are guarded by the kernel itself.
const closeAll = `
table=$("$sed" 's/\\\\\\([0-7][0-7][0-7]\\)/\\\\0\\1/g' /proc/self/mountinfo)
while read -r _ _ _ _ place _; do
  place=$(printf '%b.' "$place"); place=\${place%.}
  case $place in /proc|/proc/*|/sys|/sys/*|/dev|/dev/*) continue ;; esac
  case $kept in *":$place:"*) continue ;; esac
  "$0" -o remount,bind,ro "$place"
done <<END
$table
END`;

const emptyTmp = `
for place in /tmp /var/tmp; do "$0" -t tmpfs -o mode=1777,nosuid,nodev tmpfs "$place"; done`;
