import { openLineTimes } from '../../logs/line-times.ts';
import { openMerger, type MergerInput } from '../../logs/merge.ts';
import { follow, readLog, type LogStart, type Wake } from '../../logs/tail.ts';
import type { Take } from '../../logs/pieces.ts';
import { statLog } from '../../logs/plain-file.ts';
import { openLineReader, type LineFilter, type LineReader, type TimedLine } from '../../logs/timed-lines.ts';
import { keyOf, type Source } from './sources.ts';

export interface SourcedLine extends TimedLine { readonly source: Source }

export interface Gathering {
  /** How many lines of each unit to begin with, of its streams together; null is all that fit. */
  readonly lines: number | null;
  readonly filter: LineFilter;
  /** Until it is aborted, also what is written from now on; null: only what there is. */
  readonly follow: AbortSignal | null;
  /** A line that stays unfinished for a moment, such as a question, is printed while it is followed; what comes of it later is another line. */
  readonly showsUnfinished: boolean;
  /** While it is followed: says which logs come and go, until the returned function is called. Absent: it remains at the first ones. */
  readonly onFollowing?: ((crowd: Crowd) => () => void) | undefined;
  /** What was there has been read of all logs: so many lines fit. */
  onBegun(count: number): void;
  /** So many lines of a log fit though it is not known when they were written. */
  onUndated(source: Source, count: number): void;
}

/** Which logs are followed, after the first ones. */
export interface Crowd {
  /** With what was written since then, in milliseconds of the wall clock. One that is followed goes on to be. */
  join(sources: readonly Source[], sinceMs: number): void;
  /** Those of the unit, when what the unit has said at last has had the time to be written and read. */
  leave(unit: string): void;
}

/** Lines of several logs in the order of their times. Resolves when all are printed, or when following was aborted. */
export async function gather(sources: readonly Source[], wish: Gathering, print: (lines: readonly SourcedLine[]) => Promise<void>): Promise<void> {
  const merger = openMerger<SourcedLine>(print);
  const inputs = sources.map((source) => ({ source, input: merger.add() }));
  const units = [...new Set(sources.map(({ unit }) => unit))];
  const newest = new Map(units.map((unit) => [unit, openNewest(sources.filter((source) => source.unit === unit).length, wish.lines)]));
  const { wake, end } = sharedBell();
  let begun = 0;
  let found = 0;
  const onBegun = (count: number): void => {
    begun += 1;
    found += count;
    if (begun === sources.length) wish.onBegun(found);
  };
  const followed = new Map<string, Followed>();
  const gatherFrom = async (source: Source, input: MergerInput<SourcedLine>, its: Gathering, last?: Newest): Promise<void> => {
    let { follow } = wish;
    if (follow !== null) {
      const stop = new AbortController();
      followed.set(keyOf(source), { unit: source.unit, stop, leaving: undefined });
      follow = AbortSignal.any([follow, stop.signal]);
    }
    await gatherOne(source, { ...its, follow }, input, { newest: last, wake });
    input.end();
  };
  const crowd = (onFailure: (error: unknown) => void): Crowd => ({
    join(more, sinceMs) {
      const filter = { ...wish.filter, sinceMs: Math.max(sinceMs, wish.filter.sinceMs ?? sinceMs) };
      for (const source of more) {
        const present = followed.get(keyOf(source));
        clearTimeout(present?.leaving);
        if (present === undefined) gatherFrom(source, merger.add(), { ...wish, lines: null, filter, onBegun: () => {} }).catch(onFailure);
      }
    },
    leave(unit) {
      for (const [key, present] of followed) {
        if (present.unit !== unit) continue;
        clearTimeout(present.leaving);
        present.leaving = setTimeout(() => {
          followed.delete(key);
          present.stop.abort();
        }, LAST_WORDS_MS);
      }
    },
  });
  let unfollow: (() => void) | undefined;
  try {
    await new Promise<unknown>((resolve, reject) => {
      // All that are there may leave, and others come.
      const over = wish.follow === null ? [] : [aborted(wish.follow)];
      Promise.all([...over, ...inputs.map(({ source, input }) => gatherFrom(source, input, { ...wish, onBegun }, newest.get(source.unit)))]).then(resolve, reject);
      if (wish.follow !== null) unfollow = wish.onFollowing?.(crowd(reject));
    });
    await merger.end();
  } finally {
    unfollow?.();
    for (const { leaving } of followed.values()) clearTimeout(leaving);
    end();
  }
}

