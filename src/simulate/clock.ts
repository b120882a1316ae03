import { createClock } from '../clock.ts';

/** The supervisor's own clock on virtual time: it goes from one deadline to the next, and waits for nothing. */
export function createVirtualClock() {
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
    /** Of the next deadline; null: nothing is pending. */
    get nextAt(): number | null {
      return waiting?.at ?? null;
    },
    /** Goes on to the next deadline and delivers what is due then. */
    step: (): void => {
      const entry = waiting;
      if (entry === null) return;
      waiting = null;
      now = entry.at;
      entry.wake();
    },
  };
}
