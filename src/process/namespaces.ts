import { readFileSync } from 'node:fs';
import type { PrivilegeSpec, ProcessIdentity } from '../../machines/types.ts';
import { attempt, refuse } from '../errors.ts';
import { identityOf } from './identity.ts';
import { gone, isLiving, readProcStat } from './proc.ts';
import { byTool, chained, type Wrapping } from './tools.ts';

type Isolation = PrivilegeSpec['isolation'];

/**
 * How a program gets namespaces of its own, by one unshare(1). In a user namespace it keeps its ids: they are mapped to themselves.
 * `keepCapabilities` hands those of the new user namespace on to the next tool.
 *
 * unshare(2) puts only a later child into a new pid namespace: there unshare(1) stays as the parent of the program and ends as it does.
 * The program becomes the leader of a session and a group of its own, apart from that parent.
 */
export function namespaceWrapping(isolation: Isolation, keepCapabilities: boolean, searchPath: string | undefined): Wrapping {
  const kinds = (['network', 'mount', 'pid', 'user'] as const).filter((kind) => isolation[kind]);
  if (kinds.length === 0) return { ok: true, prefix: [] };
  if (process.platform !== 'linux') return refuse('isolation features are only available on Linux');
  const words = isolation.user ? ['--user', '--map-current-user'] : [];
  if (isolation.user && keepCapabilities) words.push('--keep-caps');
  if (isolation.network) words.push('--net');
  if (isolation.mount) words.push('--mount', '--propagation', 'private');
  const unshare = (...more: readonly string[]): Wrapping => byTool('unshare', 'isolation needs', searchPath, ...words, ...more, '--');
  if (!isolation.pid) return unshare();
  // Another /proc would hide the namespace's processes from nobody but show it those of the host.
  const ownProc = isolation.mount ? ['--mount-proc'] : [];
  return chained([unshare(...ownProc, '--pid', '--fork', '--kill-child'), byTool('setsid', 'isolation.pid needs', searchPath)]);
}

/**
 * The program that unshare(1) has started in a new pid namespace, as seen from here, once it leads a session of its own. Blocks for the
 * few milliseconds that this takes: until then nobody could signal the program. `null` when unshare ended before.
 */
export function awaitNamespaceLeader(parent: number): ProcessIdentity | null {
  const deadline = performance.now() + patienceMs;
  while (performance.now() < deadline) {
    const child = readChild(parent);
    const stat = child === null ? null : readProcStat(child);
    if (stat !== null && stat.ppid === parent && stat.session === stat.pid) return identityOf(stat);
    const unshare = readProcStat(parent);
    if (unshare === null || !isLiving(unshare)) return null;
    Atomics.wait(pauseCell, 0, 0, 1);
  }
  throw new Error(`no process in the new pid namespace after ${patienceMs / 1000} s`);
}

const patienceMs = 5000;
const pauseCell = new Int32Array(new SharedArrayBuffer(4));

function readChild(pid: number): number | null {
  // The parent may have ended, and so has all that it started.
  const [child = ''] = attempt(() => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8'), '', ...gone).trim().split(' ');
  return child === '' ? null : Number(child);
}
