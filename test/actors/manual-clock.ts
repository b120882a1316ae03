import type { AnyActorRef } from 'xstate';
import type { Clock } from '../../src/clock.ts';
import { until } from '../until.ts';

/** A clock that stands still until a test moves it. */
export interface ManualClock extends Clock {
  /** Waits until something is to happen in exactly this many milliseconds, and lets them pass. */
  pass(ms: number): Promise<void>;
  advance(ms: number): void;
  /** How long until each thing that is to happen. */
  pending(): readonly number[];
}

export function makeManualClock(): ManualClock {
  let now = 1000;
  let entries: { readonly at: number; readonly fire: () => void }[] = [];
  const pending = (): readonly number[] => entries.map(({ at }) => at - now);
  const advance = (ms: number): void => {
    now += ms;
    const due = entries.filter(({ at }) => at <= now);
    entries = entries.filter(({ at }) => at > now);
    for (const { fire } of due) fire();
  };
  const at: Clock['at'] = (moment, fire) => {
    const entry = { at: moment, fire };
    entries.push(entry);
    return () => {
      entries = entries.filter((other) => other !== entry);
    };
  };
  const armed = new Map<AnyActorRef, () => void>();
  return {
    now: () => now,
    at,
    arm: ({ target, kind, generation, at: moment }) => {
      armed.get(target)?.();
      armed.set(target, at(moment, () => target.send({ type: `deadline.${kind}`, generation, at: now })));
    },
    disarm: (target) => armed.get(target)?.(),
    close: () => undefined,
    pending,
    advance,
    async pass(ms) {
      await until(`something is to happen in ${ms} ms`, () => pending().includes(ms));
      advance(ms);
    },
  };
}
