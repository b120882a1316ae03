import { boxBanner, unitTitle } from '../logs/labels.ts';
import type { LogStream } from '../logs/names.ts';
import { follow, lastLines, type Wake } from '../logs/tail.ts';
import type { Exchange } from '../control/connection.ts';
import type { StatusSnapshot, UnitStatus } from '../wire/payloads.ts';
import type { RequestOf } from '../wire/requests.ts';

export interface LogSources {
  status(): StatusSnapshot;
  /** The file of a unit's stream, by name; of a unit that is not configured too, when there is one. Null: there is none. */
  file(unit: string, stream: LogStream): string | null;
  wake(unit: string, stream: LogStream): Wake;
  readonly supervisorLog: string;
}

type LogsRequest = RequestOf<'logs'>;

/** Raw bytes as 0.33.0 sends them: a banner, the last lines, and with `follow` what comes until the client leaves. */
export async function streamLogs(request: LogsRequest, exchange: Exchange, sources: LogSources): Promise<null> {
  const say = (bytes: string | Uint8Array): Promise<void> => exchange.write(typeof bytes === 'string' ? Buffer.from(bytes) : bytes);
  try {
    if (request.logKind.trim().toLowerCase() === 'supervisor') await supervisor(request, exchange, sources, say);
    else if (request.service === null) await everyUnit(request, sources, say);
    else await oneUnit(request.service, request, exchange, sources, say);
  } catch (error) {
    // The client left while we wrote to it, which is how a follower ends.
    if (!exchange.signal.aborted) throw error;
  }
  return null;
}

type Say = (bytes: string | Uint8Array) => Promise<void>;

async function supervisor({ lines, follow: goesOn }: LogsRequest, exchange: Exchange, { supervisorLog }: LogSources, say: Say): Promise<void> {
  await say(boxBanner('supervisor'));
  if (goesOn) return follow(supervisorLog, { lines }, say, exchange.signal);
  await say(await lastLines(supervisorLog, lines));
}

async function oneUnit(asked: string, request: LogsRequest, exchange: Exchange, sources: LogSources, say: Say): Promise<void> {
  const { units } = sources.status();
  const unit = units.find(({ name }) => name === asked) ?? units.find(({ hash }) => hash === asked);
  const name = unit?.name ?? asked;
  const streams = streamsOf(request.logKind);
  if (unit === undefined && streams.every((stream) => sources.file(name, stream) === null)) return say(`Service '${asked}' not found\n`);
  await say(boxBanner(unitTitle(name, pidOf(unit))));
  if (!request.follow) return lastOf(name, streams, request.lines, sources, say);
  const heading = makeHeading(name, streams, say);
  await Promise.all(streams.map((stream) => {
    const file = sources.file(name, stream);
    if (file === null) return undefined;
    const take: Say = async (bytes) => {
      await heading(stream);
      await say(bytes);
    };
    return follow(file, { lines: request.lines }, take, exchange.signal, { wake: sources.wake(name, stream) });
  }));
}

/** One shot, as 0.33.0's is: what runs first, then what does not. */
async function everyUnit({ logKind, lines }: LogsRequest, sources: LogSources, say: Say): Promise<void> {
  const units = sources.status().units.filter(({ kind }) => kind !== 'orphaned').toSorted((one, other) => (one.name < other.name ? -1 : 1));
  const groups = [
    ['Running Services', units.filter((unit) => pidOf(unit) !== null)], ['Offline Services', units.filter((unit) => pidOf(unit) === null)],
  ] as const;
  for (const [title, group] of groups) {
    if (group.length === 0) continue;
    await say(boxBanner(title));
    for (const unit of group) {
      await say(boxBanner(unitTitle(unit.name, pidOf(unit))));
      await lastOf(unit.name, streamsOf(logKind), lines, sources, say);
    }
  }
}

async function lastOf(unit: string, streams: readonly LogStream[], lines: number, sources: LogSources, say: Say): Promise<void> {
  const heading = makeHeading(unit, streams, say);
  for (const stream of streams) {
    const file = sources.file(unit, stream);
    if (file === null) continue;
    await heading(stream);
    await say(await lastLines(file, lines));
  }
}

/** Where two files share an answer, says whose turn it is whenever that changes. */
function makeHeading(unit: string, streams: readonly LogStream[], say: Say): (stream: LogStream) => Promise<void> {
  let present: LogStream | null = null;
  return async (stream) => {
    if (streams.length < 2 || stream === present) return;
    const first = present === null;
    present = stream;
    await say(`${first ? '' : '\n'}==> ${unit} ${stream} <==\n`);
  };
}

/** Anything but the name of a stream means both. */
function streamsOf(kind: string): readonly LogStream[] {
  return kind === 'stdout' || kind === 'stderr' ? [kind] : ['stdout', 'stderr'];
}

function pidOf(unit: UnitStatus | undefined): number | null {
  return unit?.process?.state === 'running' ? unit.process.pid : null;
}
