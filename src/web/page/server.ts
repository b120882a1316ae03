import { project } from './router.ts';

/** Why the server refused, in its own sentence. */
export class Refused extends Error {}

/** `path` below /api/v1, of the project that the page shows. */
export function addressOf(path: string): string {
  return `/api/v1${path}${project === null ? '' : `${path.includes('?') ? '&' : '?'}project=${encodeURIComponent(project)}`}`;
}

/** Asks the server. `path` is below /api/v1. Rejects with `Refused`. */
export async function get<Answer>(path: string, signal?: AbortSignal): Promise<Answer> {
  return read<Answer>(await fetch(addressOf(path), signal === undefined ? {} : { signal }));
}

export async function post<Answer>(path: string, body: unknown): Promise<Answer> {
  return read<Answer>(await fetch(addressOf(path), { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }));
}

export async function picture(machine: string): Promise<string> {
  const response = await fetch(addressOf(`/charts/${encodeURIComponent(machine)}`));
  if (!response.ok) throw new Refused(await detailOf(response));
  return response.text();
}

async function read<Answer>(response: Response): Promise<Answer> {
  if (!response.ok) throw new Refused(await detailOf(response));
  return await response.json() as Answer;
}

async function detailOf(response: Response): Promise<string> {
  try {
    const problem = await response.json() as { readonly detail?: string };
    return problem.detail ?? `the server answered with ${response.status}`;
  } catch {
    // The answer comes from something between.
    return `the server answered with ${response.status}`;
  }
}
