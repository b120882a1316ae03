import { askStatus, type StatusAnswer } from './ask.ts';
import type { Call } from './call.ts';

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
