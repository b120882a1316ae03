import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect } from 'vitest';

export interface Counts {
  readonly states: { readonly length: number };
  readonly transitions: number;
  readonly depth: number;
  readonly complete: boolean;
}

/**
 * Prints the counts of an exploration. `docs/invariants.md` names each with its states and transitions, rounded; a walk
 * that has become half or twice as large as is written there is another one, and fails.
 */
export function counted(title: string, { states, transitions, depth, complete }: Counts): void {
  console.info(`model: ${title}: ${states.length} states, ${transitions} transitions, ${complete ? `all, the farthest ${depth}` : `to a depth of ${depth}`} steps from the beginning`);
  if (process.env['MODEL_DEPTH'] !== undefined) return;
  const written = rows().get(title);
  expect(written, `docs/invariants.md has no row '${title}'`).toBeDefined();
  for (const [what, count] of [['states', states.length], ['transitions', transitions]] as const) {
    const share = count / (written?.[what] ?? 0);
    expect(share > 0.5 && share < 2, `${title}: docs/invariants.md says ${written?.[what]} ${what}, there are ${count}`).toBe(true);
  }
}

function rows(): ReadonlyMap<string, { readonly states: number; readonly transitions: number }> {
  const text = readFileSync(resolve(import.meta.dirname, '../../docs/invariants.md'), 'utf8');
  return new Map([...text.matchAll(/^\| ([^|]+) \| ([\d,]+) \| ([\d,]+) \|/gm)].map(([, title = '', states = '', transitions = '']) => [
    title.trim().replaceAll('`', ''), { states: Number(states.replaceAll(',', '')), transitions: Number(transitions.replaceAll(',', '')) },
  ]));
}
