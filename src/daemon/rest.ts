import { loadNative } from '../native/load.ts';

/**
 * Gives memory back that nothing at rest uses: what was read of the program for a start and for requests. Returns what is to be called with each request, and
 * once the first start is over.
 */
export function keepSmall(): (restsAfterMs?: number) => void {
  let timer: NodeJS.Timeout | undefined;
  return (restsAfterMs = AFTER_REQUEST_MS) => {
    clearTimeout(timer);
    timer = setTimeout(() => void loadNative().then((port) => port?.dropCode()), restsAfterMs).unref();
  };
}

/** Measurements go on for some seconds after a Status, and who has asked once often asks again. */
const AFTER_REQUEST_MS = 10_000;
/** What follows a start is done by then. */
export const AFTER_START_MS = 1000;
