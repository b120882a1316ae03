import { ControlError, decodeWatchLine, streamCommandOutput } from '../../control/client.ts';
import type { JournalRecord } from '../../wire/payloads.ts';
import { refusals } from '../../errors.ts';
import { parseMoment } from '../../words.ts';
import { ask } from '../ask.ts';
import type { Call } from '../call.ts';
import { options } from '../options.ts';
import { eventLine } from '../print/event.ts';
import { lineSink } from '../watch.ts';

/** Records that fit in one answer. */
const MOST = 10_000;

/** The journal: from the supervisor, else from the file it left. With `-f` live, without a loss or a double at the seam. */
export async function events(call: Call): Promise<number> {
  const { flags, terminal } = call;
  const unit = flags.text(options.service);
  const sinceMs = sinceOf(flags.text(options.since));
  const read = await readRecords(call, unit);
  if (!read.ok) return terminal.refuse(read.refusal);
  const json = flags.has(options.json);
  const shown = read.records.filter((record) => sinceMs === null || Date.parse(record.at) >= sinceMs);
  const count = Number(flags.text(options.lines) ?? (sinceMs === null ? 50 : MOST));
  const width = Math.max(10, ...shown.map((record) => (record.unit ?? '').length));
  const show = (record: JournalRecord): void => terminal.print(json ? JSON.stringify(record) : eventLine(record, width));
  for (const record of count === 0 ? [] : shown.slice(-count)) show(record);
  if (unit !== null && read.records.length === 0) terminal.warn(`the journal has no record of '${unit}'`);
  if (!flags.has(options.follow)) return 0;
  if (!read.isLive) return terminal.refuse(refusals.noSupervisor(call.paths.stateDir));
  return followFrom(call, read.records.at(-1)?.seq ?? 0, unit, show);
}

type Read =
  | { readonly ok: true; readonly isLive: boolean; readonly records: readonly JournalRecord[] }
  | { readonly ok: false; readonly refusal: ReturnType<typeof refusals.runtime> };

/** The newest kept records of the unit, or of all, oldest first. */
export async function readRecords(call: Call, unit: string | null, limit = MOST): Promise<Read> {
  const answer = await ask(call, { kind: 'history', unit, limit, since: null });
  if (answer.ok && answer.response.kind === 'history') return { ok: true, isLive: true, records: answer.response.records };
  if (!answer.ok && answer.refusal.code !== 'no-supervisor') return { ok: false, refusal: answer.refusal };
  const { readJournal } = await import('../../journal/read.ts');
  const { select } = await import('../../journal/journal.ts');
  return { ok: true, isLive: false, records: select([...readJournal(call.paths.stateDir)], { unit, limit, since: null }) };
}

async function followFrom(call: Call, since: number, unit: string | null, show: (record: JournalRecord) => void): Promise<number> {
  const tell = (line: string): void => {
    const decoded = decodeWatchLine(line);
    if (!decoded.ok) call.terminal.warn(decoded.error);
    else if (decoded.line.kind === 'event') show(decoded.line.record);
    else if (decoded.line.kind === 'gap') call.terminal.warn(`events ${decoded.line.from} to ${decoded.line.to} are no longer kept`);
  };
  try {
    await streamCommandOutput({ kind: 'watch', since, units: unit === null ? null : [unit] }, lineSink(tell), { socket: call.paths.socket });
    return 0;
  } catch (error) {
    if (error instanceof ControlError) return call.terminal.refuse(refusals.socket(error.message));
    throw error;
  }
}

/** A duration before now, or an RFC 3339 time; null for neither given. The option's own check has seen to its form. */
export function sinceOf(text: string | null): number | null {
  return text === null ? null : parseMoment(text, Date.now());
}
