import { existsSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { refusals, type Refusal } from '../../errors.ts';
import { boxBanner, unitTitle } from '../../logs/banner.ts';
import { echoLine, echoWidth, openLineCutter } from '../../logs/echo.ts';
import { findLogFile, makeLogLookup, type LogStream } from '../../logs/names.ts';
import { follow, lastLines } from '../../logs/tail.ts';
import { askStatus } from '../ask.ts';
import type { Call } from '../call.ts';
import { chooseConfigAtRest, warnAboutOtherConfig } from '../config-choice.ts';
import { options, parseKind } from '../options.ts';
import { parseStreamDuration } from '../stream-duration.ts';
import type { Speaker } from '../terminal.ts';

/** Shows the last lines and, while there is a supervisor, those that come. Reads the files: they outlive every supervisor. */
export async function logs(call: Call): Promise<number> {
  const { flags, terminal } = call;
  const stream = flags.text(options.stream);
  const duration = stream === null ? null : parseStreamDuration(stream);
  if (duration?.ok === false) return terminal.refuse(refusals.runtime(duration.problem));
  warnAboutOtherConfig(call);
  if (flags.has(options.purge)) return purge(call);
  if (duration === null) return show(call, !flags.has(options.noFollow) && call.env['SYSTEMG_TAIL_MODE']?.toLowerCase() !== 'oneshot');
  for (;;) {
    const startedMs = performance.now();
    if (terminal.columns !== null) await terminal.write('\x1b[2J\x1b[H');
    const exitCode = await show(call, false);
    if (exitCode !== 0) return exitCode;
    await pause(Math.max(0, duration.ms - (performance.now() - startedMs)));
  }
}

async function show(call: Call, mayFollow: boolean): Promise<number> {
  const { flags, terminal } = call;
  const lines = Number(flags.text(options.lines) ?? 50);
  const kind = parseKind(flags.text(options.kind) ?? 'stderr') ?? 'stderr';
  const known = await knownUnits(call);
  if (!known.ok) return terminal.refuse(known.refusal);
  const goesOn = known.isLive && mayFollow;
  const chosen = choose(call, kind === 'supervisor' ? null : kind, known.units);
  if (!chosen.ok) return terminal.refuse(chosen.refusal);
  try {
    await (chosen.sources.length === 1 ? showOne : showSeveral)(chosen.sources, { lines, goesOn, terminal });
    return 0;
  } catch (error) {
    return terminal.refuse(refusals.runtime(error instanceof Error ? error.message : String(error)));
  }
}

/** Empties files instead of showing them; says nothing, as systemg 0.33.0. */
async function purge(call: Call): Promise<number> {
  const { logDir } = call.paths;
  const service = call.flags.text(options.service);
  const { logFilesOf, purgeAllLogs, purgeUnitLogs } = await import('../purge-logs.ts');
  try {
    if (service === null) {
      purgeAllLogs(logDir);
      return 0;
    }
    const known = await knownUnits(call);
    if (!known.ok) return call.terminal.refuse(known.refusal);
    const unit = known.units.find(({ name }) => name === service) ?? known.units.find(({ hash }) => hash === service);
    if (unit === undefined && !logFilesOf(logDir, service).some((file) => existsSync(file))) return call.terminal.refuse(refusals.unknownUnit(service));
    purgeUnitLogs(logDir, unit?.name ?? service);
    return 0;
  } catch (error) {
    return call.terminal.refuse(refusals.runtime(`the logs could not be emptied: ${error instanceof Error ? error.message : String(error)}`));
  }
}

interface KnownUnit {
  readonly name: string;
  readonly hash: string;
  readonly pid: number | null;
}

interface Source {
  readonly unit: string;
  readonly title: string;
  readonly file: string;
}

interface Showing {
  readonly lines: number;
  readonly goesOn: boolean;
  readonly terminal: Speaker;
}

type KnownUnits = { readonly ok: true; readonly isLive: boolean; readonly units: readonly KnownUnit[] } | { readonly ok: false; readonly refusal: Refusal };

/** From the supervisor, else from the configuration; a configuration that does not load leaves only the files. */
async function knownUnits(call: Call): Promise<KnownUnits> {
  const status = await askStatus(call);
  if (status.ok) {
    const units = status.snapshot.units.map(({ name, hash, process }) => ({ name, hash, pid: process?.pid ?? null }));
    return { ok: true, isLive: true, units };
  }
  if (status.refusal.code !== 'no-supervisor') return status;
  const config = chooseConfigAtRest(call);
  if (!config.ok) return { ok: true, isLive: false, units: [] };
  const { loadConfig } = await import('../../config/load.ts');
  const loaded = loadConfig(config.path, { env: call.env, stateDir: call.paths.stateDir });
  const services = loaded.ok ? loaded.config.services : [];
  return { ok: true, isLive: false, units: services.map(({ name, hash }) => ({ name, hash, pid: null })) };
}

type Choice = { readonly ok: true; readonly sources: readonly Source[] } | { readonly ok: false; readonly refusal: Refusal };

/** `stream` null is the supervisor's own log. */
function choose(call: Call, stream: LogStream | null, units: readonly KnownUnit[]): Choice {
  const service = call.flags.text(options.service);
  const found = units.find(({ name }) => name === service) ?? units.find(({ hash }) => hash === service);
  const { logDir, supervisorLog } = call.paths;
  const isOnFile = service !== null && stream !== null && existsSync(findLogFile(logDir, service, stream));
  if (service !== null && found === undefined && !isOnFile) return { ok: false, refusal: refusals.unknownUnit(service) };
  if (stream === null) return { ok: true, sources: [{ unit: 'supervisor', title: 'supervisor', file: supervisorLog }] };
  const wanted = service === null ? [...units].sort((one, other) => (one.name < other.name ? -1 : 1)) : [found ?? { name: service, pid: null }];
  if (wanted.length === 0) return { ok: false, refusal: refusals.runtime(`no services are known: none run and no configuration was found (logs are in ${logDir})`) };
  const fileOf = makeLogLookup(logDir, units.map(({ name }) => name));
  return { ok: true, sources: wanted.map(({ name, pid }) => ({ unit: name, title: unitTitle(name, pid), file: fileOf(name, stream) })) };
}

/** The bytes as they are; on a terminal under a banner. */
async function showOne([source]: readonly Source[], { lines, goesOn, terminal }: Showing): Promise<void> {
  if (source === undefined) return;
  if (terminal.columns !== null) await terminal.write(boxBanner(source.title, Math.min(terminal.columns, 100)));
  if (goesOn) await follow(source.file, { lines }, (chunk) => terminal.write(chunk), new AbortController().signal);
  else await terminal.write(await lastLines(source.file, lines));
}

/** `unit | line`, lined up. */
async function showSeveral(sources: readonly Source[], { lines, goesOn, terminal }: Showing): Promise<void> {
  const width = echoWidth(sources.map(({ unit }) => unit));
  if (!goesOn) {
    for (const source of sources) {
      const printer = openPrinter(source.unit, width, terminal);
      await printer.take(await lastLines(source.file, lines));
      await printer.end();
    }
    return;
  }
  const { signal } = new AbortController();
  await Promise.all(sources.map(({ unit, file }) => follow(file, { lines }, openPrinter(unit, width, terminal).take, signal)));
}

function openPrinter(unit: string, width: number, terminal: Speaker): { take(chunk: Uint8Array): Promise<void>; end(): Promise<void> } {
  let text = '';
  const cutter = openLineCutter((line) => {
    text += echoLine(unit, line, width);
  });
  const print = (): Promise<void> => {
    const taken = text;
    text = '';
    return taken === '' ? Promise.resolve() : terminal.write(taken);
  };
  return {
    take: (chunk) => {
      cutter.push(chunk);
      return print();
    },
    end: () => {
      cutter.flush();
      return print();
    },
  };
}
