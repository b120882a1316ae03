import { FirstLine } from '../wire/socket.ts';
import type { RawExchange, RawExchanging } from './raw-pipe.ts';

/** What is used of Bun's sockets, which Bun loads 20 ms faster than its node:net. */
interface BunSocket {
  /** Gives how many bytes were taken; `drain` follows when more can be. */
  write(bytes: Uint8Array): number;
  end(): void;
}

interface BunHandlers {
  open(socket: BunSocket): void;
  drain(socket: BunSocket): void;
  data(socket: BunSocket, bytes: Uint8Array): void;
  /** With the error where it was a reset. */
  close(socket: BunSocket, error?: { readonly errno?: unknown }): void;
  error(socket: BunSocket, error: { readonly errno?: unknown }): void;
  connectError(): void;
}

declare const Bun: { connect(options: { readonly unix: string; readonly socket: BunHandlers }): Promise<BunSocket> };

/** The exchange of `raw-pipe.ts` over a socket of Bun's. */
export function exchangeRaw(path: string, line: string): RawExchanging {
  const answer = new FirstLine();
  let unsent: Uint8Array = Buffer.from(line);
  let connected: BunSocket | null = null;
  let isOpen = true;
  const close = (): void => {
    if (isOpen) connected?.end();
    isOpen = false;
  };
  const send = (socket: BunSocket): void => {
    // A negative number: the other end is gone, which `close` or `error` reports after what it has sent.
    if (unsent.length > 0) unsent = unsent.subarray(Math.max(0, socket.write(unsent)));
  };
  const outcome = new Promise<RawExchange>((resolve) => {
    const end = (exchange: RawExchange): void => {
      // First: Bun calls the handler of the close from within.
      resolve(exchange);
      close();
    };
    const ended = (_socket: BunSocket, error: { readonly errno?: unknown } = {}): void => {
      const rest = answer.rest().toString('utf8');
      const errno = error.errno ?? (unsent.length > 0 ? EPIPE : 0);
      // What came is worth more than the way it ended.
      end(rest === '' && typeof errno === 'number' && errno !== 0 ? { kind: 'broken', errno: -Math.abs(errno) } : { kind: 'line', line: rest });
    };
    const handlers: BunHandlers = {
      open: (socket) => {
        connected = socket;
        if (isOpen) send(socket);
        else socket.end();
      },
      drain: send,
      data: (_socket, bytes) => {
        const whole = isOpen ? answer.push(Buffer.from(bytes)) : null;
        if (whole !== null) end({ kind: 'line', line: whole.toString('utf8') });
      },
      close: ended,
      error: ended,
      connectError: () => end({ kind: 'not-connected' }),
    };
    Bun.connect({ unix: path, socket: handlers }).catch(() => end({ kind: 'not-connected' }));
  });
  return { outcome, close };
}

/** Not all of the line was taken. */
const EPIPE = 32;
