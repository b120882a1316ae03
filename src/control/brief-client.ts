import { getSystemErrorName } from 'node:util';
import { readAnswer, type Response } from '../wire/responses.ts';
import { brokenError, ControlError } from '../wire/control-error.ts';
import { encodeRequest, type Request } from '../wire/requests.ts';
import { exchangeRaw } from './raw-pipe.ts';
import { socketPathProblem } from '../wire/socket.ts';

export { ioError, isControlError } from '../wire/control-error.ts';
export { readConfigHint, readSupervisorPid } from './runtime-files.ts';

/** As `sendCommand` without options: the same exchange, the same errors, for a program that is to load next to nothing. */
export async function sendBriefly(command: Request, socketPath: string): Promise<Response> {
  const unusable = socketPathProblem(socketPath);
  if (unusable !== null) throw new ControlError('io', unusable);
  const exchanging = exchangeRaw(socketPath, `${encodeRequest(command)}\n`);
  const exchange = exchanging === null ? null : await watched(exchanging, socketPath);
  if (exchange === null || exchange.kind === 'not-connected') {
    const { sendCommand } = await import('./client.ts');
    return sendCommand(command, { socket: socketPath });
  }
  if (exchange.kind === 'broken') {
    const { errno } = exchange;
    throw brokenError(Object.assign(new Error('the connection broke'), { errno, code: getSystemErrorName(errno) }), socketPath);
  }
  return readAnswer(exchange.line, socketPath);
}

/** A command may take minutes; after some seconds we look whether the supervisor still answers at all. */
function watched({ outcome, close }: NonNullable<ReturnType<typeof exchangeRaw>>, socketPath: string): typeof outcome {
  return new Promise((resolve, reject) => {
    let unwatch = (): void => undefined;
    let over = false;
    const watch = async (): Promise<void> => {
      const { watchHealth } = await import('./health.ts');
      if (over) return;
      unwatch = watchHealth(socketPath, { everyMs: FIRST_LOOK_MS, withinMs: WITHIN_MS, firstMs: 0 }, (error) => {
        close();
        reject(error);
      });
    };
    const timer = setTimeout(() => void watch().catch(reject), FIRST_LOOK_MS);
    void outcome.then((exchange) => {
      over = true;
      clearTimeout(timer);
      unwatch();
      resolve(exchange);
    });
  });
}

const FIRST_LOOK_MS = 5000;
const WITHIN_MS = 2000;
