import { readFileSync } from 'node:fs';
import { errorCode } from '../errors.ts';
import { isLiving, readProcStat } from './proc.ts';

/**
 * The pid of the program that unshare(1) has started in a new pid namespace, as seen from here, once it leads a session of its own. Blocks for the
 * few milliseconds that this takes: until then nobody could signal the program. `null` when unshare ended before.
 */
export function awaitNamespaceLeader(parent: number): number | null {
  const deadline = performance.now() + patienceMs;
  while (performance.now() < deadline) {
    const child = readChild(parent);
    const stat = child === null ? null : readProcStat(child);
    if (stat !== null && stat.ppid === parent && stat.session === stat.pid) return stat.pid;
    const unshare = readProcStat(parent);
    if (unshare === null || !isLiving(unshare)) return null;
    Atomics.wait(pauseCell, 0, 0, 1);
  }
  throw new Error(`no process in the new pid namespace after ${patienceMs / 1000} s`);
}

const patienceMs = 5000;
const pauseCell = new Int32Array(new SharedArrayBuffer(4));

function readChild(pid: number): number | null {
  try {
    const [child] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
    return child === undefined || child === '' ? null : Number(child);
  } catch (error) {
    // It has ended, and so has all that it started.
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ESRCH') return null;
    throw error;
  }
}
