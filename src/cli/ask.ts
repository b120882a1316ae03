import { ioError, isControlError, sendBriefly } from '../control/brief-client.ts';
import { shownConfigPath } from '../config-path.ts';
import { hasCode, refusals, textOf, type Refusal, type Result } from '../errors.ts';
import type { JournalRecord, StatusSnapshot, UnitSettlement } from '../wire/payloads.ts';
import type { Request } from '../wire/requests.ts';
import type { Response } from '../wire/responses.ts';
import { shellWord } from '../words.ts';
import type { Call } from './call.ts';
import { commandStart, configInUse, noSupervisor } from './config-choice.ts';
import { options } from './options.ts';

export type Answer =
  | { readonly ok: true; readonly response: Exclude<Response, { kind: 'error' }> }
  | Failure;
/** `units`: how each unit fared, where the request asked for settlements and the supervisor knows them. `done`: what went well of several requests. */
export interface Failure { readonly ok: false; readonly refusal: Refusal; readonly units?: readonly UnitSettlement[]; readonly done?: string }
export type StatusAnswer = Result<{ readonly snapshot: StatusSnapshot }>;

/** Sends a request to the supervisor of this call and waits for as long as the supervisor works on it. */
export async function ask(call: Call, request: Request, resetsUntil = performance.now() + RESETS_WITHIN_MS): Promise<Answer> {
  try {
    const response = await sendBriefly(request, call.paths.socket);
    return response.kind === 'error' ? await refused(call, response.text, response.units) : { ok: true, response };
  } catch (error) {
    if (!isControlError(error)) throw error;
    if (error.kind === 'not-available') {
      // Without a cause the connection was made, and ended without an answer.
      if (error.cause === undefined && NOT_TWICE.has(request.kind)) return { ok: false, refusal: refusals.socket(`the supervisor ended before it answered: whether the ${request.kind} was carried out is not known; see sysg status`) };
      if (hasCode(error.cause, 'ECONNRESET', 'EPIPE')) {
        // A supervisor that is being killed takes connections until its last thread has ended. One that has too many of them resets each.
        if (performance.now() > resetsUntil) return { ok: false, refusal: refusals.socket(ioError(error.cause).message) };
        await new Promise((later) => setTimeout(later, AGAIN_MS));
      }
      const found = await (await import('./presence.ts')).lookForServer(call);
      if (found === 'served') return ask(call, request, resetsUntil);
      return { ok: false, refusal: found === 'none' ? noSupervisor(call) : found };
    }
    if (error.kind !== 'server') return { ok: false, refusal: refusals.socket(error.message) };
    const unknown = /unknown variant `(\w+)`, expected one of/.exec(error.detail)?.[1];
    const tooOld = `the running supervisor does not know the request ${unknown}: it is systemg 0.33.0 or an older sysg; to replace it: sysg stop, then sysg start`;
    return refused(call, unknown === undefined ? error.detail : tooOld, error.units);
  }
}

/** What must not be carried out a second time: a supervisor that died over such an order may have begun with it. */
const NOT_TWICE: ReadonlySet<Request['kind']> = new Set(['restart', 'signal', 'handover']);

const RESETS_WITHIN_MS = 5000;
const AGAIN_MS = 50;

async function refused(call: Call, text: string, units: readonly UnitSettlement[] = []): Promise<Failure> {
  // Before a problem with its place systemg 0.33.0's prefix says nothing, and is wrong where the YAML is valid.
  return { ok: false, refusal: refusals.refused(await withUnread(call, text.replace(/^Invalid YAML format: (?=.*:\d+:\d+: )/, ''))), units };
}

/** A service that is in the file and not in the running supervisor is not missing: where `text` says that, the sentence says instead what makes the service known. */
export async function withUnread(call: Call, text: string): Promise<string> {
  const path = call.host === null && unknownService.test(text) ? configInUse(call) : null;
  if (path === null) return text;
  const [{ loadConfigFor }, { profilesOf }] = await Promise.all([import('./load-config.ts'), import('../config/profiles.ts')]);
  const loaded = loadConfigFor(call, path);
  if (!loaded.ok) return text;
  const { services, profiles } = loaded.config;
  const whose = commandStart(call);
  return text.replaceAll(new RegExp(unknownService, 'gm'), (sentence, name: string) => {
    if (!services.some((service) => service.name === name)) return sentence;
    const place = `Service '${name}' is in ${shownConfigPath(path)}`;
    const own = profilesOf(profiles, name);
    return own.length > 0
      ? `${place}, and left out as long as none of its profiles (${own.join(', ')}) is chosen; to start it: ${whose}start ${shellWord(name)}`
      : `${place}, which the supervisor has not read since the service was added; to apply the file: ${whose}reload`;
  });
}

