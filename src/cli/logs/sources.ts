import { existsSync } from 'node:fs';
import { refusals, type Result } from '../../errors.ts';
import { unitTitle } from '../../logs/labels.ts';
import { obstacleAt } from '../../logs/plain-file.ts';
import { fifoPath, listed, loggerFifo, logStreams, makeLogLookup, type LogStream } from '../../logs/names.ts';
import { naturally } from '../../words.ts';
import type { Call } from '../call.ts';
import { askedWords, isPattern, matchEach, matchedOf, type KnownUnit } from '../names.ts';
import type { LogKind } from '../options.ts';
import { unitNamed } from '../print/unit.ts';
import { printable } from '../../width.ts';

/** One log to show. */
export interface Source {
  /** Null: the supervisor. */
  readonly unit: string | null;
  readonly stream: LogStream | 'supervisor';
  readonly title: string;
  readonly file: string;
}

/** The same for sources of the same log. */
export function keyOf({ unit, stream }: Source): string {
  return `${stream} ${unit}`;
}

export interface Chosen {
  readonly sources: readonly Source[];
  /** The logs of a unit that came later, none where the command line does not mean that unit, too; null: it means no more than there are. */
  readonly sourcesOfNew: ((unit: string) => readonly Source[]) | null;
}

/** The logs that the command line asks for. */
export async function chooseSources(call: Call, kind: LogKind, units: readonly KnownUnit[]): Promise<Result<Chosen>> {
  const words = askedWords(call);
  const { logDir, supervisorLog } = call.paths;
  const streams = kind === 'all' ? logStreams : kind === 'supervisor' ? [] : [kind];
  const fileOf = makeLogLookup(logDir, units.map(({ name }) => name));
  const left = leftBehind(words, units, (word) => streams.map((stream) => fileOf(word, stream)));
  const named = await matchedOf(call, words.filter((word) => !left.includes(word)), units);
  if (!named.ok) return named;
  if (kind === 'supervisor' && !existsSync(supervisorLog)) {
    call.terminal.warn(`there is no ${supervisorLog}: a supervisor in the foreground writes its records to its terminal; see also: sysg events`);
  }
  if (kind === 'supervisor') return { ok: true, sources: [{ unit: null, stream: 'supervisor', title: 'supervisor', file: supervisorLog }], sourcesOfNew: null };
  const wanted = words.length === 0 ? naturally(units, ({ name }) => name)
    : [...units.filter(({ name }) => named.names.includes(name)), ...left.map((name) => ({ name, pid: null }))];
  if (wanted.length === 0) return { ok: false, refusal: refusals.runtime(`no services are known: none run, and there is no configuration that can be read; see: sysg validate (logs are in ${logDir}${logsThere(logDir)})`) };
  for (const { name } of wanted) {
    const gone = streams.filter((stream) => hasLogger(call, name, stream));
    if (gone.length > 0) call.terminal.warn(`the ${gone.join(' and ')} of ${name} ${gone.length > 1 ? 'go' : 'goes'} to a logger; here is only what that did not take`);
  }
  const sources = wanted.flatMap(({ name, pid }) => sourcesOf(name, pid, streams, fileOf));
  for (const obstacle of sources.map(({ file }) => obstacleAt(file))) if (obstacle !== null) call.terminal.warn(obstacle);
  const isMeant = (name: string): boolean => words.length === 0 || matchEach(words, [{ name, hash: '', kind: 'service' }]).names.length > 0;
  const sourcesOfNew = (name: string): readonly Source[] => (isMeant(name) ? sourcesOf(name, null, streams, makeLogLookup(logDir, [...units.map((unit) => unit.name), name])) : []);
  return { ok: true, sources, sourcesOfNew: words.length === 0 || words.some(isPattern) ? sourcesOfNew : null };
}

export function hasLogger({ paths }: Call, unit: string, stream: LogStream): boolean {
  return existsSync(loggerFifo(fifoPath(paths.fifoDir, unit, stream)));
}

function sourcesOf(name: string, pid: number | null, streams: readonly LogStream[], fileOf: (unit: string, stream: LogStream) => string): readonly Source[] {
  return streams.map((stream) => ({ unit: name, stream, title: unitTitle(name, pid), file: fileOf(name, stream) }));
}

/** Of the words those that name a unit which is configured no more and has left a file that no other unit writes. */
export function leftBehind(words: readonly string[], units: readonly KnownUnit[], filesOf: (word: string) => readonly string[]): readonly string[] {
  return words.filter((word) => unitNamed(units, word) === undefined && filesOf(word).some((file) => existsSync(file)));
}

function logsThere(logDir: string): string {
  const names = naturally([...new Set(listed(logDir).flatMap((name) => /^(.+)_(?:stdout|stderr)\.log$/s.exec(name)?.[1] ?? []))], String).map(printable);
  return names.length === 0 ? '' : `, to be shown with -s: ${names.slice(0, 8).join(', ')}${names.length > 8 ? ', …' : ''}`;
}
