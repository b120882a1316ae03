import { setTimeout as pause } from 'node:timers/promises';

/** Work that is done again when it was asked for meanwhile, never twice at a time and not oftener than every `leastPauseMs`. */
export function makeTurns(work: () => Promise<void>, leastPauseMs: number, guard: (work: Promise<void>) => void): () => void {
  const asked = { busy: false, again: false };
  const turns = async (): Promise<void> => {
    asked.busy = true;
    do {
      asked.again = false;
      await work();
      await pause(leastPauseMs);
    } while (asked.again);
    asked.busy = false;
  };
  return () => {
    if (asked.busy) asked.again = true;
    else guard(turns());
  };
}
