import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { expect, test } from 'vitest';

test('what the caller left open is closed, apart from what is still needed, and Node goes on working', () => {
  const dir = mkdtempSync(join(tmpdir(), 'sysg-descriptors-'));
  try {
    const module = join(dir, 'descriptors.cjs');
    buildSync({
      entryPoints: [new URL('../../src/process/descriptors.ts', import.meta.url).pathname],
      outfile: module, bundle: true, platform: 'node', format: 'cjs', logLevel: 'error',
    });
    const program = `
      const { closeInheritedDescriptors, inheritableDescriptors } = require(${JSON.stringify(module)});
      const before = inheritableDescriptors();
      closeInheritedDescriptors([41]);
      setTimeout(() => console.log(JSON.stringify({ before, after: inheritableDescriptors() })), 1);`;
    // Node itself marks the low ones; those behind a gap it does not find.
    const open = openSync('/dev/null', 'r');
    const stdio = Array.from({ length: 43 }, (_, place) => ([40, 41, 42].includes(place) ? open : place === 1 ? 'pipe' : 'ignore'));
    const run = spawnSync(process.execPath, ['-e', program], { encoding: 'utf8', stdio });
    closeSync(open);
    const found: unknown = JSON.parse(run.stdout);
    expect(found).toEqual({ before: expect.arrayContaining([40, 41, 42]), after: [41] });
  } finally {
    rmSync(dir, { recursive: true });
  }
});
