// Builds the program in one file, which needs neither Node nor dist/: node .build/standalone.mjs [--outfile FILE]
// esbuild cuts the sources into the chunks of dist/, with Bun's side of some of them, and Bun's compiler puts its runtime around them.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { findBun } from './bun.mjs';
import { apart, chunkOf, chunks, commandLine, root, withLazyModules } from './chunks.mjs';

const { values } = parseArgs({ options: { outfile: { type: 'string', default: join(root, 'standalone/sysg') } } });
const outfile = resolve(values.outfile);

/** Where Bun differs from Node, a file of the same exports lies beside Node's and takes its place: `interpreter-bun.ts` that of `interpreter.ts`. */
const bunsSide = {
  name: 'buns-side',
  setup: (builder) => builder.onResolve({ filter: /^\..*\.ts$/ }, ({ path, resolveDir }) => {
    const file = resolve(resolveDir, path.replace(/\.ts$/, '-bun.ts'));
    return existsSync(file) ? { path: file } : undefined;
  }),
};

/** Which of Node's modules Bun takes 0.5 to 3 ms to load each. */
const SLOW = ['child_process', 'crypto', 'events', 'fs/promises', 'net', 'os', 'stream', 'timers/promises', 'util', 'zlib'];

const bun = await findBun();
for (const source of ['src/cli/main.ts', 'src/daemon.ts']) chunks.add(source);
await mkdir(dirname(outfile), { recursive: true });
// Beside the file, so that the rename at the end crosses no file system.
const scratch = await mkdtemp(join(dirname(outfile), '.standalone-'));
try {
  await writeFile(join(scratch, 'sysg-page.js'), `module.exports=${JSON.stringify(await pageFiles())}`);
  await bundle('.build/entries/standalone.ts', 'sysg.js', apart(() => true));
  for (const source of chunks) {
    // The supervisor is one piece: it loads all of it at once.
    const isApart = source === 'src/daemon.ts' ? () => false : source === 'src/cli/main.ts' ? (kind) => kind === 'dynamic-import' : () => true;
    await bundle(source, chunkOf(source), apart(isApart, source));
  }
  compile(['sysg.js', 'sysg-page.js', ...[...chunks].map(chunkOf)]);
  await rename(join(scratch, 'sysg'), outfile);
} finally {
  await rm(scratch, { recursive: true, force: true });
}

async function bundle(source, name, plugin) {
  const { outputFiles: [output] } = await build({
    ...commandLine, entryPoints: [source], external: ['bun:ffi', './sysg-page.js'], plugins: [plugin, bunsSide],
  });
  const text = source === 'src/daemon.ts' ? output.text : withLazyModules(output.text, SLOW);
  await writeFile(join(scratch, name), text.includes('importMetaUrl') ? `const importMetaUrl="file://"+process.execPath;${text}` : text);
}

async function pageFiles() {
  const names = ['index.html', 'page.js', 'page.css', 'login.css', 'icon.svg'];
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await readFile(join(root, 'dist/web', name), 'utf8')])));
}

/** No file of the directory in which the command is called changes what the executable does. */
function compile(files) {
  const { status, error } = spawnSync(bun, [
    'build', '--compile', '--bytecode', '--format=cjs', '--target=bun', '--external=./sysg-*',
    '--compile-jit-policy=10', '--no-compile-autoload-dotenv', '--no-compile-autoload-bunfig', '--outfile', 'sysg', ...files,
  ], { cwd: scratch, stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new Error(`bun could not compile: ${error?.message ?? `it ended with ${status}`}`);
}
