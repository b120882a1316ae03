// Builds the standalone client, one file that needs neither Node nor dist/: node .build/standalone.mjs [--outfile FILE]
// esbuild joins the sources, as for dist/, with Bun's side of two of them, and Bun's compiler puts its runtime around them.
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';

const root = resolve(import.meta.dirname, '..');
const { values } = parseArgs({ options: { outfile: { type: 'string', default: join(root, 'standalone/sysg') } } });
const outfile = resolve(values.outfile);
/** Where Bun differs from Node, a file of the same exports lies beside Node's: `interpreter-bun.ts`, `raw-pipe-bun.ts`. */
const bunsSide = {
  name: 'buns-side',
  setup: (builder) => builder.onResolve({ filter: /\/(interpreter|raw-pipe)\.ts$/ }, ({ path, resolveDir }) => ({
    path: resolve(resolveDir, path.replace(/\.ts$/, '-bun.ts')),
  })),
};

const bun = await findBun();
await mkdir(dirname(outfile), { recursive: true });
// Beside the file, so that the rename at the end crosses no file system.
const scratch = await mkdtemp(join(dirname(outfile), '.standalone-'));
try {
  await writeFile(join(scratch, 'sysg.js'), await joined());
  compile(scratch);
  await rename(join(scratch, 'sysg'), outfile);
} finally {
  await rm(scratch, { recursive: true, force: true });
}

async function joined() {
  const result = await build({
    bundle: true, platform: 'node', target: 'node20', format: 'cjs', absWorkingDir: root, write: false, charset: 'utf8',
    legalComments: 'none', logLevel: 'warning', loader: { '.sh': 'text' }, entryPoints: ['.build/entries/standalone.ts'], minifyWhitespace: true, minifySyntax: true,
    alias: { 'string-width': './src/cli/print/width.ts' },
    define: { 'PAGE_FILES': JSON.stringify(await pageFiles()), 'import.meta.url': 'importMetaUrl' },
    banner: { js: 'const importMetaUrl="file://"+process.execPath;' },
    plugins: [bunsSide],
  });
  return result.outputFiles[0].text;
}

async function pageFiles() {
  const names = ['index.html', 'page.js', 'page.css', 'login.css', 'icon.svg'];
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await readFile(join(root, 'dist/web', name), 'utf8')])));
}

/** No file of the directory in which the command is called changes what the executable does. */
function compile(directory) {
  const { status, error } = spawnSync(bun, [
    'build', '--compile', '--bytecode', '--format=cjs', '--target=bun',
    '--no-compile-autoload-dotenv', '--no-compile-autoload-bunfig', '--outfile', 'sysg', 'sysg.js',
  ], { cwd: directory, stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new Error(`bun could not compile: ${error?.message ?? `it ended with ${status}`}`);
}

/** The program from the package of this platform: npm's installation does without scripts, and `bun` of the package `bun` needs one. */
async function findBun() {
  const require = createRequire(import.meta.url);
  const manifest = JSON.parse(await readFile(require.resolve('bun/package.json'), 'utf8'));
  for (const name of Object.keys(manifest.optionalDependencies).filter((one) => one.includes(`${process.platform}-${process.arch}`))) {
    try {
      const path = join(dirname(require.resolve(`${name}/package.json`)), 'bin/bun');
      if (spawnSync(path, ['--version']).status === 0) return path;
    } catch {
      // npm installs those that fit this machine.
    }
  }
  throw new Error(`no package of Bun's for ${process.platform} on ${process.arch} is installed: run npm ci`);
}
