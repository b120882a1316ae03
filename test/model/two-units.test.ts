import { describe, test } from 'vitest';
import { CHECK, exploreTwoUnits, type Setting } from './two-units.ts';

const settings: readonly Setting[] = [
  { title: 'started, ignore', edge: { condition: 'started', onRestart: 'ignore' }, depth: 7 },
  { title: 'healthy, restart', edge: { condition: 'healthy', onRestart: 'restart' }, a: { check: CHECK }, depth: 9 },
  { title: 'reloads', edge: { condition: 'started', onRestart: 'restart' }, reloads: true, depth: 7 },
];

describe('two dependent units', () => {
  test.each(settings)('b needs a: $title', exploreTwoUnits);
});
