import { connect as connectSocket, type Socket } from 'node:net';
import { errorCode } from '../errors.ts';
import { brokenError, ControlError } from '../wire/control-error.ts';
import { encodeRequest, type Request } from '../wire/requests.ts';
import { socketPathProblem } from '../wire/socket.ts';

/** Connects and sends the request. Rejects with `ControlError`, or with the reason of `signal`. */
export async function openWith(command: Request, path: string, signal?: AbortSignal): Promise<Socket> {
  const socket = await connect(path, signal);
  await new Promise<void>((resolve, reject) => {
    socket.write(`${encodeRequest(command)}\n`, (error) => {
      // The supervisor may have answered before it read all: what it said is worth more than the broken pipe.
      if (!error || errorCode(error) === 'EPIPE') resolve();
      // A write is canceled where the reading end has failed: that says why.
      else reject(brokenError(socket.errored ?? error, path));
    });
  });
  return socket;
}

/** No socket at the path, or none that accepts, is `not-available`; any other error of the system is `io`. */
export async function connect(path: string, signal?: AbortSignal): Promise<Socket> {
  const unusable = socketPathProblem(path);
  if (unusable !== null) throw new ControlError('io', unusable);
  signal?.throwIfAborted();
  const socket = connectSocket({ path });
  // Kept for the life of the socket: an error after the last interested reader has gone must not end the program.
  socket.on('error', () => undefined);
  const abort = (): void => {
    socket.destroy(signal?.reason instanceof Error ? signal.reason : new Error('aborted'));
  };
  signal?.addEventListener('abort', abort, { once: true });
  socket.once('close', () => signal?.removeEventListener('abort', abort));
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', (error) => {
      if (signal?.aborted) reject(signal.reason);
      else if (GONE.has(errorCode(error) ?? '')) reject(new ControlError('not-available', path, { cause: error }));
      else reject(brokenError(error, path, path));
    });
  });
  return socket;
}

const GONE = new Set(['ENOENT', 'ECONNREFUSED']);
