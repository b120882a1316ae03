import { connect } from 'node:net';

/**
 * Whether somebody serves this control socket. A supervisor that does not know our lock, such as systemg 0.33.0's, is told by that alone: its pid file may
 * name any process by now.
 */
export function isServed(socketPath: string, timeoutMs = 2000): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    const answer = (served: boolean) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(served);
    };
    // EAGAIN and silence: the queue of a server that is busy is full.
    socket.once('connect', () => answer(true)).once('error', (error: NodeJS.ErrnoException) => answer(error.code === 'EAGAIN'));
    const timer = setTimeout(() => answer(true), timeoutMs);
  });
}
