import { textOf } from '../../errors.ts';
import { textOfLine } from '../../logs/lines.ts';
import { logStreams, makeLogLookup } from '../../logs/names.ts';
import type { Call } from '../call.ts';
import { followUnits } from '../logs/comings.ts';
import { gather, type SourcedLine } from '../logs/gather.ts';
import { keyOf, type Source } from '../logs/sources.ts';
import { legible } from '../../width.ts';

/** A line of a log, with nothing in its text that could steer the terminal. */
export interface FeedLine extends SourcedLine {
  readonly text: string;
  /** Counts up from 0, whatever was let go. */
  readonly number: number;
}

/** The newest lines of both streams of some units, in the order of their times, as they come. */
export interface LogFeed {
  readonly sources: readonly Source[];
  readonly lines: readonly FeedLine[];
  /** Why a log cannot be read; empty: all can. */
  readonly problem: string;
  close(): void;
}

export interface FeedInput {
  /** Null: all that there are, and those that come. */
  readonly units: readonly string[] | null;
  /** All that there are: a log file belongs to the unit of its exact name. */
  readonly allUnits: readonly string[];
  /** Lines of each log to begin with, and lines to keep of all of them. */
  readonly first: number;
  readonly kept: number;
  onChange(): void;
}

export function openFeed(call: Call, { units, allUnits, first, kept, onChange }: FeedInput): LogFeed {
  const fileOf = makeLogLookup(call.paths.logDir, allUnits);
  const sourcesOf = (unit: string): Source[] => logStreams.map((stream) => ({ unit, stream, title: unit, file: fileOf(unit, stream) }));
  const stop = new AbortController();
  const feed: { -readonly [Key in keyof LogFeed]: LogFeed[Key] } = { sources: (units ?? allUnits).flatMap(sourcesOf), lines: [], problem: '', close: () => stop.abort() };
  let count = 0;
  const add = (more: readonly SourcedLine[]): Promise<void> => {
    if (stop.signal.aborted) return Promise.resolve();
    feed.sources = [...new Map([...feed.sources, ...more.map(({ source }) => source)].map((source) => [keyOf(source), source])).values()];
    feed.lines = [...feed.lines, ...more.map((line) => ({ ...line, text: legible(textOfLine(line.bytes)), number: (count += 1) - 1 }))].slice(-kept);
    onChange();
    return Promise.resolve();
  };
  const everything = { sinceMs: null, untilMs: null, pattern: null };
  const onFollowing = units !== null ? undefined : followUnits(call, { units: allUnits, askedMs: Date.now(), sourcesOf });
  gather(feed.sources, { lines: first, filter: everything, follow: stop.signal, showsUnfinished: true, onFollowing, onBegun: onChange, onUndated: () => {} }, add).catch((error: unknown) => {
    if (stop.signal.aborted) return;
    feed.problem = textOf(error);
    onChange();
  });
  return feed;
}
