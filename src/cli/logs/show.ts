import { boxBanner, echoLine, echoWidth } from '../../logs/labels.ts';
import { openLineTimes } from '../../logs/line-times.ts';
import { textOfLine } from '../../logs/lines.ts';
import { openMerger, type MergerInput } from '../../logs/merge.ts';
import { follow, readLog, type LogStart, type Wake } from '../../logs/tail.ts';
import { openLineReader, type LineFilter, type TimedLine } from '../../logs/timed-lines.ts';
import { counted } from '../../words.ts';
import type { Speaker } from '../terminal.ts';
import type { Source } from './sources.ts';

export interface Wish {
  /** How many lines of each log to begin with; null is all that fit. */
  readonly lines: number | null;
  readonly filter: LineFilter;
  readonly json: boolean;
  /** Also shows what is written from now on. */
  readonly follow: boolean;
}

/** Shows one log as it is, or the lines of several logs, or the lines that fit. Resolves when everything is shown; never while it follows. */
export async function show(sources: readonly Source[], wish: Wish, terminal: Speaker): Promise<void> {
  const [source] = sources;
  if (source === undefined) return;
  const { sinceMs, untilMs, pattern } = wish.filter;
  const isFiltered = sinceMs !== null || untilMs !== null || pattern !== null;
  if (sources.length === 1 && !wish.json && terminal.columns !== null) await terminal.write(boxBanner(source.title, Math.min(terminal.columns, 100)));
  if (sources.length === 1 && !wish.json && !isFiltered) await showRaw(source, wish, terminal);
  else await showLines(sources, wish, terminal);
}

/** The bytes as they are. */
async function showRaw({ file }: Source, { lines, follow: goesOn }: Wish, terminal: Speaker): Promise<void> {
  const start = { lines: lines ?? Infinity };
  const take = (chunk: Uint8Array): Promise<void> => terminal.write(chunk);
  if (goesOn) await follow(file, start, take, new AbortController().signal);
  else await readLog(file, start, take);
}

async function showLines(sources: readonly Source[], wish: Wish, terminal: Speaker): Promise<void> {
  const format = formatter(sources, wish.json);
  const merger = openMerger<SourcedLine>((lines) => terminal.write(Buffer.concat(lines.map(format))));
  const inputs = sources.map(() => merger.add());
  const { wake, end } = sharedBell();
  try {
    await Promise.all(sources.map((source, index) => showSource(source, wish, inputs[index] ?? merger.add(), terminal, wake)));
    await merger.end();
  } finally {
    end();
  }
}

async function showSource(source: Source, wish: Wish, input: MergerInput<SourcedLine>, terminal: Speaker, wake: Wake): Promise<void> {
  const { file, stream, unit } = source;
  const { lines, filter } = wish;
  const isLimited = lines !== null && (filter.sinceMs !== null || filter.untilMs !== null || filter.pattern !== null);
  const start: LogStart = lines === null || isLimited ? filter : { lines };
  // The last ones are known when all are read.
  const last: TimedLine[] = [];
  let hasBegun = false;
  const reader = openLineReader(stream === 'supervisor' ? 'in the line' : openLineTimes(file), filter, (line) => {
    if (hasBegun || !isLimited) return input.push({ ...line, source });
    last.push(line);
    if (last.length > lines) last.shift();
    return undefined;
  });
  const begin = async (): Promise<void> => {
    for (const line of last.splice(0)) await input.push({ ...line, source });
    hasBegun = true;
    input.begun();
    if (reader.undated > 0) terminal.warn(`${counted(reader.undated, 'line')} of ${unit ?? 'the supervisor'} (${stream}) may be of another time: when they were written is not known`);
  };
  if (wish.follow) return follow(file, start, reader.take, new AbortController().signal, { wake, onBegun: begin });
  await readLog(file, start, reader.take);
  await reader.flush();
  await begin();
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

interface SourcedLine extends TimedLine {
  readonly source: Source;
}

/** How a line is printed: as a JSON object, behind the name of its log where there are several, or as it is. */
function formatter(sources: readonly Source[], json: boolean): (line: SourcedLine) => Buffer {
  if (json) return (line) => Buffer.from(`${JSON.stringify(asObject(line))}\n`);
  if (sources.length === 1) return ({ bytes, ended }) => (ended ? Buffer.concat([bytes, newline]) : bytes);
  const labels = labelsOf(sources);
  const width = echoWidth(labels.values());
  return ({ bytes, source }) => Buffer.from(echoLine(labels.get(source) ?? '', textOfLine(bytes), width));
}

/** `at` is null where it is not known. The supervisor has no unit; its records have a level and a module. */
function asObject({ at, bytes, source: { unit, stream } }: SourcedLine): object {
  const line = textOfLine(bytes);
  const common = { at: at === null ? null : new Date(at).toISOString(), unit, stream, line };
  const record = stream === 'supervisor' ? /^\S+Z +([A-Z]+) ([\w:]+): /.exec(line) : null;
  return record === null ? common : { ...common, level: record[1]?.toLowerCase(), module: record[2] };
}

/** What distinguishes the sources: the unit, the stream, or both. */
function labelsOf(sources: readonly Source[]): ReadonlyMap<Source, string> {
  const [units, streams] = [new Set(sources.map(({ unit }) => unit)), new Set(sources.map(({ stream }) => stream))];
  const label = ({ unit, stream }: Source): string => [...(units.size > 1 ? [unit ?? 'supervisor'] : []), ...(streams.size > 1 ? [stream] : [])].join(' ');
  return new Map(sources.map((source) => [source, label(source)]));
}

const newline = Buffer.from('\n');
