import fc from 'fast-check';
import { expect, test } from 'vitest';
import { simulate } from '../../src/simulate/simulate.ts';
import { read, walkCases, write } from './walk-case.ts';
import { walk } from './walk.ts';

/** `WALKS=20000` for longer; the seed is printed by what fails. */
const numRuns = Number(process.env['WALKS'] ?? 100);
const seed = process.env['WALKS'] === undefined ? 20_261 : Date.now();

test('two or three units of any definition keep the rules on long random walks', () => {
  let transitions = 0;
  fc.assert(fc.property(walkCases, (walkCase) => {
    const written = write(walkCase);
    const { specs, scenario } = read(written);
    const walked = walk(specs, scenario);
    transitions += walked.transitions;
    if (walked.problems.length > 0) {
      throw new Error(`${walked.problems.join('\n')}\nsysg simulate -c sysg.yaml --scenario scenario.yaml\n# sysg.yaml\n${written.config}# scenario.yaml\n${written.scenario}`);
    }
  }), { numRuns, seed });
  console.info(`model: walks: ${numRuns} walks, ${transitions} transitions`);
  if (process.env['WALKS'] === undefined) expect(transitions).toBe(15_330);
}, 10_000 * numRuns);

test('what a walk would print is a scenario that simulate replays, step by step the same', () => {
  fc.assert(fc.property(walkCases, (walkCase) => {
    const { specs, scenario } = read(write(walkCase));
    const replayed = simulate({ specs, scenario });
    expect(replayed.steps.map(({ atMs, unit, from, to }) => `${atMs} ${unit} ${from} → ${to}`)).toEqual(walk(specs, scenario).steps);
  }), { numRuns: 40, seed: 7 });
});
