import { project } from './router.ts';

/** As the server describes it: RFC 9457. */
interface Problem { readonly type: string; readonly status: number; readonly detail: string }

/** `path` below /api/v1, of the project that the page shows. */
export function addressOf(path: string): string {
  return `/api/v1${path}${project === null ? '' : `${path.includes('?') ? '&' : '?'}project=${encodeURIComponent(project)}`}`;
}

/** Asks the server. `path` is below /api/v1. */
export async function get<Answer>(path: string, signal?: AbortSignal): Promise<Answer> {
  return read<Answer>(await fetch(addressOf(path), signal === undefined ? {} : { signal }));
}

/** Why a stream is refused; null: it would be opened, or there is no answer at all. The headers alone take no place among the streams. */
export async function refusalOf(path: string, signal: AbortSignal): Promise<Problem | null> {
  const given = new AbortController();
  signal.addEventListener('abort', () => given.abort());
  try {
    if ((await fetch(addressOf(path), { method: 'HEAD', signal })).ok) return null;
    const response = await fetch(addressOf(path), { signal: given.signal });
    if (!response.ok) return await problemOf(response);
  } catch {
    // No answer: the browser tries again by itself.
  }
  given.abort();
  return null;
}

export async function post<Answer>(path: string, body: unknown): Promise<Answer> {
  return read<Answer>(await fetch(addressOf(path), { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }));
}

export async function picture(machine: string): Promise<string> {
  return (await accepted(await fetch(addressOf(`/charts/${encodeURIComponent(machine)}`)))).text();
}

/** What became of asking, in a sentence. */
export function failureText(error: unknown): string {
  // fetch() rejects with it, in words of each browser's own.
  if (error instanceof TypeError) return 'sysg web does not answer';
  return error instanceof Error ? error.message : String(error);
}

async function read<Answer>(response: Response): Promise<Answer> {
  return await (await accepted(response)).json() as Answer;
}

/** Rejects with why the server refused, in its own sentence. */
async function accepted(response: Response): Promise<Response> {
  if (!response.ok) throw new Error((await problemOf(response)).detail);
  return response;
}

async function problemOf(response: Response): Promise<Problem> {
  const { status } = response;
  const { type = '', detail = `the server answered with ${status}` } = await response.json().catch(
    // The answer comes from something between.
    () => ({}),
  ) as Partial<Problem>;
  return { type, status, detail };
}
