import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { defineConfig } from 'vitest/config';
import LongFirst from './long-first.ts';
import { notPassing } from './standalone/not-passing.ts';

const root = resolve(import.meta.dirname, '..');

// As the bundler does: a shell script is taken in as text.
const shellAsText = {
  name: 'shell-as-text',
  enforce: 'pre' as const,
  load: (id: string) => (id.endsWith('.sh') ? `export default ${JSON.stringify(readFileSync(id, 'utf8'))}` : null),
};

const freshDist = join(import.meta.dirname, '../.build/fresh-dist.mjs');
const withProcesses = { testTimeout: 60_000, hookTimeout: 60_000, globalSetup: freshDist };

/** They measure what is left for others while the machine is busy, or use up what all processes share. Boxes of torture share nothing with the others: the others run beside them. */
const alone = ['counts', 'exhaustion', 'hostile', 'metrics', 'policy-paths'].map((name) => `test/e2e/${name}.test.ts`).concat('test/torture/torture.test.ts');

/** Of `npm run test:standalone` alone: the end-to-end tests with the program in one file. */
const standalone = process.env['SYSG_TEST_STANDALONE'] === undefined ? [] : [{
  extends: true as const,
  test: {
    ...withProcesses, name: 'standalone', include: ['test/{e2e,standalone}/**/*.test.ts'],
    exclude: notPassing.filter(({ test }) => test === null).map(({ file }) => file),
    globalSetup: [freshDist, join(import.meta.dirname, 'standalone/print-list.ts')], setupFiles: [join(import.meta.dirname, 'standalone/leave-out.ts')],
    env: { SYSG_TEST_BIN: join(root, 'standalone/sysg') }, sequence: { groupOrder: 2 },
  },
}];

export default defineConfig({
  root,
  plugins: [shellAsText],
  test: {
    // No file leaves anything behind for the next one, so that what it imports need not be loaded again.
    isolate: false,
    // An array, to which those of a project are added.
    setupFiles: [join(import.meta.dirname, 'own-tmpdir.ts')],
    // On two processors: a test of processes waits more than half of its time for them.
    maxWorkers: 5,
    sequence: { sequencer: LongFirst },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          setupFiles: join(import.meta.dirname, 'fixed-seed.ts'),
          include: ['test/**/*.test.ts'],
          exclude: ['test/{actors,e2e,model,process,bench,soak,standalone,torture}/**'],
          // For what hangs. What counts takes seconds, on a machine where much else runs many times that.
          testTimeout: 60_000, hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'model', include: ['test/model/**/*.test.ts'], testTimeout: 900_000,
          // What is explored is kept: in a small nursery it is copied again and again. The workers have all processors: there is none for threads of collectors.
          execArgv: ['--max-semi-space-size=128', '--single-threaded-gc'],
        },
      },
      {
        extends: true,
        test: { ...withProcesses, name: 'e2e', include: ['test/{actors,process,e2e}/**/*.test.ts'], exclude: alone },
      },
      ...standalone,
      { extends: true, test: { ...withProcesses, name: 'alone', include: alone, maxWorkers: 2, sequence: { groupOrder: 1 } } },
    ],
  },
});
