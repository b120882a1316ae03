import { closeSync, constants, openSync } from 'node:fs';
import type { LogSpec } from '../../machines/types.ts';
import { textOf } from '../errors.ts';
import { makeChannel, type Channel, type Notify } from './channel.ts';
import { makeCompressor } from './compress.ts';
import { ensureFifos, pruneFifos, type LogOwner } from './fifo.ts';
import type { LoggerRunner } from './logger.ts';
import { fifoPath, logStreams, makeLogLookup, type LogStream } from './names.ts';

export type { LogOwner } from './fifo.ts';
export type { LogStream } from './names.ts';

export interface LogUnit {
  readonly name: string;
  readonly logs: LogSpec;
  /** Set when the unit runs as another user. */
  readonly owner?: LogOwner | null;
  /** How a program that gets its output is run. */
  readonly loggerRunner?: LoggerRunner;
}

export interface ChildEnds {
  readonly stdout: number;
  readonly stderr: number;
}

export interface LogStoreOptions {
  readonly fifoDir: string;
  readonly logDir: string;
  readonly onProblem: (text: string) => void;
  /** Gets complete lines, for a foreground supervisor to show. */
  readonly echo?: (unit: string, stream: LogStream, line: string) => void;
}

export interface LogStore {
  /**
   * Makes the FIFOs of these units with at most one subprocess and reads on from those that a process still holds. Known
   * units take over changed settings; `via` changes at their next start. To be called at start with every unit that runs
   * or may run, adopted ones included, and at every reload.
   */
  prepare(units: readonly LogUnit[]): void;
  /**
   * Descriptors for a process of the unit to write to, to be closed by the caller after the spawn. Where there is no
   * FIFO or file to be had they lead to /dev/null, and that is told. Throws when not even that can be opened.
   */
  openChildEnds(unit: string): ChildEnds;
  /** Writes what is left of its output and forgets the unit; its log files stay. */
  remove(unit: string): void;
  /** The log files a prepared unit writes to; null for others. */
  files(unit: string): Readonly<Record<LogStream, string>> | null;
  /** Calls `notify` after output of the stream was written. Returns the end of it. */
  wake(unit: string, stream: LogStream, notify: Notify): () => void;
  /** Bytes of the unit's output that the disk did not take. */
  droppedBytes(unit: string): number;
  /** When everything that is in the FIFOs now, or in one unit's, is in the files. */
  drain(unit?: string): Promise<void>;
  /** When all archives are compressed. */
  settled(): Promise<void>;
  /** Gives what is left to the programs that get output instead of files, ends them, and closes. At most some seconds. */
  end(): Promise<void>;
  /** Stops reading. What is still in the FIFOs stays there for as long as a process holds them. */
  close(): void;
}

