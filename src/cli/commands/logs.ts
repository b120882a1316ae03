import { constants, existsSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { refusals, textOf } from '../../errors.ts';
import { isAccessible, isDirectory } from '../../files.ts';
import { logStreams, makeLogLookup } from '../../logs/names.ts';
import type { LineFilter } from '../../logs/timed-lines.ts';
import { parseMoment, shellWord } from '../../words.ts';
import { lookOf, streamOf, type Call } from '../call.ts';
import { warnAboutOtherConfig } from '../config-choice.ts';
import { show } from '../logs/show.ts';
import { silence } from '../logs/silence.ts';
import { chooseSources, leftBehind } from '../logs/sources.ts';
import { askedWords, besideEvery, knownUnits, matchedOf } from '../names.ts';
import { options, parseKind } from '../options.ts';

/** The logs of the supervisor that is meant, or of all. */
export async function logs(call: Call): Promise<number> {
  if (call.host !== null) return (await import('../logs/remote.ts')).remoteLogs(call);
  if (!call.flags.has(options.every)) return logsOf(call);
  const refused = besideEvery(call);
  if (refused !== null) return call.terminal.refuse(refused);
  const { forEach } = await import('../every-supervisor.ts');
  return forEach(call, logsOf);
}

/** Shows the last lines and, while there is a supervisor, those that come. Reads the files: they outlive every supervisor. */
async function logsOf(call: Call): Promise<number> {
  const { flags, terminal } = call;
  const stream = streamOf(call);
  if (!stream.ok) return terminal.refuse(stream.refusal);
  const { sinceMs, untilMs } = filterOf(call);
  if (sinceMs !== null && untilMs !== null && sinceMs > untilMs) {
    return terminal.refuse(refusals.usage(`--since ${flags.text(options.since)} is after --until ${flags.text(options.until)}: nothing can be between them`));
  }
  if (flags.has(options.follow)) {
    const other = [options.noFollow, options.until, options.stream, options.purge].find((option) => flags.has(option));
    if (other !== undefined) return terminal.refuse(refusals.usage(`--follow and --${other.name} exclude each other: expected one of them`));
  }
  warnAboutOtherConfig(call);
  const { logDir } = call.paths;
  if (existsSync(logDir) && !isDirectory(logDir)) return terminal.refuse(refusals.runtime(`${logDir} is no directory, so that there are no logs; a supervisor sets it aside at its start`));
  if (existsSync(logDir) && !isAccessible(logDir, constants.R_OK | constants.X_OK)) {
    return terminal.refuse(refusals.runtime(`${logDir} may not be read by this user: run as its owner, or let this user in: chmod u+rx ${shellWord(logDir)}`));
  }
  if (flags.has(options.purge)) return purge(call);
  const isOneShot = !flags.has(options.follow) && (flags.has(options.noFollow) || untilMs !== null || call.env['SYSTEMG_TAIL_MODE']?.toLowerCase() === 'oneshot');
  if (stream.everyMs === null) return showOnce(call, !isOneShot);
  for (;;) {
    const startedMs = performance.now();
    if (terminal.columns !== null) await terminal.write('\x1b[2J\x1b[H');
    const exitCode = await showOnce(call, false);
    if (exitCode !== 0) return exitCode;
    await pause(Math.max(0, stream.everyMs - (performance.now() - startedMs)));
  }
}

const defaultLines = 50;

async function showOnce(call: Call, mayFollow: boolean): Promise<number> {
  const { flags, terminal } = call;
  const kind = parseKind(flags.text(options.kind) ?? 'all') ?? 'all';
  const askedMs = Date.now();
  const known = await knownUnits(call);
  if (!known.ok) return terminal.refuse(known.refusal);
  const chosen = await chooseSources(call, kind, known.units);
  if (!chosen.ok) return terminal.refuse(chosen.refusal);
  const filter = filterOf(call);
  const lines = flags.text(options.lines);
  const isSpan = filter.sinceMs !== null || filter.untilMs !== null;
  const timestamps = flags.has(options.timestamps);
  const { color } = lookOf(call);
  const follow = known.isLive && mayFollow;
  const onSilence = (): void => {
    if (lines !== null && Number(lines) === 0) return;
    for (const text of silence(call, chosen.sources, known.units)) terminal.complain(`sysg: ${text}`);
    if (follow) terminal.complain('sysg: waiting for what comes');
  };
  const onFollowing = follow && chosen.sourcesOfNew !== null
    ? (await import('../logs/comings.ts')).followUnits(call, { units: known.units.map(({ name }) => name), askedMs, sourcesOf: chosen.sourcesOfNew }) : null;
  try {
    await show(chosen.sources, {
      lines: lines === null ? (isSpan ? null : defaultLines) : Number(lines),
      filter, json: flags.has(options.json), follow, timestamps, color, onFollowing, onSilence,
      // A program that reads one log is given what the service wrote; a person's terminal is not steered by it.
      raw: flags.has(options.raw) || (terminal.columns === null && chosen.sources.length === 1),
      keepsColors: color || terminal.columns === null,
    }, terminal);
    return 0;
  } catch (error) {
    return terminal.refuse(refusals.runtime(textOf(error)));
  }
}

/** The options' own checks have refused other forms. */
function filterOf({ flags }: Call): LineFilter {
  const now = Date.now();
  const [since, until, grep] = [flags.text(options.since), flags.text(options.until), flags.text(options.grep)];
  return {
    sinceMs: since === null ? null : parseMoment(since, now),
    untilMs: until === null ? null : parseMoment(until, now),
    pattern: grep === null ? null : new RegExp(grep),
  };
}

/** Empties files instead of showing them; says nothing, as systemg 0.33.0. */
async function purge(call: Call): Promise<number> {
  const { logDir } = call.paths;
  const words = askedWords(call);
  const { purgeAllLogs, purgeUnitLogs } = await import('../purge-logs.ts');
  try {
    if (words.length === 0) {
      purgeAllLogs(logDir);
      return 0;
    }
    const known = await knownUnits(call);
    if (!known.ok) return call.terminal.refuse(known.refusal);
    const fileOf = makeLogLookup(logDir, known.units.map(({ name }) => name));
    const filesOf = (name: string): readonly string[] => logStreams.map((stream) => fileOf(name, stream));
    const left = leftBehind(words, known.units, filesOf);
    const named = await matchedOf(call, words.filter((word) => !left.includes(word)), known.units);
    if (!named.ok) return call.terminal.refuse(named.refusal);
    for (const name of [...named.names, ...left]) purgeUnitLogs(logDir, filesOf(name));
    return 0;
  } catch (error) {
    return call.terminal.refuse(refusals.runtime(`the logs could not be emptied: ${textOf(error)}`));
  }
}
