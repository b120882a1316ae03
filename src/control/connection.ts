import type { Socket } from 'node:net';
import type { SignalName } from '../../machines/types.ts';
import { hasCode, textOf } from '../errors.ts';
import { decodeRequest } from '../wire/decode-request.ts';
import { encodeResponse, type Response } from '../wire/responses.ts';
import { FirstLine } from '../wire/socket.ts';
import type { Request } from '../wire/requests.ts';

/** What a route knows of the client that asked. */
export interface Exchange {
  /** Aborted when the client has left, or when the server ends the exchange. */
  readonly signal: AbortSignal;
  /** Sends bytes as they are; settles when the kernel has taken them. Rejects with `signal.reason` when the client has left. */
  write(chunk: Uint8Array): Promise<void>;
  /** The file descriptor of the connection, for asking the kernel which process is at its other end (`SO_PEERCRED`); `null` where Node does not show it. */
  peerDescriptor(): number | null;
  /** The signal that the supervisor was sent, where no client asks. */
  readonly onSignal?: SignalName;
}

/** Answers a request; `null` when the route has written the whole answer itself. */
export type Route = (request: Request, exchange: Exchange) => Promise<Response | null>;

export interface ConnectionOptions {
  readonly route: Route;
  /** Takes what an operator should know: refused lines, routes that threw. Never throws. */
  readonly onProblem: (text: string) => void;
  /** For the whole request line, from the connection on; default 5000. */
  readonly readDeadlineMs?: number;
  /** How long a client may take nothing of its answer; default 30,000. Streams may wait for ever. */
  readonly answerDeadlineMs?: number;
  /** Bytes before the newline; default 1,048,576. */
  readonly lineLimit?: number;
  /** Whether an answered connection may wait for its client to leave; false while the server closes. */
  readonly lingers: () => boolean;
}

export type Connection = ReturnType<typeof serveConnection>;

/**
 * One request and its answer: reads to the first newline or the end, answers, half-closes, discards what still comes
 * until the client leaves. Bytes left unread at a close would turn the client's end of stream into a reset.
 */
export function serveConnection(
  socket: Socket, { route, onProblem, readDeadlineMs = 5000, answerDeadlineMs = 30_000, lineLimit = 1_048_576, lingers }: ConnectionOptions,
) {
  const line = new FirstLine(lineLimit);
  const left = new AbortController();
  let stage: 'reading' | 'routing' | 'answered' = 'reading';
  let discardedBytes = 0;
  let probe: NodeJS.Timeout | undefined;
  let deadline: NodeJS.Timeout | undefined = setTimeout(() => {
    // After a pause of this process timers run before input that has long arrived: read that first.
    setImmediate(() => {
      if (stage === 'reading') answer({ kind: 'error', text: 'control socket I/O failed: timed out reading command' });
    });
  }, readDeadlineMs);

  socket.on('data', (chunk: Buffer) => {
    if (stage !== 'reading') {
      discardedBytes += chunk.length;
      if (discardedBytes > DISCARD_LIMIT_BYTES) socket.destroy();
      return;
    }
    const whole = line.push(chunk);
    if (whole === 'too-long') answer({ kind: 'error', text: `control socket I/O failed: command exceeds ${lineLimit} bytes` });
    else if (whole !== null) void carryOut(whole);
  });
  socket.on('end', () => {
    if (stage === 'reading') void carryOut(line.rest());
    if (stage !== 'answered') probe = setInterval(lookForClient, PROBE_INTERVAL_MS);
  });
  // A reset or a broken pipe is a client that left; `close` follows.
  socket.on('error', leave);
  socket.on('timeout', () => socket.destroy());
  socket.on('close', () => {
    clearTimeout(deadline);
    clearInterval(probe);
    leave();
  });

  const exchange: Exchange = {
    signal: left.signal,
    write: (chunk) => new Promise((resolve, reject) => {
      if (stage === 'answered') {
        reject(new Error('the exchange is over'));
        return;
      }
      socket.write(chunk, (error) => {
        if (!error) {
          resolve();
          return;
        }
        leave();
        reject(left.signal.reason);
      });
    }),
    peerDescriptor: () => peerDescriptor(socket),
  };

  async function carryOut(bytes: Buffer): Promise<void> {
    stage = 'routing';
    clearTimeout(deadline);
    let what = 'decode';
    try {
      const decoded = decodeRequest(bytes);
      if (decoded.ok) {
        what = decoded.request.kind;
        answer(await route(decoded.request, exchange));
      } else {
        onProblem(`Invalid supervisor command: ${decoded.error.message}`);
        answer({ kind: 'error', text: decoded.error.message });
      }
    } catch (error) {
      if (left.signal.aborted && error === left.signal.reason) return;
      // What the machine has run out of is no fault of ours.
      const text = `${hasCode(error, 'EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN') ? 'not done' : 'internal error'}: ${textOf(error)}`;
      onProblem(`${what}: ${text}`);
      // In the middle of a stream an answer would pass for content.
      answer(socket.bytesWritten === 0 ? { kind: 'error', text } : null);
    }
  }

  function answer(response: Response | null): void {
    const bytes = response === null ? '' : `${encodeResponse(response)}\n`;
    stage = 'answered';
    clearTimeout(deadline);
    clearInterval(probe);
    if (socket.destroyed) return;
    // Counts while nothing moves: a client that takes its answer slowly gets it, one that takes nothing is dropped.
    socket.setTimeout(answerDeadlineMs);
    socket.end(bytes, () => {
      if (socket.destroyed) return;
      if (!lingers()) socket.destroy();
      // Node destroys a socket of which both sides have ended.
      else deadline = setTimeout(() => socket.destroy(), readDeadlineMs);
    });
  }

  function leave(): void {
    if (!left.signal.aborted) left.abort(new Error('the client has left'));
  }

  /**
   * The client ended its side: it may still be reading, or be gone. On Linux an empty send fails in the second case only
   * (unix(7): EPIPE once the peer is closed), and puts nothing on the wire.
   */
  function lookForClient(): void {
    if (socket.destroyed || socket.writableLength > 0) return;
    socket.write(NOTHING);
  }

  return {
    /** A request is being carried out or answered. */
    get busy(): boolean {
      return !socket.destroyed && (stage === 'routing' || (stage === 'answered' && !socket.writableFinished));
    },
    /** Ends it now, whatever it is doing. */
    destroy: (): void => {
      leave();
      socket.destroy();
    },
  };
}

/** Node keeps it in a private field, so any version may be without it. */
export function peerDescriptor(socket: Socket): number | null {
  const handle: unknown = Reflect.get(socket, '_handle');
  const descriptor: unknown = typeof handle === 'object' && handle !== null ? Reflect.get(handle, 'fd') : null;
  return typeof descriptor === 'number' && descriptor >= 0 ? descriptor : null;
}

const PROBE_INTERVAL_MS = 250;
/** What a client may send after its line before it is cut off; nobody who speaks the protocol sends anything. */
const DISCARD_LIMIT_BYTES = 65_536;
const NOTHING = Buffer.alloc(0);
