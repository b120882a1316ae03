import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Those that take longest, the longest first: begun last, one of them alone would keep a worker busy while the others have nothing to do. */
const LONG = [
  'torture/',
  'model/two-units.', 'model/two-units-restart', 'model/rollout', 'model/shutdown', 'model/',
  'e2e/web', 'e2e/spawn.', 'e2e/cli-commands', 'e2e/golden', 'e2e/survival', 'e2e/removed-state', 'e2e/at-rest', 'e2e/rollout', 'e2e/readiness', 'e2e/hooks', 'e2e/logs', 'e2e/',
  'cli/guardian', 'native/without', 'cli/completions',
];

/** By what the last run has taken, where there was one, and the long ones first in any case. */
export default class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.toSorted((one, other) => rank(one) - rank(other));
  }
}

function rank({ moduleId }: TestSpecification): number {
  const index = LONG.findIndex((part) => moduleId.includes(`/test/${part}`));
  return index < 0 ? LONG.length : index;
}
