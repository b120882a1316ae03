// Writes docs/charts/ from the machines.
//   node .build/charts.mjs [--check]
// --check writes nothing, and fails when a page is not what the machines say.
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = resolve(import.meta.dirname, '..');
const folder = join(root, 'docs/charts');
const check = process.argv.includes('--check');

// Inside the repository: what is left out of the bundle is found in its node_modules.
await mkdir(join(root, 'node_modules/.cache'), { recursive: true });
const scratch = await mkdtemp(join(root, 'node_modules/.cache/charts-'));
try {
  const outfile = join(scratch, 'pages.mjs');
  await build({
    entryPoints: [join(root, '.build/chart-pages.ts')], outfile, bundle: true, platform: 'node', format: 'esm', packages: 'external', logLevel: 'warning',
  });
  const { chartPages } = await import(pathToFileURL(outfile).href);
  await mkdir(folder, { recursive: true });
  for (const { file, text } of await chartPages()) {
    const path = join(folder, file);
    if (!check) await writeFile(path, text);
    else if ((await readFile(path, 'utf8').catch(() => '')) !== text) {
      console.error(`docs/charts/${file} is not what the machines say; run: node .build/charts.mjs`);
      process.exitCode = 1;
    }
  }
} finally {
  await rm(scratch, { recursive: true, force: true });
}
