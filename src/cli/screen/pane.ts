import type { Call } from '../call.ts';
import { printable } from '../../width.ts';
import { openFeed, type LogFeed } from './log-feed.ts';
import { paneLines } from './log-view.ts';

/**
 * The newest log lines of the unit under the cursor. `draw` is called when there is something new. The logs of a unit are opened when the cursor has rested
 * on it for a moment.
 */
export function openPane(call: Call, draw: () => void) {
  let unit: string | null = null;
  let feed: LogFeed | null = null;
  let timer: NodeJS.Timeout | undefined;
  const close = (): void => {
    clearTimeout(timer);
    feed?.close();
    [unit, feed] = [null, null];
  };
  return {
    /** Of this unit from now on; as many lines as are asked for. */
    lines(wanted: string | null, allUnits: readonly string[], look: Parameters<typeof paneLines>[2]): readonly string[] {
      if (wanted !== unit) {
        close();
        unit = wanted;
        if (wanted !== null) {
          timer = setTimeout(() => {
            feed = openFeed(call, { units: [wanted], allUnits, first: FIRST_LINES, kept: FIRST_LINES, onChange: draw });
          }, REST_MS);
        }
      }
      return paneLines(wanted === null ? 'no unit' : printable(wanted), feed ?? NOTHING, look);
    },
    close,
  };
}

const NOTHING = { sources: [], lines: [], problem: '…' };
const FIRST_LINES = 100;
const REST_MS = 80;
