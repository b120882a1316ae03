import type { StatusAnswer } from '../cli/ask.ts';
import { followSupervisor, makeTurns } from '../cli/watch.ts';
import { masked } from '../masked.ts';
import type { StatusSnapshot } from '../wire/payloads.ts';
import type { Sink } from './event-stream.ts';
import type { Configured } from './mask.ts';
import type { Records } from './records.ts';
import type { Watched } from './supervisors.ts';
import { openTickets } from './tickets.ts';
import { rowOf, type UnitRow } from './unit-row.ts';

export type Hub = ReturnType<typeof openHub>;

/** Figures change all the time; what happens refreshes at once, and a storm of it so often at most. */
const FIGURES_MS = 2000;
const LEAST_PAUSE_MS = 300;

export interface HubInput {
  readonly watched: Watched;
  readonly configured: () => Configured;
  readonly records: Records;
  readonly status: () => Promise<StatusAnswer>;
}

/** What all pages are shown of one supervisor, by one Watch. It rests while no page is open. */
export function openHub({ watched: { call }, configured, records, status }: HubInput) {
  const sinks = new Set<Sink>();
  const tickets = openTickets((ticket) => sendAll('ticket', ticket));
  let rows = new Map<string, { readonly row: UnitRow; readonly text: string }>();
  let head: { readonly health: string; readonly supervisor: string } | null = null;
  let gone: string | null = null;
  let stop: (() => void) | null = null;

  const sendAll = (event: string, data: unknown): void => {
    for (const sink of sinks) sink.send(event, data);
  };
  const take = (snapshot: StatusSnapshot): void => {
    configured();
    const next = new Map(masked(snapshot, call.secrets.mask).units.map((unit) => {
      const row = rowOf(unit);
      return [unit.name, { row, text: JSON.stringify(row) }];
    }));
    const changed = [...next.values()].filter(({ row, text }) => rows.get(row.name)?.text !== text).map(({ row }) => row);
    const removed = [...rows.keys()].filter((name) => !next.has(name));
    const present = { health: snapshot.overall_health, supervisor: snapshot.supervisor ?? 'serving' };
    const isNews =
      changed.length > 0 || removed.length > 0 || gone !== null || head?.health !== present.health || head.supervisor !== present.supervisor;
    // A page that was open before may show what is not there any more.
    const whole = head === null;
    rows = next;
    head = present;
    gone = null;
    if (isNews) sendAll('units', { ...present, at: Date.now(), changed, removed, ...(whole && { whole }) });
  };
  const lose = (why: string): void => {
    if (gone === why) return;
    gone = why;
    sendAll('gone', { why });
  };
  const refresh = async (): Promise<void> => {
    if (sinks.size === 0) return;
    const answer = await status();
    // What comes after the last page has left is not kept for the next one, which is sent the whole.
    if (sinks.size === 0) return;
    if (answer.ok) take(answer.snapshot);
    else lose(answer.refusal.message);
  };
  const look = makeTurns(refresh, LEAST_PAUSE_MS, (work) => void work.catch((error: unknown) => lose(`internal error: ${String(error)}`)));
  const begin = (): void => {
    const timer = setInterval(look, FIGURES_MS);
    const unfollow = followSupervisor(call, {
      line(line) {
        if (line.kind === 'snapshot') {
          records.forget();
          take(line.status);
        } else if (line.kind === 'gap') sendAll('gap', { from: line.from, to: line.to });
        else {
          const { record } = line;
          sendAll('record', masked(record, call.secrets.mask));
          look();
        }
      },
      gone: (refusal) => lose(refusal.message),
      // A supervisor of systemg 0.33.0 has no Watch: its figures come all the same.
      refused: () => {},
    });
    stop = () => {
      clearInterval(timer);
      unfollow();
    };
    look();
  };
  const rest = (): void => {
    stop?.();
    stop = null;
    rows = new Map();
    head = null;
    gone = null;
  };

  return {
    tickets,
    /** Whether a page is open. */
    get isWatched(): boolean {
      return sinks.size > 0;
    },
    /** The whole state at once, then what changes. The returned function ends it. */
    join: (sink: Sink): (() => void) => {
      sinks.add(sink);
      if (stop === null) begin();
      else if (head !== null) sink.send('units', { ...head, at: Date.now(), changed: [...rows.values()].map(({ row }) => row), removed: [], whole: true });
      if (gone !== null) sink.send('gone', { why: gone });
      for (const ticket of tickets.all()) sink.send('ticket', ticket);
      return () => {
        sinks.delete(sink);
        if (sinks.size === 0) rest();
      };
    },
    close: rest,
  };
}
