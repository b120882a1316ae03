import { createActor, fromCallback } from 'xstate';
import { provideEnding } from '../../machines/ending.ts';
import type { ProcessOrder, ProcessReport, SignalName } from '../../machines/types.ts';
import type { Clock } from '../clock.ts';
import type { Child } from './children.ts';
import { makeEnding, type EndingInput } from './ending.ts';

export interface EndProcessRequest extends Pick<EndingInput, 'leader' | 'token' | 'onProblem'> {
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

/** As `endProcess`, delaying nobody; gives up on what survives SIGKILL for 30 s. */
export function sweep(request: Omit<EndProcessRequest, 'child' | 'mostKills'>): void {
  const run = endProcess({ ...request, mostKills: 4 }).then((gone) => {
    if (!gone) request.onProblem(`processes that came from pid ${request.leader.pid} survive SIGKILL`);
  });
  underWay = Promise.all([underWay, run]).then(() => undefined);
}

/** Settled when the sweeps now under way have ended what they found. */
export function sweepsEnded(): Promise<void> {
  return underWay;
}

let underWay = Promise.resolve();

function custodyOf({ clock, child = null, ...request }: EndProcessRequest) {
  return fromCallback<ProcessOrder>(({ sendBack, receive }) => {
    const ending = makeEnding({ ...request, child, onGone: () => sendBack({ type: 'process.gone', generation: 1, at: clock.now() } satisfies ProcessReport) });
    receive((order) => ending.obey(order));
    return () => ending.detach();
  });
}