/** The output of all units: FIFOs in, rotated files out. `fifoDir` has to exist. */
export function openLogStore(options: LogStoreOptions): LogStore {
  const { fifoDir, logDir, onProblem, echo } = options;
  const units = new Map<string, { readonly owner: LogOwner | null; readonly channels: Readonly<Record<LogStream, Channel>> }>();
  const compressor = makeCompressor(onProblem);

  const attempt = (what: string, work: () => void): void => {
    try {
      work();
    } catch (error) {
      onProblem(`${what}: ${textOf(error)}`);
    }
  };
  const channelsOf = (name: string): Channel[] => {
    const channels = units.get(name)?.channels;
    return channels === undefined ? [] : [channels.stdout, channels.stderr];
  };
  const allChannels = (): Channel[] => [...units.keys()].flatMap(channelsOf);

  attempt(`${fifoDir}: cannot be cleared of old FIFOs`, () => pruneFifos(fifoDir));
  const tending = setInterval(() => {
    for (const channel of allChannels()) void channel.tend();
  }, tendEveryMs).unref();

  const add = (unit: LogUnit, file: (unit: string, stream: LogStream) => string): void => {
    const owner = unit.owner ?? null;
    const channel = (stream: LogStream): Channel => makeChannel({
      unit: unit.name, stream, ...(unit.loggerRunner !== undefined && { loggerRunner: unit.loggerRunner }),
      fifo: fifoPath(fifoDir, unit.name, stream),
      file: file(unit.name, stream),
      logs: unit.logs,
      owner,
      compressor,
      onProblem,
      onLine: echo === undefined ? null : (line) => echo(unit.name, stream, line),
    });
    units.set(unit.name, { owner, channels: { stdout: channel('stdout'), stderr: channel('stderr') } });
  };

  const openEnd = (name: string, stream: LogStream, channel: Channel): number => {
    try {
      return channel.openEnd();
    } catch (error) {
      onProblem(`${stream} of ${name} is lost: ${textOf(error)}`);
      return openSync('/dev/null', constants.O_RDWR);
    }
  };

  const endings = new Set<Promise<void>>();
  const close = (): void => {
    clearInterval(tending);
    for (const channel of allChannels()) channel.close();
    units.clear();
  };

  return {
    prepare(wanted) {
      const lookup = makeLogLookup(logDir, [...units.keys(), ...wanted.map((unit) => unit.name)]);
      const added = wanted.filter((unit) => !units.has(unit.name));
      for (const unit of wanted) {
        if (!units.has(unit.name)) add(unit, lookup);
        else for (const channel of channelsOf(unit.name)) channel.configure(unit.logs, unit.owner ?? null, unit.loggerRunner);
      }
      const piped = added.filter((unit) => unit.logs.via === 'pipe');
      const { kept, problems } = ensureFifos(piped.flatMap((unit) =>
        logStreams.map((stream) => ({ path: fifoPath(fifoDir, unit.name, stream), owner: unit.owner ?? null }))));
      for (const problem of problems) onProblem(problem);
      // Only a FIFO that was there is in use by a process; the others are opened with their first process.
      for (const channel of added.flatMap((unit) => channelsOf(unit.name))) {
        if (kept.has(channel.fifo)) attempt(`${channel.fifo}: cannot be read`, () => channel.read());
      }
    },
    openChildEnds(name) {
      const unit = units.get(name);
      if (unit === undefined) throw new Error(`no log channels were prepared for the unit ${JSON.stringify(name)}`);
      const stdout = openEnd(name, 'stdout', unit.channels.stdout);
      try {
        return { stdout, stderr: openEnd(name, 'stderr', unit.channels.stderr) };
      } catch (error) {
        closeSync(stdout);
        throw error;
      }
    },
    remove(name) {
      for (const channel of channelsOf(name)) {
        attempt(`${channel.fifo}: cannot be read`, () => channel.drain());
        const ended = channel.endLogger().then(() => channel.close());
        endings.add(ended);
        void ended.then(() => endings.delete(ended));
        attempt(`${channel.fifo}: cannot be removed`, () => channel.removeFifo());
      }
      units.delete(name);
    },
    files(name) {
      const channels = units.get(name)?.channels;
      return channels === undefined ? null : { stdout: channels.stdout.file, stderr: channels.stderr.file };
    },
    wake: (name, stream, notify) => units.get(name)?.channels[stream].wake(notify) ?? (() => undefined),
    droppedBytes: (name) => channelsOf(name).reduce((total, channel) => total + channel.droppedBytes, 0),
    async drain(name) {
      for (const channel of name === undefined ? allChannels() : channelsOf(name)) {
        attempt(`${channel.fifo}: cannot be read`, () => channel.drain());
      }
    },
    settled: () => compressor.settled(),
    async end() {
      for (const channel of allChannels()) attempt(`${channel.fifo}: cannot be read`, () => channel.drain());
      await Promise.all([...allChannels().map((channel) => channel.endLogger()), ...endings]);
      close();
    },
    close,
  };
}

const tendEveryMs = 10_000;
