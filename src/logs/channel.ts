import { closeSync, constants, openSync, rmSync } from 'node:fs';
import type { LogSpec } from '../../machines/types.ts';
import { textOf } from '../errors.ts';
import type { NativePort } from '../native/port.ts';
import type { Compressor } from './compress.ts';
import { openLineCutter } from './lines.ts';
import { ensureFifo, type LogOwner } from './fifo.ts';
import { openLogger, type Logger, type LoggerRunner } from './logger.ts';
import { loggerFifo, type LogStream } from './names.ts';
import { openOwnedFile, tendOwnedFile } from './owned-file.ts';
import { openFifoReader, type FifoReader } from './reader.ts';
import { endsWithinLine } from './rotate.ts';
import { makeWriter } from './writer.ts';

/** What may change while a unit is known. */
export interface ChannelSettings {
  readonly logs: LogSpec;
  /** Set when the unit runs as another user. */
  readonly owner?: LogOwner | null;
  /** Runs the program that gets the output; absent: there is none to be had, and the file takes all. */
  readonly loggerRunner?: LoggerRunner;
}

export interface ChannelOptions extends ChannelSettings {
  readonly unit: string;
  readonly stream: LogStream;
  readonly fifo: string;
  readonly file: string;
  readonly compressor: Compressor;
  readonly onProblem: (text: string) => void;
  readonly onLine: ((line: string) => void) | null;
}

/** One stream of one unit: from the FIFO to the file. Nothing but `openEnd` throws; problems are reported. */
export interface Channel {
  readonly fifo: string;
  readonly file: string;
  configure(settings: ChannelSettings): void;
  /** Starts to read the FIFO. */
  read(): void;
  /** A descriptor for a process to write to. Throws when there is none to be had. */
  openEnd(): number;
  wake(notify: Notify): () => void;
  /** Writes what is in the FIFO now. */
  drain(): void;
  /** Opens the file anew with the next output: somebody has moved it away. */
  reopen(): void;
  /** What must be done now and then for a file that its service writes itself. */
  tend(): Promise<void>;
  close(): void;
  /** What is written from now on stays in the FIFO, for as long as a process holds that. */
  stopReading(): void;
  /** Ends the program that gets the stream, when there is one. To be called before `close`. */
  endLogger(): Promise<void>;
  removeFifo(): void;
}

/** Is given what was written, to be used before it returns; not where the service writes the file itself. */
export type Notify = (written?: Uint8Array) => void;

/** Does some work, and reports what it throws as the end of a sentence about `what`. */
export type Attempt = (what: string, work: () => void) => void;

export function attemptWith(onProblem: (text: string) => void): Attempt {
  return (what, work) => {
    try {
      work();
    } catch (error) {
      onProblem(`${what}: ${textOf(error)}`);
    }
  };
}

export interface ChildEnds {
  readonly stdout: number;
  readonly stderr: number;
}

/**
 * Descriptors for a process to write to, to be closed by the caller after the spawn. One that cannot be had leads to /dev/null, and that is
 * reported. Throws when not even that can be opened.
 */
export function openEnds(of: string, open: (stream: LogStream) => number, onProblem: (text: string) => void): ChildEnds {
  const openEnd = (stream: LogStream): number => {
    try {
      return open(stream);
    } catch (error) {
      onProblem(`${stream} of ${of} is lost: ${textOf(error)}`);
      return openSync('/dev/null', constants.O_RDWR);
    }
  };
  const stdout = openEnd('stdout');
  try {
    return { stdout, stderr: openEnd('stderr') };
  } catch (error) {
    closeSync(stdout);
    throw error;
  }
}

