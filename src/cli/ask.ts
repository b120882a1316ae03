import { isControlError, readSupervisorPid, sendBriefly } from '../control/brief-client.ts';
import type { Request } from '../wire/requests.ts';
import type { Response } from '../wire/responses.ts';
import type { StatusSnapshot } from '../wire/payloads.ts';
import { refusals, type Refusal } from '../errors.ts';
import type { Call } from './call.ts';

export type Answer =
  | { readonly ok: true; readonly response: Exclude<Response, { kind: 'error' }> }
  | { readonly ok: false; readonly refusal: Refusal };

/** Sends a request to the supervisor of this call and waits for as long as it works on it. */
export async function ask(call: Call, request: Request): Promise<Answer> {
  try {
    const response = await sendBriefly(request, call.paths.socket);
    return response.kind === 'error' ? { ok: false, refusal: refusals.refused(response.text) } : { ok: true, response };
  } catch (error) {
    if (!isControlError(error)) throw error;
    if (error.kind === 'not-available') return { ok: false, refusal: refusals.noSupervisor(call.paths.stateDir) };
    if (error.kind !== 'server') return { ok: false, refusal: refusals.socket(error.message) };
    const unknown = /unknown variant `(\w+)`, expected one of/.exec(error.detail)?.[1];
    return { ok: false, refusal: refusals.refused(unknown === undefined ? error.detail : tooOld(unknown)) };
  }
}

function tooOld(request: string): string {
  return `the supervisor that runs does not know the request ${request}: it is one of systemg 0.33.0, or of an older sysg; to have this one in its place: sysg stop, then sysg start`;
}

export type StatusAnswer = { readonly ok: true; readonly snapshot: StatusSnapshot } | { readonly ok: false; readonly refusal: Refusal };

export async function askStatus(call: Call): Promise<StatusAnswer> {
  const answer = await ask(call, { kind: 'status' });
  if (!answer.ok) return answer;
  const { response } = answer;
  return response.kind === 'status'
    ? { ok: true, snapshot: response.snapshot } : { ok: false, refusal: refusals.socket(`expected a status, the supervisor answered with ${response.kind}`) };
}

/** The text of a message; `Ok` has none. */
export function messageOf(response: Response): string {
  return response.kind === 'message' || response.kind === 'error' ? response.text : '';
}

/** For sentences only: null when it is not known. */
export function supervisorPid(call: Call): number | null {
  try {
    return readSupervisorPid(call.paths.stateDir);
  } catch (error) {
    // A pid file that cannot be read or holds no pid: the sentence does without it.
    if (isControlError(error)) return null;
    throw error;
  }
}
