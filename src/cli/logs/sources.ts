import { existsSync } from 'node:fs';
import { refusals, type Result } from '../../errors.ts';
import { unitTitle } from '../../logs/labels.ts';
import { fifoPath, findLogFile, listed, loggerFifo, logStreams, makeLogLookup, type LogStream } from '../../logs/names.ts';
import type { UnitStatus } from '../../wire/payloads.ts';
import { naturally } from '../../words.ts';
import { askStatus } from '../ask.ts';
import type { Call } from '../call.ts';
import { chooseConfigAtRest } from '../config-choice.ts';
import { options, type LogKind } from '../options.ts';
import { unitNamed } from '../print/unit.ts';
import { printable } from '../print/width.ts';

export interface KnownUnit {
  readonly name: string;
  readonly hash: string;
  readonly pid: number | null;
  /** Null: nobody knows. */
  readonly hasRun: boolean | null;
  readonly isSkipped: boolean;
}

/** One log to show. */
export interface Source {
  /** Null: the supervisor. */
  readonly unit: string | null;
  readonly stream: LogStream | 'supervisor';
  readonly title: string;
  readonly file: string;
}

/** From the supervisor, else from the configuration; a configuration that does not load leaves only the files. */
export async function knownUnits(call: Call): Promise<Result<{ readonly isLive: boolean; readonly units: readonly KnownUnit[] }>> {
  const status = await askStatus(call);
  if (status.ok) return { ok: true, isLive: true, units: status.snapshot.units.map(knownUnit) };
  return status.refusal.code === 'no-supervisor' ? { ok: true, isLive: false, units: await configuredUnits(call) } : status;
}

function knownUnit({ name, hash, process, generation, lifecycle }: UnitStatus): KnownUnit {
  return { name, hash, pid: process?.pid ?? null, hasRun: generation === undefined ? null : generation > 0, isSkipped: lifecycle === 'skipped' };
}

/** The services of the configuration that a start would use; none when there is no such file, or the file is refused. */
export async function configuredUnits(call: Call): Promise<readonly KnownUnit[]> {
  const config = chooseConfigAtRest(call);
  if (!config.ok) return [];
  const { loadConfigFor } = await import('../load-config.ts');
  const loaded = loadConfigFor(call, config.path);
  return loaded.ok ? loaded.config.services.map(({ name, hash }) => ({ name, hash, pid: null, hasRun: null, isSkipped: false })) : [];
}

/** The logs that the command line asks for. */
export function chooseSources(call: Call, kind: LogKind, units: readonly KnownUnit[]): Result<{ readonly sources: readonly Source[] }> {
  const service = call.flags.text(options.service);
  const found = unitNamed(units, service);
  const { logDir, supervisorLog } = call.paths;
  const streams = streamsOf(kind);
  const isOnFile = service !== null && streams.some((stream) => existsSync(findLogFile(logDir, service, stream)));
  if (service !== null && found === undefined && !isOnFile) return { ok: false, refusal: refusals.unknownUnit(service) };
  if (kind === 'supervisor' && !existsSync(supervisorLog)) {
    call.terminal.warn(`there is no ${supervisorLog}: a supervisor in the foreground writes its records to its terminal; see also: sysg events`);
  }
  if (kind === 'supervisor') return { ok: true, sources: [{ unit: null, stream: 'supervisor', title: 'supervisor', file: supervisorLog }] };
  const wanted = service === null ? units.toSorted((one, other) => naturally(one.name, other.name)) : [found ?? { name: service, pid: null }];
  if (wanted.length === 0) return { ok: false, refusal: refusals.runtime(`no services are known: none run and no configuration was found (logs are in ${logDir}${logsThere(logDir)})`) };
  for (const { name } of wanted) {
    const gone = streams.filter((stream) => existsSync(loggerFifo(fifoPath(call.paths.fifoDir, name, stream))));
    if (gone.length > 0) call.terminal.warn(`the ${gone.join(' and ')} of ${name} ${gone.length > 1 ? 'go' : 'goes'} to a logger; here is only what that did not take`);
  }
  const fileOf = makeLogLookup(logDir, units.map(({ name }) => name));
  return {
    ok: true,
    sources: wanted.flatMap(({ name, pid }) => streams.map((stream) => ({ unit: name, stream, title: unitTitle(name, pid), file: fileOf(name, stream) }))),
  };
}

function streamsOf(kind: LogKind): readonly LogStream[] {
  if (kind === 'supervisor') return [];
  return kind === 'all' ? logStreams : [kind];
}

function logsThere(logDir: string): string {
  const names = [...new Set(listed(logDir).flatMap((name) => /^(.+)_(?:stdout|stderr)\.log$/s.exec(name)?.[1] ?? []))].sort(naturally).map(printable);
  return names.length === 0 ? '' : `, to be shown with -s: ${names.slice(0, 8).join(', ')}${names.length > 8 ? ', …' : ''}`;
}
