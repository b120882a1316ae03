import type { ProcessIdentity, SignalName } from '../../machines/types.ts';
import { hasCode } from '../errors.ts';
import { signalNumber } from '../signals.ts';
import { readAlive } from './identity.ts';

/** What became of a signal. `forbidden`: it lives and we may not signal it. `unknown`: no such signal on this platform. */
export type Delivery = 'sent' | 'dead' | 'forbidden' | 'unknown';

/** Signals that very process, verified just before; a process that only has its pid gets nothing. */
export function signalProcess(target: ProcessIdentity, signal: SignalName): Delivery {
  return readAlive(target) === null ? 'dead' : deliver(target.pid, signal);
}

/** Signals a process that is our child and was not reaped, or with `group` the whole group that it leads: its pid cannot have been given away, however it ended. */
export function signalUnreaped(pid: number, signal: SignalName, { group = false } = {}): Delivery {
  return deliver(group ? -pid : pid, signal);
}

/** Signals a group when one of `members` lives in it now: while it does, the group's number is not anyone else's. */
export function signalGroup(pgid: number, members: Iterable<ProcessIdentity>, signal: SignalName): Delivery {
  for (const member of members) if (readAlive(member)?.pgrp === pgid) return deliver(-pgid, signal);
  return 'dead';
}

/** Nothing is left of the group, not even a zombie. */
export function isGroupEmpty(pgid: number): boolean {
  try {
    process.kill(guarded(-pgid), 0);
    return false;
  } catch (error) {
    return hasCode(error, 'ESRCH');
  }
}

function deliver(target: number, signal: SignalName): Delivery {
  const number = signalNumber(signal);
  if (number === null) return 'unknown';
  try {
    process.kill(guarded(target), number);
    return 'sent';
  } catch (error) {
    if (hasCode(error, 'ESRCH')) return 'dead';
    if (hasCode(error, 'EPERM')) return 'forbidden';
    throw error;
  }
}

// kill(2): 0 is our own group, −1 every process there is.
function guarded(target: number): number {
  if (!Number.isInteger(target) || (target < 2 && target > -2) || target === process.pid) throw new Error(`refusing to signal ${target}`);
  return target;
}
