import { closeSync, constants, openSync, rmSync } from 'node:fs';
import type { LogSpec } from '../../machines/types.ts';
import { reporting, textOf } from '../errors.ts';
import type { NativePort } from '../native/port.ts';
import type { Compressor } from './compress.ts';
import { LineCutter, newline } from './lines.ts';
import { ensureFifo, type LogOwner } from './fifo.ts';
import { openLogger, type Logger, type LoggerRunner } from './logger.ts';
import { loggerFifo, type LogStream } from './names.ts';
import { openOwnedFile, tendOwnedFile } from './owned-file.ts';
import { FifoReader, type FifoSink } from './reader.ts';
import { endsWithinLine } from './rotate.ts';
import { LogWriter } from './writer.ts';

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

/** Is given what was written, to be used before it returns; not where the service writes the file itself. */
export type Notify = (written?: Uint8Array) => void;

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

/** One stream of one unit: from the FIFO to the file. Nothing but `openEnd` throws; problems are reported. */
export class Channel implements FifoSink {
  readonly #options: ChannelOptions;
  #settings: ChannelSettings;
  readonly #writer: LogWriter;
  readonly #cutter: LineCutter | null;
  readonly #listeners = new Set<Notify>();
  readonly #readers: FifoReader[] = [];
  #logger: Logger | null = null;
  #endings: Promise<void> = settled;
  /** Of what came last, for a logger: a file can be asked. */
  #isWithinLine = false;
  #isTended = false;
  #tendingFails = false;

  constructor(options: ChannelOptions) {
    const { file, logs, owner = null, compressor, onProblem, onLine } = options;
    this.#options = options;
    this.#settings = options;
    this.#writer = new LogWriter(file, { rotation: logs.rotate, owner, compressor, onProblem, timed: true });
    this.#cutter = onLine === null ? null : new LineCutter(onLine);
  }

  get fifo(): string {
    return this.#options.fifo;
  }

  get file(): string {
    return this.#options.file;
  }

  configure(settings: ChannelSettings): void {
    this.#settings = settings;
    this.#writer.configure(settings.logs.rotate, this.#owner);
  }

  /** Starts to read the FIFO. */
  read(): void {
    this.#attempt(`${this.fifo}: cannot be read`, () => this.#read());
  }

