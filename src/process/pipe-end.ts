import { Socket, type OnReadOpts, type SocketConstructorOpts } from 'node:net';

/** What is read from a pipe as the event loop finds it there. */
export interface PipeReader {
  /** After `onBytes` has said that there is no room for more. */
  resume(): void;
  close(): void;
}

/** What is written to a pipe as it takes it. */
export interface PipeWriter {
  /** False: no more, please, until `onRoom`; what comes all the same is kept. `onTaken` is called when the kernel has all of it, and never when the end comes before. */
  write(bytes: Buffer, onTaken: () => void): boolean;
  /** Gives what is left, and then closes. `onTaken` is called when the kernel has all of it. */
  end(onTaken: () => void): void;
  readonly isClosed: boolean;
  close(): void;
}

/** Must use the bytes before it returns. False: no more until `resume`. */
export type OnBytes = (bytes: Uint8Array) => boolean | void;

/**
 * Reads a pipe for as long as it is open, and closes the descriptor at the end; it has O_NONBLOCK. Each reader gets one `buffer` of a turn of the event loop, and
 * all may share it. Nothing is read that is not given to `onBytes` at once, so that the caller may read the descriptor too. It keeps no process alive.
 */
export function readPipe(descriptor: number, buffer: Uint8Array<ArrayBuffer>, onBytes: OnBytes): PipeReader {
  let open = true;
  let isFull = false;
  const settings: SocketConstructorOpts & { onread: OnReadOpts } = {
    fd: descriptor, readable: true, writable: false,
    onread: {
      buffer,
      callback(length) {
        isFull = onBytes(buffer.subarray(0, length)) === false;
        if (isFull) return false;
        if (length < buffer.length) return true;
        setImmediate(() => {
          if (open && !isFull) socket.resume();
        });
        return false;
      },
    },
  };
  const socket = new Socket(settings);
  // Cannot happen to a FIFO of which we hold both ends; without a listener it would end the supervisor.
  socket.on('error', () => socket.destroy());
  socket.unref();
  return {
    resume() {
      isFull = false;
      if (open) socket.resume();
    },
    close() {
      open = false;
      socket.destroy();
    },
  };
}

/** Writes to a pipe, and closes the descriptor at the end; it has O_NONBLOCK. It keeps no process alive. */
export function writePipe(descriptor: number, onRoom: () => void): PipeWriter {
  const socket = new Socket({ fd: descriptor, readable: false, writable: true });
  socket.unref();
  // A reader is there as long as the caller holds one; an error is our own closing.
  socket.on('error', () => socket.destroy()).on('drain', onRoom);
  return {
    write: (bytes, onTaken) => socket.write(bytes, (error) => {
      if (error === undefined || error === null) onTaken();
    }),
    end: (onTaken) => void socket.end(onTaken),
    get isClosed() {
      return socket.destroyed;
    },
    close: () => void socket.destroy(),
  };
}

/** Calls back once when everybody at the other end of an inherited pipe or socket is gone; what comes from there is thrown away. It keeps no process alive. */
export function watchEnd(descriptor: number, onEnd: () => void): void {
  const socket = new Socket({ fd: descriptor, readable: true, writable: false });
  let isOver = false;
  const end = (): void => {
    if (!isOver) onEnd();
    isOver = true;
  };
  socket.on('error', end).on('close', end).resume().unref();
}
