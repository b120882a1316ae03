import { existsSync } from 'node:fs';
import { openLineTimes } from '../logs/line-times.ts';
import { textOfLine } from '../logs/lines.ts';
import { makeLogLookup, type LogStream } from '../logs/names.ts';
import { follow, readLog } from '../logs/tail.ts';
import { openLineReader, type TimedLine } from '../logs/timed-lines.ts';
import type { Sink } from './event-stream.ts';

/** One line of a unit's output. `at`: null where nobody knows when it was written. */
export interface LogLine { readonly at: string | null; readonly stream: LogStream; readonly line: string }

export interface LogChoice {
  readonly logDir: string;
  /** Of all units: names that are alike have files of their own. */
  readonly names: readonly string[];
  readonly unit: string;
  readonly streams: readonly LogStream[];
  readonly lines: number;
}

/** The last lines of the chosen streams, in the order of time. */
export async function lastLogLines(choice: LogChoice): Promise<readonly LogLine[]> {
  const found: LogLine[][] = await Promise.all(filesOf(choice).map(async ({ stream, file }) => {
    const lines: LogLine[] = [];
    if (!existsSync(file)) return lines;
    const reader = openLineReader(openLineTimes(file), everything, (line) => void lines.push(asLine(line, stream)));
    await readLog(file, { lines: choice.lines }, reader.take);
    await reader.flush();
    return lines;
  }));
  return inOrder(found.flat()).slice(-choice.lines);
}

/** The last lines, then those that come, until the client leaves. A slow client reads at its own pace. */
export async function followLogs(choice: LogChoice, sink: Sink): Promise<void> {
  const begun: LogLine[] = [];
  let waits = filesOf(choice).length;
  let batch: LogLine[] = [];
  const flush = async (): Promise<void> => {
    if (batch.length === 0 || waits > 0) return;
    const lines = batch;
    batch = [];
    sink.send('lines', lines);
    await sink.room();
  };
  await Promise.all(filesOf(choice).map(({ stream, file }) => {
    let isBegun = false;
    const reader = openLineReader(openLineTimes(file), everything, async (line) => {
      (isBegun ? batch : begun).push(asLine(line, stream));
      if (batch.length >= MOST_AT_ONCE) await flush();
    });
    return follow(file, { lines: choice.lines }, async (chunk, place) => {
      await reader.take(chunk, place);
      await flush();
    }, sink.signal, {
      onBegun: async () => {
        isBegun = true;
        waits -= 1;
        if (waits > 0) return;
        sink.send('lines', inOrder(begun.splice(0)).slice(-choice.lines));
        await flush();
      },
    });
  }));
}

const everything = { sinceMs: null, untilMs: null, pattern: null };
const MOST_AT_ONCE = 500;

function filesOf({ logDir, names, unit, streams }: LogChoice): readonly { readonly stream: LogStream; readonly file: string }[] {
  const fileOf = makeLogLookup(logDir, names);
  return streams.map((stream) => ({ stream, file: fileOf(unit, stream) }));
}

function asLine({ at, bytes }: TimedLine, stream: LogStream): LogLine {
  return { at: at === null ? null : new Date(at).toISOString(), stream, line: textOfLine(bytes) };
}

/** Lines without a time stay behind the one before them. */
function inOrder(lines: readonly LogLine[]): readonly LogLine[] {
  let last = '';
  const keyed = lines.map((line) => ({ line, key: (last = line.at ?? last) }));
  return keyed.toSorted((one, other) => (one.key < other.key ? -1 : one.key > other.key ? 1 : 0)).map(({ line }) => line);
}
