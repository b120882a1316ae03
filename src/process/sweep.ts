import type { ProcessIdentity, SignalName } from '../../machines/types.ts';
import { livingChildren } from './children.ts';
import { makeEnding } from './ending.ts';

export interface SweepInput {
  readonly leader: ProcessIdentity;
  readonly token: string;
  readonly signal: SignalName;
  /** From the signal to SIGKILL. */
  readonly stopTimeoutMs: number;
  /** The members of the leader's group are someone else's to end. */
  readonly spareGroup: boolean;
  onProblem(text: string): void;
}

/**
 * Ends those who left the group of a leader that has ended, found by their token: the signal, then SIGKILL. Delays nobody and is bound to
 * nobody; gives up on what survives SIGKILL for 30 s.
 */
export function sweep({ leader, token, signal, stopTimeoutMs, spareGroup, onProblem }: SweepInput): void {
  // A later process with the same token, and what it started, is not ours to end.
  const isHeirs = (startTime: string) => livingChildren().some(({ identity, token: theirs }) => (
    theirs === token && Number(startTime) >= Number(identity.startTime)
  ));
  const { promise, end } = openEntry();
  const timers: NodeJS.Timeout[] = [];
  const ending = makeEnding({
    leader,
    token,
    child: null,
    isForeign: (process) => (spareGroup && (process.pgrp === leader.pid || process.session === leader.pid)) || isHeirs(process.startTime),
    onGone: finish,
    onProblem,
  });
  function finish(): void {
    for (const timer of timers) clearTimeout(timer);
    underWay.delete(promise);
    end();
  }
  underWay.add(promise);
  ending.stop(signal);
  timers.push(setTimeout(() => {
    ending.kill();
    timers.push(setTimeout(() => {
      ending.detach();
      onProblem(`processes that left the group of ${leader.pid} survive SIGKILL`);
      finish();
    }, surrenderMs));
  }, Math.min(stopTimeoutMs, longestTimerMs)));
}

/** Settled when the sweeps now under way have ended what they found. */
export async function sweepsEnded(): Promise<void> {
  await Promise.all(underWay);
}

/** Node fires at once what is to wait longer. */
export const longestTimerMs = 2 ** 31 - 1;

const surrenderMs = 30_000;
const underWay = new Set<Promise<void>>();

function openEntry(): { readonly promise: Promise<void>; readonly end: () => void } {
  let end = () => {};
  const promise = new Promise<void>((resolve) => {
    end = resolve;
  });
  return { promise, end };
}
