import type { Context } from 'hono';
import { isRecord, schemaOf, type Shape } from '../wire/shape.ts';
import type { Refusal } from '../errors.ts';
import { didYouMean } from '../words.ts';

/** One thing that can be asked of the server, as it is served and as it is described. */
export interface Route {
  readonly method: 'get' | 'post';
  /** `/units/{unit}/why`, below /api/v1. */
  readonly path: string;
  readonly about: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: Shape<unknown>;
  /** Of the answer; a text is its media type. */
  readonly answer: Shape<unknown> | string;
  /** Of an answer that is not 200. */
  readonly status?: number;
  run(context: Context): Promise<Response>;
}

/** What no shape describes. */
export const anything: Shape<unknown> = () => null;

export function json(value: unknown, status = 200): Response {
  return new Response(JSON.stringify(value), { status, headers: { 'content-type': 'application/json' } });
}

/** The body, checked by its shape; else what is wrong with it. */
export async function readBody<Body>(context: Context, shape: Shape<unknown>): Promise<Body | Response> {
  let value: unknown;
  try {
    value = await context.req.json();
  } catch {
    return problemResponse(400, 'the body is no JSON');
  }
  const problem = isRecord(value) ? (strangerIn(value, shape) ?? shape(value, 'body')) : 'body: expected an object';
  return problem === null ? value as Body : problemResponse(400, problem);
}

/** What stands under a key that nobody reads may be what matters most to the client: which project it means, or how long. */
function strangerIn(body: Readonly<Record<string, unknown>>, shape: Shape<unknown>): string | null {
  const keys = Object.keys(schemaOf(shape)['properties'] ?? {});
  const stranger = Object.keys(body).find((key) => !keys.includes(key));
  return stranger === undefined ? null : `body: unknown key '${stranger.slice(0, 60)}'${didYouMean(stranger, keys) || `, expected ${keys.join(', ')}`}`;
}

/** A number of the query; null for what is none, or above the limit. */
export function wholeNumber(text: string | undefined, usual: number, most: number): number | null {
  if (text === undefined) return usual;
  return /^[0-9]{1,9}$/.test(text) && Number(text) <= most ? Number(text) : null;
}

const TITLES: Readonly<Record<number, string>> = {
  400: 'The request cannot be understood', 401: 'A token is needed', 403: 'The request is refused', 404: 'There is no such thing',
  405: 'The method is not allowed here', 413: 'The body is too large', 415: 'The body has another type than expected',
  500: 'The server failed', 502: 'The supervisor refused', 503: 'Not at present',
};

/** Why a request was refused: RFC 9457. */
export function problemResponse(status: number, detail: string, code = 'request', headers: Readonly<Record<string, string>> = {}): Response {
  const problem = { type: `urn:sysg:problem:${code}`, title: TITLES[status] ?? 'Refused', status, detail };
  return new Response(JSON.stringify(problem), { status, headers: { 'content-type': 'application/problem+json', ...headers } });
}

/** A refusal of a command as an answer to a request. */
export function refusalResponse({ code, message }: Refusal): Response {
  return problemResponse(STATUSES[code] ?? 502, message, code);
}

const STATUSES: Readonly<Partial<Record<Refusal['code'], number>>> = {
  usage: 400, 'unknown-unit': 404, 'no-supervisor': 503, unresponsive: 503, socket: 503, timeout: 503,
};
