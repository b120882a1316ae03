import { echoLine, echoWidth, textOfLine } from '../../logs/echo.ts';
import type { TimedLine } from '../../logs/timed-lines.ts';
import type { Source } from './sources.ts';

export interface SourcedLine extends TimedLine {
  readonly source: Source;
}

/** How a line is printed: one JSON object, or the line behind whose it is where there is more than one log, or as it is. */
export function formatter(sources: readonly Source[], json: boolean): (line: SourcedLine) => Buffer {
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

/** What tells them apart: the unit, the stream, or both. */
function labelsOf(sources: readonly Source[]): ReadonlyMap<Source, string> {
  const [units, streams] = [new Set(sources.map(({ unit }) => unit)), new Set(sources.map(({ stream }) => stream))];
  const label = ({ unit, stream }: Source): string => [...(units.size > 1 ? [unit ?? 'supervisor'] : []), ...(streams.size > 1 ? [stream] : [])].join(' ');
  return new Map(sources.map((source) => [source, label(source)]));
}

const newline = Buffer.from('\n');
