import { reporting } from '../errors.ts';
import { Channel, openEnds, type ChannelSettings, type ChildEnds, type Notify } from './channel.ts';
import { makeCompressor } from './compress.ts';
import { ensureFifos, pruneFifos } from './fifo.ts';
import { fifoPath, logStreams, makeLogLookup, type LogStream } from './names.ts';

export interface LogUnit extends ChannelSettings {
  readonly name: string;
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
  /** For a process of the unit, as `openEnds` says. */
  openChildEnds(unit: string): ChildEnds;
  /** Writes what is left of its output and forgets the unit; its log files stay. */
  remove(unit: string): void;
  /** The log files a prepared unit writes to; null for others. */
  files(unit: string): Readonly<Record<LogStream, string>> | null;
  /** Calls `notify` after output of the stream was written. Returns the end of it. */
  wake(unit: string, stream: LogStream, notify: Notify): () => void;
  /** Writes what is in the FIFOs now, or in those of one unit, to the files. */
  drain(unit?: string): void;
  /** Opens the files anew: somebody has moved them away. */
  reopen(): void;
  /** Gives what is left to the programs that get output instead of files, ends them, and closes. At most some seconds. */
  end(): Promise<void>;
  /** Stops reading. What is still in the FIFOs stays there for as long as a process holds them. */
  close(): void;
}

/** The output of all units: FIFOs in, rotated files out. `fifoDir` has to exist. */
export function openLogStore(options: LogStoreOptions): LogStore {
  const { fifoDir, logDir, onProblem, echo } = options;
  const units = new Map<string, Readonly<Record<LogStream, Channel>>>();
  const compressor = makeCompressor(onProblem);

  const channelsOf = (name: string): Channel[] => Object.values(units.get(name) ?? {});
  const allChannels = (): Channel[] => [...units.keys()].flatMap(channelsOf);

  reporting(onProblem, `${fifoDir}: cannot be cleared of old FIFOs`, () => pruneFifos(fifoDir));
  const tending = setInterval(() => {
    for (const channel of allChannels()) void channel.tend();
  }, tendEveryMs).unref();

  const add = ({ name, ...settings }: LogUnit, file: (unit: string, stream: LogStream) => string): void => {
    const channel = (stream: LogStream): Channel => new Channel({
      ...settings, unit: name, stream, fifo: fifoPath(fifoDir, name, stream), file: file(name, stream), compressor, onProblem,
      onLine: echo === undefined ? null : (line) => echo(name, stream, line),
    });
    units.set(name, { stdout: channel('stdout'), stderr: channel('stderr') });
  };

  let endings = Promise.resolve();
  const close = (): void => {
    clearInterval(tending);
    for (const channel of allChannels()) channel.close();
  };

  return {
    prepare(wanted) {
      const lookup = makeLogLookup(logDir, [...units.keys(), ...wanted.map((unit) => unit.name)]);
      const added = wanted.filter((unit) => !units.has(unit.name));
      for (const unit of wanted) {
        if (!units.has(unit.name)) add(unit, lookup);
        else for (const channel of channelsOf(unit.name)) channel.configure(unit);
      }
      const piped = added.filter((unit) => unit.logs.via === 'pipe');
      const { kept, problems } = ensureFifos(piped.flatMap((unit) =>
        logStreams.map((stream) => ({ path: fifoPath(fifoDir, unit.name, stream), owner: unit.owner ?? null }))));
      for (const problem of problems) onProblem(problem);
      // Only a FIFO that was there is in use by a process; the others are opened with their first process.
      for (const channel of added.flatMap((unit) => channelsOf(unit.name))) {
        if (kept.has(channel.fifo)) channel.read();
      }
    },
    openChildEnds(name) {
      const channels = units.get(name);
      if (channels === undefined) throw new Error(`no log channels were prepared for the unit ${JSON.stringify(name)}`);
      return openEnds(name, (stream) => channels[stream].openEnd(), onProblem);
    },
    remove(name) {
      for (const channel of channelsOf(name)) {
        channel.drain();
        const ended = channel.endLogger().then(() => channel.close());
        endings = Promise.all([endings, ended]).then(() => undefined);
        channel.removeFifo();
      }
      units.delete(name);
    },
    files(name) {
      const channels = units.get(name);
      return channels === undefined ? null : { stdout: channels.stdout.file, stderr: channels.stderr.file };
    },
    wake: (name, stream, notify) => units.get(name)?.[stream].wake(notify) ?? (() => undefined),
    drain(name) {
      for (const channel of name === undefined ? allChannels() : channelsOf(name)) channel.drain();
    },
    reopen() {
      for (const channel of allChannels()) channel.reopen();
    },
    async end() {
      for (const channel of allChannels()) {
        channel.drain();
        // What comes while the loggers end is for those of the next supervisor: without this it would go to the files.
        channel.stopReading();
      }
      await Promise.all([...allChannels().map((channel) => channel.endLogger()), endings]);
      close();
    },
    close,
  };
}

const tendEveryMs = 10_000;
