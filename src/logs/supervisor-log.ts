import { writeSync } from 'node:fs';
import { attempt } from '../errors.ts';
import { makeCompressor } from './compress.ts';
import { includes, type LogLevel } from '../log-level.ts';
import type { Mask } from '../secrets.ts';
import { LogWriter, type Rotation } from './writer.ts';

export interface SupervisorLogOptions {
  /** A path, or null for standard error. */
  readonly file: string | null;
  readonly level: LogLevel;
  /** On standard error only. */
  readonly colour?: boolean;
  readonly rotation?: Rotation;
  /** Writes to standard error. */
  readonly print?: (text: string) => void;
  /** Applied to every message. */
  readonly mask?: Mask;
  /** Wall clock in microseconds. */
  readonly wallMicros?: () => number;
}

type Write = (module: string, message: string) => void;

/** The supervisor's own records. `module` is a path as systemg 0.33.0 writes it, `systemg::daemon`. */
export interface SupervisorLog extends Record<Exclude<LogLevel, 'off'>, Write> {
  /** Opens the file anew with the next record: somebody has moved it away. */
  reopen(): void;
  close(): void;
}

/**
 * Lines as systemg 0.33.0 writes them: `2025-12-02T10:30:15.123456Z  INFO systemg::daemon: text`. A file is rotated like
 * any log; what it cannot take goes to standard error, and so do complaints about it.
 */
export function openSupervisorLog(options: SupervisorLogOptions): SupervisorLog {
  const { file, level, wallMicros = wallClockMicros, print = printToStderr, mask = (text) => text } = options;
  const complain = (text: string): void => print(`${text}\n`);
  const writer = file === null
    ? null
    : new LogWriter(file, { rotation: options.rotation ?? usualRotation, owner: null, compressor: makeCompressor(complain), onProblem: complain });
  const refusal = writer?.touch() ?? null;
  if (refusal !== null) complain(`Failed to open supervisor log file "${file}": ${refusal}`);
  const colour = writer === null && options.colour === true;

  const record = (recordLevel: Exclude<LogLevel, 'off'>): Write => (module, message) => {
    if (!includes(level, recordLevel)) return;
    const line = format(timestamp(wallMicros()), recordLevel, module, mask(message), colour);
    if (writer === null) print(line);
    else {
      const before = writer.droppedBytes;
      writer.write(Buffer.from(line));
      if (writer.droppedBytes > before) print(line);
    }
  };

  const close = (): void => writer?.close();
  return { error: record('error'), warn: record('warn'), info: record('info'), debug: record('debug'), trace: record('trace'), reopen: close, close };
}

const usualRotation: Rotation = { sizeBytes: 10 * 1024 * 1024, keep: 5, compress: true };
const colours = { error: 31, warn: 33, info: 32, debug: 34, trace: 35 } as const;

function format(time: string, level: Exclude<LogLevel, 'off'>, module: string, text: string, colour: boolean): string {
  // A message from outside must not look like two records.
  const message = text.replaceAll('\r', '\\r').replaceAll('\n', '\\n');
  const word = level.toUpperCase().padStart(5);
  if (!colour) return `${time} ${word} ${module}: ${message}\n`;
  const dim = (text: string): string => `\x1b[2m${text}\x1b[0m`;
  return `${dim(time)} \x1b[${colours[level]}m${word}\x1b[0m ${dim(module)}${dim(':')} ${message}\n`;
}

/** RFC 3339 in UTC with six digits of the second's fraction. */
function timestamp(micros: number): string {
  const millis = Math.floor(micros / 1000);
  const rest = String(Math.floor(micros - millis * 1000)).padStart(3, '0');
  return `${new Date(millis).toISOString().slice(0, -1)}${rest}Z`;
}

let origin = performance.timeOrigin;

/** The monotonic clock's fine digits on the wall clock, which wins when it was set. */
function wallClockMicros(): number {
  const now = origin + performance.now();
  const wall = Date.now();
  if (now >= wall - 1 && now < wall + 2) return now * 1000;
  origin += wall - now;
  return wall * 1000;
}

function printToStderr(text: string): void {
  // Standard error may be closed, or a terminal that is gone: nobody is left to read it.
  attempt(() => writeSync(2, text), undefined);
}
