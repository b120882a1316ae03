import { interpreter } from '../interpreter.ts';
import { loadNative } from '../native/load.ts';

/** After what the supervisor may rest: the start of its units, or a request. */
type Work = 'start' | 'request';

/** Gives memory back that nothing at rest uses: garbage of the start, and what was read of the program for it and for requests. Returns what is to be called after each of them. */
export function keepSmall(): (work: Work) => void {
  let timer: NodeJS.Timeout | undefined;
  let hasGarbage = false;
  return (work) => {
    hasGarbage ||= work === 'start';
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (hasGarbage) interpreter.compact();
      hasGarbage = false;
      void loadNative().then((port) => port?.dropCode());
    }, restAfterMs[work]).unref();
  };
}

/** Measurements go on for some seconds after a Status, and who has asked once often asks again. What follows a start is done after a second. */
const restAfterMs: Readonly<Record<Work, number>> = { start: 1000, request: 10_000 };
