import { StringDecoder } from 'node:string_decoder';
import { Writable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { decodeWatchLine, streamCommandOutput, type WatchLine } from '../control/client.ts';
import { isControlError } from '../control/brief-client.ts';
import { refusals, type Refusal } from '../errors.ts';
import type { Call } from './call.ts';
import { noSupervisor } from './config-choice.ts';

export interface WatchListener {
  /** First the snapshot, then what happens. */
  line(line: WatchLine): void;
  /** No supervisor answers, or not yet; the connection is tried again. Reported once each time. */
  gone(refusal: Refusal): void;
  /** The supervisor cannot be watched, as systemg 0.33.0's cannot. Nothing more comes. */
  refused(text: string): void;
}

/** Follows what the supervisor does until the returned function is called; after the end of the supervisor, what its successor does. */
export function followSupervisor(call: Call, listener: WatchListener): () => void {
  const stop = new AbortController();
  let timer: NodeJS.Timeout | null = null;
  let isReportedGone = false;
  const attempt = async (): Promise<void> => {
    const ended = await watchOnce(call, stop.signal, (line) => {
      isReportedGone = false;
      listener.line(line);
    });
    if (stop.signal.aborted) return;
    if (ended.kind === 'refused') return listener.refused(ended.text);
    if (!isReportedGone) listener.gone(ended.refusal);
    isReportedGone = true;
    timer = setTimeout(() => void attempt(), AGAIN_MS);
  };
  void attempt();
  return () => {
    stop.abort();
    if (timer !== null) clearTimeout(timer);
  };
}

const AGAIN_MS = 100;

type Ended = { readonly kind: 'gone'; readonly refusal: Refusal } | { readonly kind: 'refused'; readonly text: string };

/** One connection, to its end. */
async function watchOnce(call: Call, signal: AbortSignal, onLine: (line: WatchLine) => void): Promise<Ended> {
  const nobody = (): Ended => ({ kind: 'gone', refusal: noSupervisor(call) });
  let refusal: Ended | null = null;
  const lines = lineSink((text) => {
    if (signal.aborted || refusal !== null) return;
    const decoded = decodeWatchLine(text);
    if (decoded.ok) onLine(decoded.line);
    else refusal = { kind: 'refused', text: decoded.error };
  });
  try {
    await streamCommandOutput({ kind: 'watch', since: null, units: null }, lines, { socket: call.paths.socket, signal });
    return refusal ?? nobody();
  } catch (error) {
    if (signal.aborted) return nobody();
    if (!isControlError(error)) throw error;
    return error.kind === 'not-available' ? nobody() : { kind: 'gone', refusal: refusals.socket(error.message) };
  }
}

/** Takes bytes and passes lines on, without their ends. */
export function lineSink(onLine: (line: string) => void): Writable {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  return new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      const lines = (rest + decoder.write(chunk)).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) onLine(line);
      done();
    },
  });
}

/** Work that is done again when it was asked for meanwhile, never twice at a time and at most once every `leastPauseMs`. */
export function makeTurns(work: () => Promise<void>, leastPauseMs: number, guard: (work: Promise<void>) => void): () => void {
  const asked = { busy: false, again: false };
  const turns = async (): Promise<void> => {
    asked.busy = true;
    do {
      asked.again = false;
      await work();
      await pause(leastPauseMs);
    } while (asked.again);
    asked.busy = false;
  };
  return () => {
    if (asked.busy) asked.again = true;
    else guard(turns());
  };
}
