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
 * Prints the counts of an exploration, which `docs/invariants.md` has to name to the digit: a change of the machines that
 * loses coverage, or finds more, is seen there.
 */
export function counted(title: string, { states, transitions, depth, complete }: Counts): void {
  console.info(`model: ${title}: ${states.length} states, ${transitions} transitions, ${complete ? `all, the farthest ${depth}` : `to a depth of ${depth}`} steps from the beginning`);
  if (process.env['MODEL_DEPTH'] !== undefined) return;
  const written = rows().get(title);
  expect(written, `docs/invariants.md has no row '${title}'`).toBeDefined();
  for (const [what, count] of [['states', states.length], ['transitions', transitions]] as const) {
    expect(`${title}: ${count} ${what}`).toBe(`${title}: ${written?.[what]} ${what}`);
  }
}

function rows(): ReadonlyMap<string, { readonly states: number; readonly transitions: number }> {
  const text = readFileSync(resolve(import.meta.dirname, '../../docs/invariants.md'), 'utf8');
  return new Map([...text.matchAll(/^\| ([^|]+) \| ([\d,]+) \| ([\d,]+) \|/gm)].map(([, title = '', states = '', transitions = '']) => [
    title.trim().replaceAll('`', ''), { states: Number(states.replaceAll(',', '')), transitions: Number(transitions.replaceAll(',', '')) },
  ]));
}
