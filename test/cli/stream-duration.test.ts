import { expect, test } from 'vitest';
import { parseStreamDuration } from '../../src/cli/stream-duration.ts';

test.each([['5', 5000], ['2s', 2000], ['0.5s', 500], ['.5 secs', 500], ['1.5M', 90_000], ['2 hours', 7_200_000], ['1d', 86_400_000], ['1week', 604_800_000], ['0.01s', 100]])(
  '%j is %i ms', (text, ms) => {
    expect(parseStreamDuration(text)).toEqual({ ok: true, ms });
  },
);

test.each([
  ['', 'Stream duration cannot be empty'], ['0', 'Stream duration must be positive'], ['0s', 'Window duration must be positive'],
  ['1.5', 'Invalid window format: 1.5'], ['-5', 'Invalid window format: -5'], ['xs', 'Invalid number in window: '], ['5 fortnights', 'Unknown time unit: fortnights'],
  ['99999999999', 'Invalid stream duration: 99999999999'],
])('%j is refused: %s', (text, reason) => {
  expect(parseStreamDuration(text)).toEqual({ ok: false, problem: `Invalid stream duration '${text}': ${reason}` });
});
