import { constants, openSync, rmSync } from 'node:fs';
import type { LogSpec } from '../../machines/types.ts';
import { textOf } from '../state/fs-error.ts';
import type { Compressor } from './compress.ts';
import { openLineCutter } from './echo.ts';
import { ensureFifos, type LogOwner } from './fifo.ts';
import { openOwnedFile, tendOwnedFile } from './owned-file.ts';
import { openFifoReader, type FifoReader } from './reader.ts';
import { makeWriter } from './writer.ts';

export interface ChannelOptions {
  readonly fifo: string;
  readonly file: string;
  readonly logs: LogSpec;
  readonly owner: LogOwner | null;
  readonly compressor: Compressor;
  readonly onProblem: (text: string) => void;
  readonly onLine: ((line: string) => void) | null;
}

/** One stream of one unit: from the FIFO to the file. */
export interface Channel {
  readonly fifo: string;
  readonly file: string;
  readonly droppedBytes: number;
  configure(logs: LogSpec, owner: LogOwner | null): void;
  /** Starts to read the FIFO. Throws when it cannot be opened. */
  read(): void;
  /** A descriptor for a process to write to. Throws when there is none to be had. */
  openEnd(): number;
  wake(notify: Notify): () => void;
  drain(): void;
  /** What must be done now and then for a file that its service writes itself. */
  tend(): Promise<void>;
  close(): void;
  removeFifo(): void;
}

/** Is given what was written, to be used before it returns; not where the service writes the file itself. */
export type Notify = (written?: Uint8Array) => void;

export function makeChannel(options: ChannelOptions): Channel {
  const { fifo, file, compressor, onProblem, onLine } = options;
  let { logs, owner } = options;
  const writer = makeWriter(file, { rotation: logs.rotate, owner, compressor, onProblem, timed: true });
  const cutter = onLine === null ? null : openLineCutter(onLine);
  const listeners = new Set<Notify>();
  const readers: FifoReader[] = [];

  // What a listener throws inside a socket's callback would end the supervisor.
  const guarded = (work: () => void): void => {
    try {
      work();
    } catch (error) {
      onProblem(`${file}: a listener failed: ${textOf(error)}`);
    }
  };

  const take = (bytes: Uint8Array): void => {
    writer.write(bytes);
    if (cutter !== null) guarded(() => cutter.push(bytes));
    for (const listener of listeners) guarded(() => listener(bytes));
  };

  const read = (): void => {
    // A reader whose FIFO was removed is kept: a process may hold that one still.
    if (readers.at(-1)?.isCurrent() !== true) readers.push(openFifoReader(fifo, take));
  };

  return {
    fifo,
    file,
    get droppedBytes() {
      return writer.droppedBytes;
    },
    configure(next, nextOwner) {
      logs = next;
      owner = nextOwner;
      writer.setOwner(owner);
      writer.setRotation(next.rotate);
    },
    read,
    openEnd() {
      if (logs.via === 'file') {
        writer.close();
        const opened = openOwnedFile(file, logs.rotate, owner);
        if (opened.problem !== null) onProblem(opened.problem);
        if (opened.rotated && logs.rotate.compress) compressor.compress(file);
        return opened.descriptor;
      }
      const refusal = writer.touch();
      if (refusal !== null) onProblem(`${file}: cannot be created: ${refusal}`);
      const [problem] = ensureFifos([{ path: fifo, owner }]).problems;
      if (problem !== undefined) throw new Error(problem);
      read();
      return openSync(fifo, constants.O_RDWR);
    },
    wake(notify) {
      listeners.add(notify);
      // A file that the service writes itself tells nobody.
      const poll = logs.via === 'file' ? setInterval(() => notify(), pollMs).unref() : null;
      return () => {
        listeners.delete(notify);
        if (poll !== null) clearInterval(poll);
      };
    },
    drain() {
      for (const reader of readers) reader.drain();
    },
    async tend() {
      if (logs.via !== 'file') return;
      try {
        if ((await tendOwnedFile(file, logs.rotate)) && logs.rotate.compress) compressor.compress(file);
      } catch (error) {
        onProblem(`${file}: cannot be rotated: ${textOf(error)}`);
      }
    },
    close() {
      for (const reader of readers) reader.close();
      if (cutter !== null) guarded(() => cutter.flush());
      writer.close();
    },
    removeFifo: () => rmSync(fifo, { force: true }),
  };
}

const pollMs = 250;
