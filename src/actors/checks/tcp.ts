import { connect } from 'node:net';
import { textOf } from '../../errors.ts';
import type { CommandResult } from '../../process/run-command.ts';

/** Whether an address accepts a connection, which is closed at once. */
export function accepts(host: string, port: number, signal: AbortSignal): Promise<CommandResult> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, signal });
    const settle = (result: CommandResult): void => {
      socket.destroy();
      resolve(result);
    };
    socket.once('connect', () => settle({ ok: true }));
    // Stays: a second error must not be an uncaught one.
    socket.on('error', (error) => settle({ ok: false, reason: `got no connection to ${host}:${port}: ${describe(error)}` }));
  });
}

// Where a name has several addresses, Node tells of all failures in an error without a message.
function describe(error: Error): string {
  if (error.message !== '' || !(error instanceof AggregateError)) return error.message;
  return error.errors.map((each) => (textOf(each))).join('; ');
}
