import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { defineConfig } from 'vitest/config';

const root = resolve(import.meta.dirname, '..');

// As the bundler does: a shell script is taken in as text.
const shellAsText = {
  name: 'shell-as-text',
  enforce: 'pre' as const,
  load: (id: string) => (id.endsWith('.sh') ? `export default ${JSON.stringify(readFileSync(id, 'utf8'))}` : null),
};

export default defineConfig({
  root,
  plugins: [shellAsText],
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/{actors,e2e,model,process,bench,fuzz,soak}/**'],
          testTimeout: 20_000,
        },
      },
      { extends: true, test: { name: 'model', include: ['test/model/**/*.test.ts'], testTimeout: 900_000 } },
      {
        extends: true,
        // Real processes, one file after the other: they compete for the machine, not with each other.
        test: {
          name: 'e2e', include: ['test/{actors,process,e2e}/**/*.test.ts'], testTimeout: 60_000, hookTimeout: 60_000,
          fileParallelism: false, sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