interface Followed {
  readonly unit: string | null;
  readonly stop: AbortController;
  /** Runs when the unit is gone. */
  leaving: NodeJS.Timeout | undefined;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** With the other logs. */
interface Shared { readonly newest: Newest | undefined; readonly wake: Wake }

async function gatherOne(source: Source, wish: Gathering, input: MergerInput<SourcedLine>, { newest, wake }: Shared): Promise<void> {
  const { lines, filter, follow: signal, showsUnfinished, onBegun, onUndated } = wish;
  const { file, stream } = source;
  const isLimited = lines !== null && (filter.sinceMs !== null || filter.untilMs !== null || filter.pattern !== null);
  const start: LogStart = lines === null || isLimited ? filter : { lines };
  // The last ones are known when all are read.
  const last: TimedLine[] = [];
  let hasBegun = false;
  let count = 0;
  const reader = openLineReader(stream === 'supervisor' ? 'in the line' : openLineTimes(file), filter, (line) => {
    count += 1;
    if (hasBegun || lines === null) return input.push({ ...line, source });
    last.push(line);
    if (last.length > lines) last.shift();
    return undefined;
  });
  const begin = async (): Promise<void> => {
    // Of what is older than other lines that are there: later it would come behind them.
    if (signal !== null && showsUnfinished && reader.isWithinLine && Date.now() - (statLog(file)?.mtimeMs ?? 0) > patienceMs) await reader.flush();
    const first = last.splice(0);
    for (const line of await newest?.(first) ?? first) await input.push({ ...line, source });
    hasBegun = true;
    input.begun();
    onBegun(count);
    if (reader.undated > 0) onUndated(source, reader.undated);
  };
  if (signal !== null) return follow(file, start, showsUnfinished ? impatient(reader, signal) : reader.take, signal, { wake, onBegun: begin });
  await readLog(file, start, reader.take);
  await reader.flush();
  await begin();
}

/** Takes the last lines of one of several logs. Resolves, when those of all have been taken, with its lines that are among the newest of all together. */
type Newest = (lines: readonly TimedLine[]) => Promise<readonly TimedLine[]>;

/** The newest `most` lines of so many logs together; null: all of them. */
function openNewest(logs: number, most: number | null): Newest {
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

/** Hands out what a line has so far when no more of it comes for a while. */
function impatient(reader: LineReader, signal: AbortSignal): Take {
  let timer: NodeJS.Timeout | undefined;
  signal.addEventListener('abort', () => clearTimeout(timer));
  return async (chunk, place) => {
    clearTimeout(timer);
    await reader.take(chunk, place);
    // What cannot be printed ends the reading of the next chunk.
    if (reader.isWithinLine && !signal.aborted) timer = setTimeout(() => void reader.flush().catch(() => undefined), patienceMs);
  };
}

/** All logs are looked at in the same moment, so that what comes can be put in order. */
function sharedBell(): { readonly wake: Wake; end(): void } {
  const listeners = new Set<() => void>();
  const timer = setInterval(() => {
    for (const listener of listeners) listener();
  }, pollMs);
  return {
    wake: (notify) => {
      listeners.add(notify);
      return () => listeners.delete(notify);
    },
    end: () => clearInterval(timer),
  };
}

const pollMs = 200;
const LAST_WORDS_MS = 1000;
const patienceMs = 500;