const unknownService = /^Service '([^']+)' not found in configuration.*$/m;

/** What a person orders of one unit on a screen, where the answer is one sentence. */
export function unitOrder(verb: 'start' | 'stop' | 'restart', service: string): Request {
  switch (verb) {
    case 'start': return { kind: 'start', service };
    case 'stop': return { kind: 'stop', service, notes: true };
    case 'restart': return { kind: 'restart', config: null, service, wait: true };
  }
}

/** Asks the same of each unit, one after the other, as a request names one unit; a failure keeps none of the others from its turn. */
export async function askInTurn(names: readonly string[], send: (name: string) => Promise<Answer>): Promise<Answer> {
  const messages: string[] = [];
  const failures: Failure[] = [];
  for (const name of names) {
    const answer = await send(name);
    if (names.length === 1 || (!answer.ok && answer.refusal.code === 'no-supervisor')) return answer;
    if (answer.ok) messages.push(messageOf(answer.response));
    else failures.push({ ...answer, units: answer.units?.length ? answer.units : [{ unit: name, result: 'failed', error: answer.refusal.message }] });
  }
  const done = messages.filter((text) => text !== '').join('\n');
  if (failures.length === 0) return { ok: true, response: { kind: 'message', text: done } };
  const text = failures.map(({ refusal }) => refusal.message).join('\n');
  return { ok: false, refusal: refusals.refused(text), units: failures.flatMap(({ units = [] }) => units), done };
}

/** As `ask`, for a request with one kind of answer. */
export async function askFor<Kind extends Response['kind']>(
  call: Call, request: Request, kind: Kind,
): Promise<Result<{ readonly response: Extract<Response, { kind: Kind }> }>> {
  const answer = await ask(call, request);
  if (!answer.ok) return answer;
  const { response } = answer;
  if (isOf(response, kind)) return { ok: true, response };
  return { ok: false, refusal: refusals.socket(`expected ${kind}, the supervisor answered with ${response.kind}`) };
}

function isOf<Kind extends Response['kind']>(response: Response, kind: Kind): response is Extract<Response, { kind: Kind }> {
  return response.kind === kind;
}

export async function askStatus(call: Call): Promise<StatusAnswer> {
  const answer = await askFor(call, { kind: call.flags.has(options.showSecrets) ? 'reveal' : 'status' }, 'status');
  return answer.ok ? { ok: true, snapshot: answer.response.snapshot } : answer;
}

/**
 * What Status says, or what the files say where there is no supervisor: then with `advice` on what to do about that. A supervisor that began between the
 * two is asked.
 */
export async function statusOrRest(call: Call): Promise<StatusAnswer & { readonly advice: string | null }> {
  const live = await askStatus(call);
  if (live.ok || live.refusal.code !== 'no-supervisor') return { ...live, advice: null };
  const { adviceAtRest, statusAtRest } = await import('./offline.ts');
  const rest = statusAtRest(call);
  if (!rest.ok && await (await import('./presence.ts')).hasBegun(call, rest.refusal)) return statusOrRest(call);
  return { ...rest, advice: adviceAtRest(call) };
}

/** Records that fit in one answer. */
export const mostRecords = 10_000;

/** The newest records that are kept of the unit, or of all units, oldest first: from the supervisor, else (`isLive` false) from the file that it left. */
export async function askRecords(
  call: Call, unit: string | null, limit = mostRecords,
): Promise<Result<{ readonly isLive: boolean; readonly records: readonly JournalRecord[] }>> {
  const answer = await askFor(call, { kind: 'history', unit, limit, since: null }, 'history');
  if (answer.ok) return { ok: true, isLive: true, records: answer.response.records };
  if (answer.refusal.code !== 'no-supervisor') return answer;
  const { readJournal } = await import('../journal/read.ts');
  const { select } = await import('../journal/journal.ts');
  try {
    return { ok: true, isLive: false, records: select([...readJournal(call.paths.stateDir)], { unit, limit, since: null }) };
  } catch (error) {
    return { ok: false, refusal: refusals.runtime(textOf(error)) };
  }
}

/** The text of a message; `Ok` has none. */
export function messageOf(response: Response): string {
  return response.kind === 'message' || response.kind === 'error' ? response.text : '';
}
