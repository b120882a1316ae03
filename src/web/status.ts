import { askStatus, type StatusAnswer } from '../cli/ask.ts';
import type { Call } from '../cli/call.ts';

/** What the supervisor says of all units, asked once for all who want to know within a moment. */
export function shareStatus(call: Call): () => Promise<StatusAnswer> {
  let asked: { readonly atMs: number; readonly answer: Promise<StatusAnswer> } | null = null;
  return () => {
    const now = performance.now();
    if (asked === null || now - asked.atMs > FRESH_MS) asked = { atMs: now, answer: askStatus(call) };
    return asked.answer;
  };
}

const FRESH_MS = 150;
