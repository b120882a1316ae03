import type { Socket } from 'node:net';
import type { Duplex, Readable, Writable } from 'node:stream';
import { attempt, hasCode } from '../errors.ts';
import { readAnswer, encodeResponse, type Response } from '../wire/responses.ts';
import { connect, openWith } from './client-connection.ts';
import { brokenError, ControlError, ioError, isControlError } from '../wire/control-error.ts';
import { decodeRequest } from '../wire/decode-request.ts';
import { FirstLine } from '../wire/socket.ts';
import type { Request } from '../wire/requests.ts';
import { watchHealth, type HealthRule } from './health.ts';
import { cleanupRuntime, readSupervisorPid, socketPath } from './runtime-files.ts';

export { ControlError, type ControlErrorKind } from '../wire/control-error.ts';
export type { HealthRule } from './health.ts';
export type { Request } from '../wire/requests.ts';
export { decodeWatchLine, type Response, type WatchLine } from '../wire/responses.ts';
export type * from '../wire/payloads.ts';
export {
  cleanupRuntime, configHintPath, readConfigHint, readSupervisorPid, socketPath, stateDir, supervisorPidPath,
  writeConfigHint, writeSupervisorPid,
} from './runtime-files.ts';

export interface SendOptions {
  /** Default: `socketPath()`. */
  readonly socket?: string;
  /** Limit of the whole exchange; default none. */
  readonly timeoutMs?: number;
  /** Ends the exchange, not what the supervisor has begun; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** How a long wait is watched; `null` is not at all. Default: a Status, or an empty History beside a Watch, every 5 s, to be answered within 2 s. */
  readonly health?: HealthRule | null;
}

/**
 * Sends a command and waits for its answer. Throws `ControlError`: an `Error` answer is one of kind `server`, a
 * supervisor that does not answer any more one of kind `io`.
 */
export async function sendCommand(command: Request, options: SendOptions = {}): Promise<Response> {
  const path = options.socket ?? socketPath();
  const stop = new AbortController();
  const { timeoutMs } = options;
  const timer = timeoutMs === undefined ? undefined : setTimeout(() => {
    stop.abort(new ControlError('io', `no answer within ${timeoutMs} ms`));
  }, timeoutMs);
  const unwatch = options.health === null ? undefined : watchHealth(path, options.health, (error) => stop.abort(error));
  try {
    return readAnswer(await exchange(command, path, AbortSignal.any([stop.signal, ...(options.signal ? [options.signal] : [])])), path);
  } finally {
    clearTimeout(timer);
    unwatch?.();
  }
}

/** Sends a command and leaves without an answer. */
export async function sendCommandDetached(command: Request, options: Pick<SendOptions, 'socket' | 'signal'> = {}): Promise<void> {
  const socket = await openWith(command, options.socket ?? socketPath(), options.signal);
  socket.destroy();
}

/**
 * Sends a command and copies the answer's bytes to `writer` as fast as it takes them, until the supervisor closes.
 * Leaves `writer` open. Rejects with `ControlError`, also when the supervisor answers nobody any more, with the reason of `signal`, or with the writer's
 * own error.
 */
export async function streamCommandOutput(
  command: Request, writer: Writable, options: Pick<SendOptions, 'socket' | 'signal' | 'health'> = {},
): Promise<void> {
  const path = options.socket ?? socketPath();
  const socket = await openWith(command, path, options.signal);
  // A supervisor measures for ten seconds after a Status, and a watch may last for days. Who knows Watch knows History.
  const question: Request = command.kind === 'watch' ? { kind: 'history', unit: null, limit: 0, since: null } : { kind: 'status' };
  const unwatch = options.health === null ? undefined : watchHealth(path, options.health, (error) => socket.destroy(error), question);
  let writerError: Error | null = null;
  const onWriterError = (error: Error): void => {
    writerError = error;
    socket.destroy(error);
  };
  writer.on('error', onWriterError);
  try {
    for await (const chunk of socket) {
      await new Promise<void>((resolve, reject) => {
        writer.write(chunk, (error) => (error ? reject(error) : resolve()));
      });
    }
  } catch (error) {
    options.signal?.throwIfAborted();
    throw error === writerError || isControlError(error) ? error : brokenError(socket.errored ?? error, path);
  } finally {
    unwatch?.();
    socket.destroy();
    writer.off('error', onWriterError);
  }
}

/** Reads one request from a stream. Throws `ControlError`: `io` for an empty line or bytes that are no UTF-8, else `serde`. */
export async function readCommand(stream: Readable): Promise<Request> {
  const decoded = decodeRequest(await readFirstLine(stream).catch((error: unknown) => {
    throw ioError(error);
  }));
  if (!decoded.ok) throw decoded.error;
  return decoded.request;
}

/** Writes one answer to a stream and leaves it open. */
export function writeResponse(stream: Writable | Duplex, response: Response): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(`${encodeResponse(response)}\n`, (error) => (error ? reject(ioError(error)) : resolve()));
  });
}

/**
 * Removes the runtime files of a supervisor that is certainly gone: its recorded process does not exist (or none is
 * recorded) and its socket refuses. False, and nothing touched, in every other case.
 */
export async function cleanupDeadRuntime(directory: string): Promise<boolean> {
  const pid = readSupervisorPid(directory);
  if (pid !== null && exists(pid)) return false;
  try {
    const socket = await connect(socketPath(directory));
    socket.destroy();
    return false;
  } catch (error) {
    if (!(isControlError(error)) || error.kind !== 'not-available') throw error;
  }
  cleanupRuntime(directory);
  return true;
}

async function exchange(command: Request, path: string, signal: AbortSignal): Promise<string> {
  let socket: Socket | null = null;
  try {
    socket = await openWith(command, path, signal);
    return (await readFirstLine(socket)).toString('utf8');
  } catch (error) {
    signal.throwIfAborted();
    // Whoever reads a stream that has failed before may be given another error.
    throw isControlError(error) ? error : brokenError(socket?.errored ?? error, path);
  } finally {
    socket?.destroy();
  }
}

/** To the newline or the end, whichever comes first. Leaves the stream open. */
async function readFirstLine(stream: Readable): Promise<Buffer> {
  const line = new FirstLine();
  try {
    for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
      const whole = line.push(chunk);
      if (Buffer.isBuffer(whole)) return whole;
    }
  } catch (error) {
    // Closed without an end: what came is all there is.
    if (!hasCode(error, 'ERR_STREAM_PREMATURE_CLOSE')) throw error;
  }
  return line.rest();
}

function exists(pid: number): boolean {
  // EPERM: it is another user's.
  return attempt(() => attempt(() => process.kill(pid, 0), false, 'ESRCH'), true);
}
