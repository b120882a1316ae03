import { statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { holdingOf, type Holding } from '../../logs/holdings.ts';
import { listed, logStreams, makeLogLookup } from '../../logs/names.ts';
import { bytes, counted, localTime, naturally } from '../../words.ts';
import type { Call } from '../call.ts';
import type { KnownUnit } from '../names.ts';
import { options } from '../options.ts';
import { printable } from '../../width.ts';
import { hasLogger, type Source } from './sources.ts';

/** Why nothing is shown, and what there would be elsewhere: in other lines, in the other stream, in other files, of other units. */
export function silence(call: Call, sources: readonly Source[], units: readonly KnownUnit[]): readonly string[] {
  const logs = sources.map(({ unit, stream, file }): Log => ({ unit, stream, holding: holdingOf(file) }));
  const asked = [...new Set(sources.flatMap(({ unit }) => (unit === null ? [] : [unit])))];
  const fileOf = makeLogLookup(call.paths.logDir, units.map(({ name }) => name));
  const written = (unit: string): readonly Log[] =>
    logStreams.map((stream) => ({ unit, stream, holding: holdingOf(fileOf(unit, stream)) })).filter(hasContent);
  const passedOver = logs.filter(hasContent);
  const elsewhere = asked.flatMap(written).filter(({ stream }) => !logs.some((log) => log.stream === stream));
  const notShown = elsewhere.length === 0 ? [] : [`not asked for: ${someOf(elsewhere.map(described))}; to show both streams: -k all`];
  if (passedOver.length > 0) return [`no line fits ${filterWords(call)}: ${someOf(passedOver.map(described))}`, ...notShown];
  if (elsewhere.length > 0) return [`nothing was written to ${[...new Set(logs.map(({ stream }) => stream))].join(' or ')}`, ...notShown];
  const moved = sources.flatMap(({ file }) => besides(file));
  const others = naturally(units.map(({ name }) => name).filter((name) => !asked.includes(name) && written(name).length > 0), String);
  return [
    someOf(asked.filter((name) => !logStreams.some((stream) => hasLogger(call, name, stream))).map((name) => `${printable(name)} ${emptiness(units.find((unit) => unit.name === name), logs.filter(({ unit }) => unit === name))}`)),
    ...(moved.length === 0 ? [] : [`not read, since they were not put away by sysg: ${someOf(moved, ', ')}`]),
    ...(others.length === 0 ? [] : [`others have written something: ${someOf(others.map(printable), ', ')}`]),
  ].filter((text) => text !== '');
}

interface Log {
  /** Null: the supervisor. */
  readonly unit: string | null;
  readonly stream: Source['stream'];
  readonly holding: Holding;
}

function hasContent({ holding }: Log): boolean {
  return holding.bytes > 0;
}

function described({ unit, stream, holding }: Log): string {
  return `the ${stream} log${unit === null ? '' : ` of ${printable(unit)}`} holds ${words(holding)}`;
}

/** Files that somebody else has put away: by date, or under a number that does not follow. */
function besides(file: string): readonly string[] {
  const [directory, name] = [dirname(file), basename(file)];
  return listed(directory).filter((other) => (other.startsWith(`${name}.`) || other.startsWith(`${name}-`)) && !/\.(times|next)$/.test(other))
    .map((other) => join(directory, other)).filter((path) => (statSync(path, { throwIfNoEntry: false })?.size ?? 0) > 0);
}

/** What kept the files of a unit empty. */
function emptiness(unit: KnownUnit | undefined, logs: readonly Log[]): string {
  const exist = logs.some(({ holding }) => holding.writtenMs !== null);
  if (unit?.isSkipped === true) return 'is skipped by its configuration and was not started';
  if (unit?.hasRun === false && !exist) return `was never started (sysg why ${printable(unit.name)} says why)`;
  if (!exist) return 'has no log files: it was never started, or they were removed';
  if (unit?.pid == null) return 'has empty log files: nothing was written, or they were emptied since';
  return 'has empty log files: it has written nothing so far, keeps what it writes in a buffer (as python does without -u), or they were emptied since';
}

function words({ bytes: size, archives, writtenMs }: Holding): string {
  const rotated = archives === 0 ? '' : ` in ${counted(archives + 1, 'file')}`;
  return `${bytes(size)}${rotated}${writtenMs === null ? '' : `, last written ${localTime(new Date(writtenMs).toISOString())}`}`;
}

function filterWords({ flags }: Call): string {
  const given = [options.since, options.until, options.grep].flatMap((option) => {
    const value = flags.text(option);
    return value === null ? [] : [`--${option.name} ${printable(value)}`];
  });
  return given.length === 0 ? 'what was asked for' : given.join(' and ');
}

function someOf(parts: readonly string[], separator = '; '): string {
  const shown = parts.slice(0, MOST);
  return `${shown.join(separator)}${parts.length > MOST ? `${separator}and ${parts.length - MOST} more` : ''}`;
}

const MOST = 5;
