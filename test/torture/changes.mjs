// Waiting for what a supervisor reports instead of asking it again and again.
import { connect } from 'node:net';

/** Returns a function that resolves with the next report of the supervisor behind the socket, or after so many milliseconds; `end` closes the connection. */
export function watchChanges(path) {
  let socket = null;
  let heard = false;
  let wake = () => undefined;

  const listen = () => {
    socket = connect(path);
    socket.on('data', () => {
      heard = true;
      wake();
    }).on('error', () => undefined).on('close', () => {
      socket = null;
      wake();
    });
    socket.write('{"Watch":{"since":null,"units":null}}\n');
  };

  const change = async (limitMs) => {
    if (socket === null) listen();
    if (!heard) {
      await new Promise((resolve) => {
        const limit = setTimeout(resolve, limitMs);
        wake = () => {
          clearTimeout(limit);
          resolve();
        };
      });
    }
    heard = false;
    // Several reports come together.
    await new Promise((resolve) => void setTimeout(resolve, 2));
  };
  change.end = () => void socket?.destroy();
  return change;
}
