import { setTimeout as pause } from 'node:timers/promises';
import { isControlError } from '../../control/brief-client.ts';
import { decodeWatchLine, streamCommandOutput } from '../../control/client.ts';
import { refusals, type Refusal } from '../../errors.ts';
import type { JournalRecord } from '../../wire/payloads.ts';
import displayWidth, { printable } from '../../width.ts';
import { parseMoment } from '../../words.ts';
import { askRecords, mostRecords } from '../ask.ts';
import type { Call } from '../call.ts';
import { noSupervisor, warnAboutOtherConfig } from '../config-choice.ts';
import { askedWords, knownUnits, matchNames, meansSeveral, notPresent, type Named } from '../names.ts';
import { options } from '../options.ts';
import { lookForServer } from '../presence.ts';
import { eventLines } from '../print/records.ts';
import { lineSink } from '../watch.ts';

/** The journal: from the supervisor, else from the file that it left. With `-f` live, and no record is lost or shown twice in between. */
export async function events(call: Call): Promise<number> {
  const { flags, terminal } = call;
  warnAboutOtherConfig(call);
  const words = askedWords(call);
  const since = flags.text(options.since);
  const sinceMs = since === null ? null : parseMoment(since, Date.now());
  const read = await askRecords(call, meansSeveral(words) ? null : (words[0] ?? null));
  if (!read.ok) return terminal.refuse(read.refusal);
  const named = meansSeveral(words) ? matchNames(words, [...await unitsOf(call), ...unitsIn(read.records)]) : { ok: true as const, names: words };
  if (!named.ok) return terminal.refuse(named.refusal);
  const names = words.length === 0 ? null : named.names;
  const json = flags.has(options.json);
  const shown = read.records.filter(({ unit }) => names === null || names.includes(unit ?? '')).filter((record) => sinceMs === null || Date.parse(record.at) >= sinceMs);
  const count = Number(flags.text(options.lines) ?? (sinceMs === null ? 50 : mostRecords));
  const width = Math.max(10, ...shown.map((record) => displayWidth(printable(record.unit ?? ''))));
  const show = (record: JournalRecord): void => {
    for (const line of json ? [JSON.stringify(record)] : eventLines(record, width, terminal.columns)) terminal.print(line);
  };
  for (const record of count === 0 ? [] : shown.slice(-count)) show(record);
  const silent = (names ?? []).filter((name) => !read.records.some(({ unit }) => unit === name));
  const known = silent.length === 0 ? [] : (await unitsOf(call)).map(({ name }) => name);
  // Where no unit is known at all, the journal alone could know this one.
  const stranger = known.length === 0 ? undefined : silent.find((name) => !known.includes(name));
  if (stranger !== undefined) return terminal.refuse(await notPresent(call, stranger, known));
  for (const name of silent) terminal.warn(`the journal has no record of '${name}'`);
  if (!flags.has(options.follow)) return 0;
  if (!read.isLive) return terminal.refuse(noSupervisor(call));
  return followFrom(call, read.records.at(-1)?.seq ?? 0, names, show);
}

async function unitsOf(call: Call): Promise<readonly Named[]> {
  const known = await knownUnits(call);
  return known.ok ? known.units : [];
}

/** Also of units that are configured no more. */
function unitsIn(records: readonly JournalRecord[]): readonly Named[] {
  return [...new Set(records.map(({ unit }) => unit))].flatMap((name) => (name === null ? [] : [{ name, hash: '', kind: 'service' as const }]));
}

/** Through the death of the supervisor and its hand-over: the next one has all records after the last that was shown. An ordered end is the end. */
async function followFrom(call: Call, since: number, units: readonly string[] | null, show: (record: JournalRecord) => void): Promise<number> {
  let last = since;
  let refused: Refusal | null = null;
  const listen = (text: string): void => {
    const decoded = decodeWatchLine(text);
    if (!decoded.ok) refused = refusals.refused(decoded.error);
    else if (decoded.line.kind === 'gap') call.terminal.warn(`events ${decoded.line.from} to ${decoded.line.to} are no longer kept`);
    else if (decoded.line.kind === 'event') {
      last = decoded.line.record.seq;
      show(decoded.line.record);
    }
  };
  for (;;) {
    try {
      await streamCommandOutput({ kind: 'watch', since: last, units }, lineSink(listen), { socket: call.paths.socket });
    } catch (error) {
      if (!isControlError(error)) throw error;
      if (error.kind !== 'not-available') refused = refusals.socket(error.message);
    }
    if (refused !== null) return call.terminal.refuse(refused);
    if (call.host !== null || await lookForServer(call) !== 'served') return 0;
    await pause(AGAIN_MS);
  }
}

const AGAIN_MS = 100;