export function makeChannel(options: ChannelOptions): Channel {
  const { unit, stream, fifo, file, compressor, onProblem, onLine } = options;
  let { logs, owner = null, loggerRunner } = options;
  const attempt = attemptWith(onProblem);
  let logger: Logger | null = null;
  const writer = makeWriter(file, { rotation: logs.rotate, owner, compressor, onProblem, timed: true });
  const cutter = onLine === null ? null : openLineCutter(onLine);
  const listeners = new Set<Notify>();
  const readers: FifoReader[] = [];
  /** Of what came last, for a logger: a file can be asked. */
  let isWithinLine = false;

  // What a listener throws inside a socket's callback would end the supervisor.
  const guarded = (work: () => void): void => attempt(`${file}: a listener failed`, work);

  const show = (bytes: Uint8Array): void => {
    if (cutter !== null) guarded(() => cutter.push(bytes));
    for (const listener of listeners) guarded(() => listener(bytes));
  };

  const take = (bytes: Uint8Array): boolean => {
    isWithinLine = bytes.at(-1) !== newline;
    const hasRoom = logger === null ? (writer.write(bytes), true) : logger.push(bytes);
    show(bytes);
    return hasRoom;
  };

  /** Where a logger gets the bytes, or the file cannot take them in this way, they are read. */
  const move = (port: NativePort, pipe: number): number | null => {
    const moved = logger === null ? writer.move(port, pipe) : null;
    if (moved === null || moved === 0 || (cutter === null && listeners.size === 0)) return moved;
    show(writer.readBack(moved));
    return moved;
  };

  let endings: Promise<void> = Promise.resolve();
  const endLogger = (): Promise<void> => {
    const ending = logger;
    logger = null;
    for (const reader of readers) reader.resume();
    if (ending !== null) {
      const ended = ending.end().catch((error: unknown) => onProblem(`${unit}: the logger of its ${stream} could not be ended: ${textOf(error)}`));
      endings = Promise.all([endings, ended]).then(() => undefined);
    }
    return endings;
  };

  /** The one that is configured, or none. */
  const chooseLogger = (): void => {
    if (logger?.is(logs.logger, loggerRunner) === true) return;
    void endLogger();
    if (logs.logger === null || loggerRunner === undefined) return;
    try {
      logger = openLogger({
        command: logs.logger, stream, fifo: loggerFifo(fifo), owner, runner: loggerRunner, instead: (bytes) => writer.write(bytes),
        onRoom: () => {
          for (const reader of readers) reader.resume();
        },
        onProblem: (text) => onProblem(`${unit}: ${text}`),
      });
    } catch (error) {
      onProblem(`${unit}: the logger of its ${stream} cannot be given anything: ${textOf(error)}; the log file gets it instead`);
    }
  };

  const read = (): void => {
    chooseLogger();
    // A reader whose FIFO was removed is kept: a process may hold that one still.
    if (readers.at(-1)?.isCurrent() !== true) readers.push(openFifoReader(fifo, { take, move }));
  };

  const drain = (): void => attempt(`${fifo}: cannot be read`, () => readers.forEach((reader) => reader.drain()));

  /** What a process that is gone did not end would be taken for the beginning of the next one's first line. */
  const endLine = (): void => {
    drain();
    if (logger === null ? endsWithinLine(file) : isWithinLine) take(lineEnd);
  };

  const stopReading = (): void => readers.forEach((reader) => reader.close());

  return {
    fifo,
    file,
    configure(next) {
      ({ logs, owner = null, loggerRunner } = next);
      writer.configure(logs.rotate, owner);
    },
    read: () => attempt(`${fifo}: cannot be read`, read),
    openEnd() {
      if (logs.via === 'file') {
        void endLogger();
        writer.close();
        const opened = openOwnedFile(file, logs.rotate, owner);
        if (opened.problem !== null) onProblem(opened.problem);
        if (opened.rotated && logs.rotate.compress) compressor.compress(file);
        return opened.descriptor;
      }
      const refusal = logs.logger === null ? writer.touch() : null;
      if (refusal !== null) onProblem(`${file}: cannot be created: ${refusal}`);
      ensureFifo(fifo, owner);
      read();
      attempt(`${file}: its last line cannot be ended`, endLine);
      return openSync(fifo, constants.O_RDWR);
    },
    wake(notify) {
      listeners.add(notify);
      // Nothing announces that a service has written to its file itself.
      const poll = logs.via === 'file' ? setInterval(() => notify(), pollMs).unref() : null;
      return () => {
        listeners.delete(notify);
        if (poll !== null) clearInterval(poll);
      };
    },
    drain,
    reopen: () => writer.close(),
    async tend() {
      if (logs.via !== 'file') return;
      try {
        if ((await tendOwnedFile(file, logs.rotate)) && logs.rotate.compress) compressor.compress(file);
      } catch (error) {
        onProblem(`${file}: cannot be rotated: ${textOf(error)}`);
      }
    },
    stopReading,
    close() {
      stopReading();
      if (cutter !== null) guarded(() => cutter.flush());
      writer.close();
    },
    endLogger,
    removeFifo: () => attempt(`${fifo}: cannot be removed`, () => rmSync(fifo, { force: true })),
  };
}

const pollMs = 250;
const newline = 0x0a;
const lineEnd = Uint8Array.of(newline);
