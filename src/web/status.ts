import { askStatus, type StatusAnswer } from '../cli/ask.ts';
import type { Call } from '../cli/call.ts';

/**
 * What the supervisor says of all units, asked one time after the other: the requests that come while it is being asked share the next answer. No answer is
 * older than its request: a page asks when something happened, and may not hear of anything again for hours.
 */
export function shareStatus(call: Call, ask: (call: Call) => Promise<StatusAnswer> = askStatus): () => Promise<StatusAnswer> {
  let asked: Promise<StatusAnswer> | null = null;
  let next: Promise<StatusAnswer> | null = null;
  const begin = (): Promise<StatusAnswer> => {
    next = null;
    const answer = ask(call).finally(() => {
      if (asked === answer) asked = null;
    });
    asked = answer;
    return answer;
  };
  return () => {
    if (asked === null) return begin();
    next ??= asked.then(begin, begin);
    return next;
  };
}