  /** A descriptor for a process to write to. Throws when there is none to be had. */
  openEnd(): number {
    const { fifo, file } = this;
    const { onProblem, compressor } = this.#options;
    const { via, logger, rotate } = this.#settings.logs;
    if (via === 'file') {
      void this.endLogger();
      this.#writer.close();
      const opened = openOwnedFile(file, rotate, this.#owner, onProblem);
      if (opened.rotated && rotate.compress) compressor.compress(file);
      return opened.descriptor;
    }
    const refusal = logger === null ? this.#writer.touch() : null;
    if (refusal !== null) onProblem(`${file}: cannot be created: ${refusal}`);
    ensureFifo(fifo, this.#owner);
    this.#read();
    this.#attempt(`${file}: its last line cannot be ended`, () => this.#endLine());
    return openSync(fifo, constants.O_RDWR);
  }

  wake(notify: Notify): () => void {
    this.#listeners.add(notify);
    // Nothing announces that a service has written to its file itself.
    const poll = this.#settings.logs.via === 'file' ? setInterval(() => notify(), pollMs).unref() : null;
    return () => {
      this.#listeners.delete(notify);
      if (poll !== null) clearInterval(poll);
    };
  }

  take(bytes: Uint8Array): boolean {
    this.#isWithinLine = bytes.at(-1) !== newline;
    const hasRoom = this.#logger === null ? (this.#writer.write(bytes), true) : this.#logger.push(bytes);
    this.#show(bytes);
    return hasRoom;
  }

  /** Where a logger gets the bytes, or the file cannot take them in this way, they are read. */
  move(port: NativePort, pipe: number): number | null {
    const moved = this.#logger === null ? this.#writer.move(port, pipe) : null;
    if (moved === null || moved === 0 || (this.#cutter === null && this.#listeners.size === 0)) return moved;
    this.#show(this.#writer.readBack(moved));
    return moved;
  }

  /** Writes what is in the FIFO now. */
  drain(): void {
    this.#attempt(`${this.fifo}: cannot be read`, () => this.#readers.forEach((reader) => reader.drain()));
  }

  /** Opens the file anew with the next output: somebody has moved it away. */
  reopen(): void {
    this.#writer.close();
  }

  /** What must be done now and then for a file that its service writes itself. A large one may take longer than the time between two calls. */
  async tend(): Promise<void> {
    const { via, rotate } = this.#settings.logs;
    if (via !== 'file' || this.#isTended) return;
    this.#isTended = true;
    try {
      if ((await tendOwnedFile(this.file, rotate)) && rotate.compress) this.#options.compressor.compress(this.file);
      this.#tendingFails = false;
    } catch (error) {
      if (!this.#tendingFails) this.#options.onProblem(`${this.file}: cannot be rotated: ${textOf(error)}; it grows on`);
      this.#tendingFails = true;
    }
    this.#isTended = false;
  }

  /** What is written from now on stays in the FIFO, for as long as a process holds that. */
  stopReading(): void {
    for (const reader of this.#readers) reader.close();
  }

  close(): void {
    this.stopReading();
    this.#guarded(() => this.#cutter?.flush());
    this.#writer.close();
  }

  /** Ends the program that gets the stream, when there is one. To be called before `close`. */
  endLogger(): Promise<void> {
    const { unit, stream, onProblem } = this.#options;
    const ending = this.#logger;
    this.#logger = null;
    this.#resumeReaders();
    if (ending !== null) {
      const ended = ending.end().catch((error: unknown) => onProblem(`${unit}: the logger of its ${stream} could not be ended: ${textOf(error)}`));
      this.#endings = Promise.all([this.#endings, ended]).then(() => undefined);
    }
    return this.#endings;
  }

  removeFifo(): void {
    this.#attempt(`${this.fifo}: cannot be removed`, () => rmSync(this.fifo, { force: true }));
  }

  get #owner(): LogOwner | null {
    return this.#settings.owner ?? null;
  }

  #read(): void {
    this.#chooseLogger();
    // A reader whose FIFO was removed is kept: a process may hold that one still.
    if (this.#readers.at(-1)?.isCurrent() !== true) this.#readers.push(new FifoReader(this.fifo, this));
  }

  /** The one that is configured, or none. */
  #chooseLogger(): void {
    const { unit, stream, fifo, onProblem } = this.#options;
    const { logs: { logger: command }, loggerRunner: runner } = this.#settings;
    if (this.#logger?.is(command, runner) === true) return;
    void this.endLogger();
    if (command === null || runner === undefined) return;
    try {
      this.#logger = openLogger({
        command, stream, fifo: loggerFifo(fifo), owner: this.#owner, runner, instead: (bytes) => this.#writer.write(bytes),
        onRoom: () => this.#resumeReaders(),
        onProblem: (text) => onProblem(`${unit}: ${text}`),
      });
    } catch (error) {
      onProblem(`${unit}: the logger of its ${stream} cannot be given anything: ${textOf(error)}; the log file gets it instead`);
    }
  }

  #resumeReaders(): void {
    for (const reader of this.#readers) reader.resume();
  }

  /** What a process that is gone did not end would be taken for the beginning of the next one's first line. */
  #endLine(): void {
    this.drain();
    if (this.#logger === null ? endsWithinLine(this.file) : this.#isWithinLine) this.take(lineEnd);
  }

  #show(bytes: Uint8Array): void {
    if (this.#cutter !== null) this.#guarded(() => this.#cutter?.push(bytes));
    for (const listener of this.#listeners) this.#guarded(() => listener(bytes));
  }

  /** What a listener throws inside a socket's callback would end the supervisor. */
  #guarded(notify: () => void): void {
    this.#attempt(`${this.file}: a listener failed`, notify);
  }

  #attempt(what: string, work: () => void): void {
    reporting(this.#options.onProblem, what, work);
  }
}

const settled = Promise.resolve();
const pollMs = 250;
const lineEnd = Uint8Array.of(newline);
