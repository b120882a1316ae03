import { ControlError } from './control-error.ts';
import { decodeResponse } from './decode-response.ts';
import type { Response } from './protocol.ts';

/** What the first line of an answer means. Throws `ControlError`: an `Error` answer is one of kind `server`, no answer one of kind `not-available`. */
export function readAnswer(line: string, socketPath: string): Response {
  const text = line.trim();
  if (text === '') throw new ControlError('not-available', socketPath);
  const decoded = decodeResponse(text);
  if (!decoded.ok) throw new ControlError('serde', decoded.error);
  if (decoded.response.kind === 'error') throw new ControlError('server', decoded.response.text);
  return decoded.response;
}
