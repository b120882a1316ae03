import { textOfLine } from '../../logs/lines.ts';
import { tamed } from '../../logs/taming.ts';
import { preciseTime } from '../../words.ts';
import { palette, type Paint } from '../print/palette.ts';
import displayWidth, { padded } from '../../width.ts';
import type { SourcedLine } from './gather.ts';
import { keyOf, type Source } from './sources.ts';

export interface LineLook {
  readonly json: boolean;
  /** With the time of each line before it. */
  readonly timestamps: boolean;
  /** The bytes as they were written; else nothing in them steers the terminal. */
  readonly raw: boolean;
  /** A colour for each unit. Without, the services' own colours go too on a terminal. */
  readonly color: boolean;
  /** Whether colours of the services' own are left in. */
  readonly keepsColors: boolean;
}

/** How a line is printed: as a JSON object, behind the name of its log where there are several, or as it is. A log that is not among `first` is one that came later. */
export function formatter(first: readonly Source[], look: LineLook): (line: SourcedLine) => Buffer {
  if (look.json) return (line) => Buffer.from(`${JSON.stringify(asObject(line))}\n`);
  const sources = new Map(first.map((source) => [keyOf(source), source]));
  let headOf = headings(first, look);
  const tame = (bytes: Buffer): Buffer => (look.raw ? bytes : Buffer.from(tamed(textOfLine(bytes), look.keepsColors)));
  return (line) => {
    const key = keyOf(line.source);
    if (!sources.has(key)) headOf = headings([...sources.set(key, line.source).values()], look);
    const head = headOf(line);
    // A piece of a line, alone, goes on with the next one.
    return Buffer.concat([Buffer.from(head), tame(line.bytes), ...(line.ended || sources.size > 1 || head !== '' ? [newline] : [])]);
  };
}

/** What stands before a line: its time, and whose it is where there are several logs; services and streams stand in columns. */
export function headings(sources: readonly Source[], { timestamps, color }: Pick<LineLook, 'timestamps' | 'color'>): (line: SourcedLine) => string {
  const labels = labelsOf(sources);
  const widths = [0, 1].map((column) => Math.max(0, ...[...labels.values()].map((parts) => displayWidth(parts[column] ?? ''))));
  const paints = palette(color);
  const units = [...new Set(sources.map(({ unit }) => unit))];
  const heads = new Map(sources.map((source) => {
    const parts = labels.get(source) ?? [];
    const paint = paints.oneOf(units.indexOf(source.unit));
    const painted = parts.map((part, column) => {
      const shown = part === source.stream && source.stream === 'stderr' ? paints.failure(part) : paint(part);
      return padded(shown, widths[column] ?? 0);
    });
    return [keyOf(source), parts.length === 0 ? '' : `${painted.join(' ')} ${paint('|')} `];
  }));
  const time = ({ at, source }: SourcedLine, paint: Paint): string => {
    // A record of the supervisor begins with its time.
    if (!timestamps || source.stream === 'supervisor') return '';
    return `${paint(at === null ? '-'.padEnd(TIME_WIDTH) : preciseTime(new Date(at).toISOString()))} `;
  };
  return (line) => time(line, paints.faint) + (heads.get(keyOf(line.source)) ?? '');
}

const TIME_WIDTH = '2026-01-31 12:00:00.000'.length;

/** `at` is null where it is not known. The supervisor has no unit; its records have a level and a module. */
function asObject({ at, bytes, source: { unit, stream } }: SourcedLine): object {
  const line = textOfLine(bytes);
  const common = { at: at === null ? null : new Date(at).toISOString(), unit, stream, line };
  const record = stream === 'supervisor' ? /^\S+Z +([A-Z]+) ([\w:]+): /.exec(line) : null;
  return record === null ? common : { ...common, level: record[1]?.toLowerCase(), module: record[2] };
}

/** What distinguishes the sources: the unit, the stream, or both. */
function labelsOf(sources: readonly Source[]): ReadonlyMap<Source, readonly string[]> {
  const [units, streams] = [new Set(sources.map(({ unit }) => unit)), new Set(sources.map(({ stream }) => stream))];
  const label = ({ unit, stream }: Source): readonly string[] => [...(units.size > 1 ? [unit ?? 'supervisor'] : []), ...(streams.size > 1 ? [stream] : [])];
  return new Map(sources.map((source) => [source, label(source)]));
}

const newline = Buffer.from('\n');
