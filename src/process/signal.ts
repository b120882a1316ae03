import type { ProcessIdentity, SignalName } from '../../machines/types.ts';
import { hasCode } from '../errors.ts';
import { signalNumber } from '../signals.ts';
import { readAlive } from './identity.ts';
import type { ProcessStat } from './proc.ts';

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

/** Signals to the processes of one leader, and questions about them. What goes wrong is reported once per text and never thrown. */
export class Sender {
  readonly #onProblem: (text: string) => void;
  /** Made with the first report: hardly a process has any. */
  #reported: Set<string> | null = null;

  constructor(onProblem: (text: string) => void) {
    this.#onProblem = onProblem;
  }

  toProcess(target: ProcessIdentity, signal: SignalName): Delivery | 'failed' {
    return this.#send(`process ${target.pid}`, signal, () => signalProcess(target, signal));
  }

  /** The leader alone. `unreaped`: it is our child and its end is not known. */
  toLeader(leader: ProcessIdentity, unreaped: boolean, signal: SignalName): Delivery | 'failed' {
    return this.#send(`process ${leader.pid}`, signal, () => (unreaped ? signalUnreaped(leader.pid, signal) : signalProcess(leader, signal)));
  }

  /** The leader's group, when it is unreaped or when it or one of `members` lives in the group. */
  toGroup(leader: ProcessIdentity, unreaped: boolean, members: Iterable<ProcessIdentity>, signal: SignalName): Delivery | 'failed' {
    return this.#send(`process group ${leader.pid}`, signal, () => (
      unreaped ? signalUnreaped(leader.pid, signal, { group: true }) : signalGroup(leader.pid, [leader, ...members], signal)
    ));
  }

  /** What that very process is doing; `null` when it is dead, `unknown` when it cannot be looked at now. */
  look(target: ProcessIdentity): ProcessStat | 'unknown' | null {
    try {
      return readAlive(target);
    } catch (error) {
      this.problem(`process ${target.pid} cannot be looked at: ${String(error)}`);
      return 'unknown';
    }
  }

  problem(text: string): void {
    this.#reported ??= new Set();
    if (this.#reported.has(text)) return;
    this.#reported.add(text);
    this.#onProblem(text);
  }

  #send(target: string, signal: SignalName, deliver: () => Delivery): Delivery | 'failed' {
    try {
      const delivery = deliver();
      if (delivery === 'forbidden') this.problem(`${target} cannot be signalled: operation not permitted`);
      if (delivery === 'unknown') this.problem(`${signal} is not a signal of this platform: ${target} got none`);
      return delivery;
    } catch (error) {
      this.problem(`${target} cannot be signalled: ${String(error)}`);
      return 'failed';
    }
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
