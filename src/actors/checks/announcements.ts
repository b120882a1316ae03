import { closeSync, constants, lstatSync, openSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Announced, ServiceSpec } from '../../../machines/types.ts';
import { failureOf, hasCode, textOf } from '../../errors.ts';
import { readTail } from '../../files.ts';
import { LineCutter, newline } from '../../logs/lines.ts';
import { ensureFifo, type LogOwner } from '../../logs/fifo.ts';
import { follow, type Wake } from '../../logs/tail.ts';
import { fileStem, logStreams, type LogStream } from '../../logs/names.ts';
import { FifoReader } from '../../logs/reader.ts';
import type { LogStore } from '../../logs/store.ts';
import type { ChildOutput } from '../../process/launch.ts';

export interface AnnouncementsOutside {
  readonly logs: Pick<LogStore, 'files' | 'wake' | 'drain'>;
  /** Where the FIFOs of units are. */
  readonly fifoDir: string;
  /** The owner of what a unit may open again; null: the supervisor. */
  ownerOf(spec: ServiceSpec): LogOwner | null;
  onProblem(text: string): void;
}

/** What processes say of themselves: a line of their output, or a newline on a descriptor made for that. */
export type Announcements = ReturnType<typeof openAnnouncements>;

/**
 * Both are heard of across a change of supervisor. The FIFO is removed when the newline came: one that is there still is listened to, and
 * where there is none the process has said it or closed its end. Of a log whose beginning nobody noted, the last 64 KiB are searched.
 */
export function openAnnouncements(outside: AnnouncementsOutside) {
  const current = new Map<string, Listening>();
  const take = (unit: string, listening: Listening): Listening => {
    current.get(unit)?.end();
    current.set(unit, listening);
    return listening;
  };
  const fifoOf = (unit: string): string => join(outside.fifoDir, `${fileStem(unit)}.notify`);

  // Called from within callbacks of sockets, where what is thrown would end the supervisor.
  const remove = (fifo: string): void => {
    const failure = failureOf(`${fifo}: cannot be removed`, () => rmSync(fifo, { force: true }));
    if (failure !== null) outside.onProblem(failure);
  };

  const expectFrom = (spec: ServiceSpec): ChildOutput['extra'] => {
    const probe = spec.check?.probe;
    current.get(spec.name)?.end();
    current.delete(spec.name);
    if (probe?.kind === 'log') {
      // What an earlier process wrote is before this one's.
      outside.logs.drain(spec.name);
      take(spec.name, listenToLog(spec, probe, outside, 0));
    } else if (probe?.kind === 'notify') {
      const fifo = fifoOf(spec.name);
      rmSync(fifo, { force: true });
      ensureFifo(fifo, outside.ownerOf(spec));
      take(spec.name, listenToFifo(fifo, probe, remove));
      // Both ways: the process gets no SIGPIPE while there is no supervisor.
      return [{ at: probe.fd, descriptor: openSync(fifo, constants.O_RDWR) }];
    }
    return [];
  };

  const find = (spec: ServiceSpec, probe: Announced): Listening => {
    const known = current.get(spec.name);
    if (known?.to === keyOf(probe)) return known;
    if (probe.kind === 'log') return take(spec.name, listenToLog(spec, probe, outside, searchedBytes));
    const fifo = fifoOf(spec.name);
    const isThere = lstatSync(fifo, { throwIfNoEntry: false })?.isFIFO() === true;
    return take(spec.name, isThere ? listenToFifo(fifo, probe, remove) : { to: keyOf(probe), heard: () => Promise.resolve(true), end: () => undefined });
  };

  return {
    /**
     * Listens to a process that is about to be started with this output, and returns what it gets beside it. Throws, with the output closed,
     * when it could not be heard.
     */
    expect(spec: ServiceSpec, output: ChildOutput): ChildOutput {
      try {
        return { ...output, extra: [...(output.extra ?? []), ...(expectFrom(spec) ?? [])] };
      } catch (error) {
        for (const descriptor of new Set([output.stdout, output.stderr])) closeSync(descriptor);
        throw error;
      }
    },
    /** Resolves with true when the newest process of the unit has said it, be it long ago, and with false when aborted. */
    heard: (spec: ServiceSpec, probe: Announced, signal: AbortSignal): Promise<boolean> => find(spec, probe).heard(signal),
    forget(unit: string): void {
      current.get(unit)?.end();
      current.delete(unit);
      remove(fifoOf(unit));
    },
  };
}

const searchedBytes = 64 * 1024;

interface Listening {
  /** What it listens for. */
  readonly to: string;
  heard(signal: AbortSignal): Promise<boolean>;
  end(): void;
}

function keyOf(probe: Announced): string {
  return probe.kind === 'log' ? `log ${probe.pattern}` : `notify ${probe.fd}`;
}

function listenToFifo(path: string, probe: Announced, remove: (fifo: string) => void): Listening {
  return listening(probe, (hear) => {
    const reader = new FifoReader(path, { take: (bytes) => {
      if (!bytes.includes(newline)) return;
      remove(path);
      hear();
    } });
    return () => reader.close();
  });
}

/** `backBytes`: how much of what is there already is searched too. */
function listenToLog(
  { name, logs: { via } }: ServiceSpec, probe: Extract<Announced, { kind: 'log' }>, { logs, onProblem }: AnnouncementsOutside, backBytes: number,
): Listening {
  return listening(probe, (hear) => {
    const expression = new RegExp(probe.pattern);
    const ended = new AbortController();
    const problem = (file: string, error: unknown): void => onProblem(`${file}: cannot be searched for a sign of readiness: ${textOf(error)}`);
    const listen = (file: string, stream: LogStream): void => {
      const cutter = new LineCutter((line) => {
        if (!ended.signal.aborted && expression.test(line)) hear();
      });
      const wake: Wake = (notify) => logs.wake(name, stream, notify);
      if (via === 'pipe') {
        if (backBytes > 0) cutter.push(lastBytes(file, backBytes, problem));
        const unwake = logs.wake(name, stream, (written) => written !== undefined && cutter.push(written));
        ended.signal.addEventListener('abort', unwake, { once: true });
      } else {
        const offset = Math.max(0, (statSync(file, { throwIfNoEntry: false })?.size ?? 0) - backBytes);
        follow(file, offset, (chunk) => cutter.push(chunk), ended.signal, { wake }).catch((error: unknown) => problem(file, error));
      }
    };
    const files = logs.files(name);
    if (files !== null) for (const stream of logStreams) listen(files[stream], stream);
    return () => ended.abort();
  });
}

function lastBytes(file: string, count: number, problem: (file: string, error: unknown) => void): Uint8Array {
  try {
    return readTail(file, count);
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) problem(file, error);
    return new Uint8Array(0);
  }
}

/** Begins at once; ends when it was heard. */
function listening(probe: Announced, begin: (hear: () => void) => () => void): Listening {
  const waiting = new Set<() => void>();
  let isHeard = false;
  const end = begin(() => {
    if (isHeard) return;
    isHeard = true;
    // Not from within the callback of what is closed.
    setImmediate(() => end());
    for (const wake of waiting) wake();
  });
  return {
    to: keyOf(probe),
    end,
    heard: (signal) => new Promise((resolve) => {
      const settle = (): void => {
        waiting.delete(settle);
        signal.removeEventListener('abort', settle);
        resolve(isHeard);
      };
      if (isHeard || signal.aborted) return settle();
      waiting.add(settle);
      signal.addEventListener('abort', settle, { once: true });
    }),
  };
}
