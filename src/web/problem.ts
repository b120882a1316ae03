import type { Refusal } from '../errors.ts';

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
