import { test } from 'vitest';
import { exploreTwoUnits } from './two-units.ts';

// The largest exploration by far has a file of its own, and so a worker beside the others.
test('two dependent units, b needs a: started, restart', () => {
  exploreTwoUnits({ title: 'started, restart', edge: { condition: 'started', onRestart: 'restart' } });
});
