import { createActor, fromCallback } from 'xstate';
import { provideEnding } from '../../machines/ending.ts';
import type { ProcessOrder, ProcessReport, SignalName } from '../../machines/types.ts';
import type { Clock } from '../clock.ts';
import { livingChildren, type Child } from './children.ts';
import { makeEnding, type EndingInput } from './ending.ts';
import { scan, type ScannedProcess } from './scan.ts';
import { belonging } from './tree.ts';

export interface EndProcessRequest extends Pick<EndingInput, 'leader' | 'token' | 'isForeign' | 'onProblem'> {
  readonly clock: Clock;
  /** The leader as our child. */
  readonly child?: Child | null;
  readonly signal: SignalName;
  /** Milliseconds from the signal to SIGKILL. */
  readonly graceMs: number;
  /** How often SIGKILL is sent, after ever longer waits, before the survivors are given up. */
  readonly mostKills: number;
}

/** Ends a process that belongs to no unit and all that comes from it. Resolves to whether everything was seen dead, false when some of it was given up. */
export function endProcess(request: EndProcessRequest): Promise<boolean> {
  const { clock, signal, graceMs, mostKills } = request;
  const actor = createActor(provideEnding({ clock, custody: custodyOf(request) }), { input: { order: 'stop', signal, graceMs, at: clock.now() } });
  return new Promise((resolve) => {
    actor.subscribe({
      next({ context }) {
        if (context.killsOrdered <= mostKills) return;
        clock.disarm(actor);
        actor.stop();
        resolve(false);
      },
      complete: () => resolve(true),
    });
    actor.start();
  });
}

export interface SweepRequest extends Omit<EndProcessRequest, 'child' | 'mostKills' | 'isForeign'> {
  /** The members of the leader's group are someone else's to end. */
  readonly spareGroup: boolean;
}

/**
 * Ends those who left the group of a leader that has ended, found by their token: the signal, then SIGKILL. Delays nobody and is bound to
 * nobody; gives up on what survives SIGKILL for 30 s.
 */
export function sweep({ spareGroup, ...request }: SweepRequest): void {
  const { leader, token, onProblem } = request;
  // A later process with the same token, and what it started, is not ours to end.
  const isHeirs = (startTime: string) => livingChildren().some(({ identity, token: theirs }) => (
    theirs === token && Number(startTime) >= Number(identity.startTime)
  ));
  const isForeign = (process: ScannedProcess) => (
    (spareGroup && (process.pgrp === leader.pid || process.session === leader.pid)) || isHeirs(process.startTime)
  );
  // Nearly always nobody has left the group: then one look, which a thousand ends share, is all.
  const isNeeded = scan().then((table) => belonging(table, { leader, token, known: new Map() }, false).some((process) => !isForeign(process)), () => true);
  const run = isNeeded.then(async (needed) => {
    const gone = !needed || await endProcess({ ...request, mostKills: 4, isForeign });
    underWay.delete(run);
    if (!gone) onProblem(`processes that left the group of ${leader.pid} survive SIGKILL`);
  });
  underWay.add(run);
}

/** Settled when the sweeps now under way have ended what they found. */
export async function sweepsEnded(): Promise<void> {
  await Promise.all(underWay);
}

const underWay = new Set<Promise<void>>();

function custodyOf({ clock, child = null, ...request }: EndProcessRequest) {
  return fromCallback<ProcessOrder>(({ sendBack, receive }) => {
    const ending = makeEnding({ ...request, child, onGone: () => sendBack({ type: 'process.gone', generation: 1, at: clock.now() } satisfies ProcessReport) });
    receive((order) => ending.obey(order));
    return () => ending.detach();
  });
}
