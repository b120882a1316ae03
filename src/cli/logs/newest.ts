import type { TimedLine } from '../../logs/timed-lines.ts';

/** Takes the last lines of one of several logs. Resolves, when those of all have been taken, with its lines that are among the newest of all together. */
export type Newest = (lines: readonly TimedLine[]) => Promise<readonly TimedLine[]>;

/** The newest `most` lines of so many logs together; null: all of them. */
export function openNewest(logs: number, most: number | null): Newest {
  if (logs === 1 || most === null) return (lines) => Promise.resolve(lines);
  const taken: { readonly line: TimedLine; readonly at: number }[] = [];
  let left = logs;
  let choose: (newest: ReadonlySet<TimedLine>) => void = () => undefined;
  const chosen = new Promise<ReadonlySet<TimedLine>>((resolve) => {
    choose = resolve;
  });
  return async (lines) => {
    // What the same log holds later was written later, also without a time of its own, and even if the clock was set back.
    let latest = -Infinity;
    for (const line of lines) {
      latest = Math.max(latest, line.at ?? -Infinity);
      taken.push({ line, at: latest });
    }
    left -= 1;
    const inOrder = left > 0 ? [] : taken.toSorted((one, other) => (one.at === other.at ? 0 : one.at - other.at));
    if (left === 0) choose(new Set(most === 0 ? [] : inOrder.slice(-most).map(({ line }) => line)));
    const newest = await chosen;
    return lines.filter((line) => newest.has(line));
  };
}
