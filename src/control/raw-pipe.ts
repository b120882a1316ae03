import { FirstLine } from '../wire/socket.ts';

/** A connected Unix socket: what was written is answered by one line. */
export type RawExchange =
  | { readonly kind: 'line'; readonly line: string }
  /** Nothing was sent. */
  | { readonly kind: 'not-connected' }
  /** A negative errno. */
  | { readonly kind: 'broken'; readonly errno: number };

export interface RawExchanging {
  readonly outcome: Promise<RawExchange>;
  /** The answer is no longer waited for; `outcome` stays open. */
  close(): void;
}

/**
 * Sends a line to a Unix socket and takes the one that comes back, over Node's own handle: loading node:net and the streams under it takes longer than all
 * the rest of a short command. `process.binding`, which gives that handle, is deprecated (DEP0111): where a Node has it no more, forbids it or gives
 * something else, the answer is null, and the caller goes by node:net. Then this file is to be deleted: nothing but that time is lost.
 */
export function exchangeRaw(path: string, line: string): RawExchanging | null {
  const kit = rawKit();
  if (kit === null) return null;
  const { PipeConnectWrap, Pipe, WriteWrap, state, socketType, sizeAt, offsetAt } = kit;
  const pipe = new Pipe(socketType);
  const answer = new FirstLine();
  let isOpen = true;
  /** A negative errno: not all of the line was taken. */
  let unwritten = 0;
  const close = (): void => {
    if (isOpen) pipe.close();
    isOpen = false;
  };
  const outcome = new Promise<RawExchange>((resolve) => {
    const end = (exchange: RawExchange): void => {
      close();
      resolve(exchange);
    };
    pipe.onread = (chunk) => {
      const size = state[sizeAt] ?? END_OF_FILE;
      if (size === 0) return;
      // What came is worth more than the way it ended: a supervisor may answer before it has read all.
      if (size < 0 || chunk === undefined) {
        const rest = answer.rest().toString('utf8');
        const errno = size === END_OF_FILE ? unwritten : size;
        return end(errno !== 0 && rest === '' ? { kind: 'broken', errno } : { kind: 'line', line: rest });
      }
      const whole = answer.push(Buffer.from(chunk, state[offsetAt] ?? 0, size));
      if (whole !== null) end({ kind: 'line', line: whole.toString('utf8') });
    };
    const connecting = new PipeConnectWrap();
    connecting.oncomplete = (status) => {
      if (status < 0) return end({ kind: 'not-connected' });
      if (!isOpen) return;
      pipe.readStart();
      const writing = new WriteWrap();
      // Reported by the reading end, after what the supervisor sent before it.
      writing.oncomplete = (written) => void (unwritten = written);
      const written = pipe.writeUtf8String(writing, line);
      if (typeof written === 'number' && written < 0) unwritten = written;
    };
    const status = pipe.connect(connecting, path);
    if (typeof status === 'number' && status < 0) end({ kind: 'not-connected' });
  });
  return { outcome, close };
}

/** UV_EOF. */
const END_OF_FILE = -4095;

interface Callback {
  oncomplete: (status: number) => void;
}

interface PipeHandle {
  onread: (chunk: ArrayBuffer | undefined) => void;
  connect(request: Callback, path: string): unknown;
  readStart(): unknown;
  writeUtf8String(request: Callback, text: string): unknown;
  close(): void;
}

interface RawKit {
  readonly Pipe: new (type: number) => PipeHandle;
  readonly PipeConnectWrap: new () => Callback;
  readonly WriteWrap: new () => Callback;
  readonly socketType: number;
  /** Set before each call of `onread`. */
  readonly state: ArrayLike<number>;
  readonly sizeAt: number;
  readonly offsetAt: number;
}

function rawKit(): RawKit | null {
  const { noDeprecation } = process;
  try {
    // With --pending-deprecation, and by default in some Node to come, the first use is complained of on standard error.
    process.noDeprecation = true;
    const { binding } = process as unknown as { binding(name: string): Partial<Record<string, unknown>> };
    const [pipes, streams] = [binding.call(process, 'pipe_wrap'), binding.call(process, 'stream_wrap')];
    const { Pipe, PipeConnectWrap, constants } = pipes as Partial<Pick<RawKit, 'Pipe' | 'PipeConnectWrap'>> & { constants?: { SOCKET?: unknown } };
    const { WriteWrap, streamBaseState: state, kReadBytesOrError: sizeAt, kArrayBufferOffset: offsetAt } = streams as
      Partial<Pick<RawKit, 'WriteWrap'>> & { streamBaseState?: unknown; kReadBytesOrError?: unknown; kArrayBufferOffset?: unknown };
    const socketType = constants?.SOCKET;
    if (typeof Pipe !== 'function' || typeof PipeConnectWrap !== 'function' || typeof WriteWrap !== 'function' || !(state instanceof Int32Array)) return null;
    if (typeof socketType !== 'number' || typeof sizeAt !== 'number' || typeof offsetAt !== 'number') return null;
    const methods = ['connect', 'readStart', 'writeUtf8String', 'close'];
    if (methods.some((method) => typeof Reflect.get(Pipe.prototype as object, method) !== 'function')) return null;
    return { Pipe, PipeConnectWrap, WriteWrap, socketType, state, sizeAt, offsetAt };
  } catch {
    // A runtime without it, or a policy against it.
    return null;
  } finally {
    process.noDeprecation = noDeprecation ?? false;
  }
}
