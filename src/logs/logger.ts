import { closeSync, constants, fstatSync, lstatSync, openSync, rmSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { textOf } from '../errors.ts';
import { writePipe } from '../process/pipe-end.ts';
import { LineCutter } from './lines.ts';
import { ensureFifo, type LogOwner } from './fifo.ts';
import type { LogStream } from './names.ts';
import { readAvailable } from './reader.ts';

/** Runs programs of the user's for one unit. */
export interface LoggerRunner {
  /** Digest of what a program is run with: another one means that a program which runs is out of date. */
  readonly definition: string;
  /** Runs it once, with `input` as its standard input, until it ends or is aborted. Never rejects. */
  run(order: LoggerOrder): Promise<LoggerEnd>;
}

export interface LoggerOrder {
  readonly command: string;
  readonly stream: LogStream;
  /** The caller closes it. */
  readonly input: number;
  readonly signal: AbortSignal;
  /** What it writes to standard error. */
  onComplaint(text: Uint8Array): void;
}

export type LoggerEnd = { readonly ok: true } | { readonly ok: false; readonly reason: string };

export interface LoggerOptions {
  readonly command: string;
  readonly stream: LogStream;
  /** Where the FIFO to it is made. */
  readonly fifo: string;
  readonly owner: LogOwner | null;
  readonly runner: LoggerRunner;
  /** Takes what the program cannot be given: the log file. */
  readonly instead: (bytes: Uint8Array) => void;
  /** There is room again after `push` has said that there is none. */
  readonly onRoom: () => void;
  readonly onProblem: (text: string) => void;
  readonly waits?: Partial<LoggerWaits>;
}

/** Milliseconds. */
export interface LoggerWaits {
  /** A program that runs and takes nothing for so long does not get what comes until it takes again. */
  readonly hungMs: number;
  /** As above while none runs. */
  readonly downMs: number;
  readonly leastBackoffMs: number;
  readonly mostBackoffMs: number;
  /** How long it has to end after the end of its input. */
  readonly endMs: number;
}

/** The user's program that gets a stream. */
export interface Logger {
  /** Whether it is the program that would be run now. */
  is(command: string | null, runner: LoggerRunner | undefined): boolean;
  /** Takes a copy. False: no more, please, until `onRoom`; what comes all the same is kept. */
  push(bytes: Uint8Array): boolean;
  /** Gives it what is left and the end of its input, and waits for its end; what it did not read goes to the file. */
  end(): Promise<void>;
}

/**
 * Keeps the program running, and its input in a FIFO that outlives it: its successor goes on where it stopped reading. A slow one slows
 * the service down, as any pipe does; one that hangs, or cannot be started, does not stop it: the file takes what it does not. Throws
 * when there is no FIFO to be had.
 */
export function openLogger(options: LoggerOptions): Logger {
  const { command, stream, fifo, owner, runner, instead, onRoom, onProblem } = options;
  const waits: LoggerWaits = { ...usualWaits, ...options.waits };
  // A new one: an earlier supervisor's logger may be reading the old one to its end.
  rmSync(fifo, { force: true });
  ensureFifo(fifo, owner);
  const writeEnd = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK);
  // The end of the input comes with the last writer's end; this one reads only, and then reads what is left.
  const rest = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
  const unwritten = new Set<Buffer>();
  const aborted = new AbortController();
  let running: Promise<void> | null = null;
  let restart: NodeJS.Timeout | null = null;
  let patience: NodeJS.Timeout | null = null;
  let backoffMs = waits.leastBackoffMs;
  let hasFallen = false;
  let isFull = false;
  let insteadBytes: number | null = null;
  let isEnding = false;

  const start = (): void => {
    restart = null;
    const startedMs = performance.now();
    running = runOnce().then((end) => {
      running = null;
      if (isEnding) return;
      if (performance.now() - startedMs > waits.mostBackoffMs) backoffMs = waits.leastBackoffMs;
      onProblem(`the logger of its ${stream} ${end.ok ? 'ended' : end.reason}; it is started again in ${backoffMs / 1000} s`);
      restart = setTimeout(start, backoffMs).unref();
      backoffMs = Math.min(waits.mostBackoffMs, backoffMs * 2);
      if (patience !== null && !hasFallen) waitAWhile(true);
    });
  };

  const runOnce = async (): Promise<LoggerEnd> => {
    const cutter = new LineCutter((line) => onProblem(`the logger of its ${stream} says: ${line}`));
    let input: number | null = null;
    try {
      input = openSync(fifo, constants.O_RDONLY);
      return await runner.run({ command, stream, input, signal: aborted.signal, onComplaint: (text) => cutter.push(text) });
    } catch (error) {
      return { ok: false, reason: `could not be started: ${textOf(error)}` };
    } finally {
      cutter.flush();
      if (input !== null) closeSync(input);
    }
  };

  /** Until what it does not take goes elsewhere: counted from when there was no room, or from its first end after that. */
  const waitAWhile = (isDown: boolean): void => {
    if (patience !== null) clearTimeout(patience);
    patience = setTimeout(() => {
      patience = null;
      insteadBytes = 0;
      onProblem(`the logger of its ${stream} ${isDown ? 'does not run' : 'takes nothing'}; the log file gets what it does not`);
      onRoom();
    }, isDown ? waits.downMs : waits.hungMs).unref();
    hasFallen = isDown;
  };

  // Both ends of the FIFO are held: there is nothing that could go wrong but our own closing.
  const pipe = writePipe(writeEnd, () => {
    isFull = false;
    if (patience !== null) clearTimeout(patience);
    patience = null;
    if (insteadBytes !== null) onProblem(`the logger of its ${stream} takes its input again; ${insteadBytes} bytes went to the log file`);
    insteadBytes = null;
    onRoom();
  });
  start();

  const write = (bytes: Uint8Array): boolean => {
    const copy = Buffer.from(bytes);
    unwritten.add(copy);
    return pipe.write(copy, () => void unwritten.delete(copy));
  };

  return {
    is: (wanted, by) => wanted === command && by?.definition === runner.definition,
    push(bytes) {
      if (insteadBytes !== null) {
        insteadBytes += bytes.length;
        instead(bytes);
        return true;
      }
      if (write(bytes)) return true;
      isFull = true;
      if (patience === null) waitAWhile(running === null);
      return false;
    },
    async end() {
      if (isEnding) return;
      isEnding = true;
      if (patience !== null) clearTimeout(patience);
      if (restart !== null) clearTimeout(restart);
      const ended = new AbortController();
      const deadline = pause(waits.endMs, undefined, { signal: ended.signal }).catch(() => undefined);
      if (running === null) start();
      if (isFull || unwritten.size > 0) await Promise.race([new Promise<void>((taken) => pipe.end(taken)), deadline, running]);
      if (unwritten.size === 0) pipe.close();
      await Promise.race([running, deadline]);
      ended.abort();
      if (running !== null) {
        onProblem(`the logger of its ${stream} did not end within ${waits.endMs / 1000} s after the end of its input and is killed`);
        aborted.abort();
        await running;
      }
      // A piece may be in the FIFO in part: reading makes room for the rest, and nothing is taken twice.
      for (let isWritten = false; !isWritten;) {
        isWritten = unwritten.size === 0 || pipe.isClosed;
        for (let left = readAvailable(rest); left.length > 0; left = readAvailable(rest)) instead(left);
        if (!isWritten) await pause(1);
      }
      pipe.close();
      for (const bytes of unwritten) instead(bytes);
      // Its successor's may be there by now.
      const { ino } = fstatSync(rest);
      closeSync(rest);
      if (lstatSync(fifo, { throwIfNoEntry: false })?.ino === ino) rmSync(fifo, { force: true });
    },
  };
}

const usualWaits: LoggerWaits = { hungMs: 20_000, downMs: 2000, leastBackoffMs: 1000, mostBackoffMs: 30_000, endMs: 5000 };
