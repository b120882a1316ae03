import { createClock, type Clock } from '../clock.ts';

/** The supervisor's own clock on virtual time: it goes from one deadline to the next, and waits for nothing. */
export interface VirtualClock extends Clock {
  /** Of the next deadline; null: nothing is pending. */
  readonly nextAt: number | null;
  /** Goes on to the next deadline and delivers what is due then. */
  step(): void;
}

export function createVirtualClock(): VirtualClock {
  let now = 0;
  let waiting: { readonly at: number; readonly wake: () => void } | null = null;
  const clock = createClock({
    now: () => now,
    wait: (ms, wake) => {
      const entry = { at: now + ms, wake };
      waiting = entry;
      return () => {
        if (waiting === entry) waiting = null;
      };
    },
    // Virtual time is never late.
    afterPoll: (wake) => wake(),
  });
  return {
    ...clock,
    get nextAt() {
      return waiting?.at ?? null;
    },
    step: () => {
      const entry = waiting;
      if (entry === null) return;
      waiting = null;
      now = entry.at;
      entry.wake();
    },
  };
}
