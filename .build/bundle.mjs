// Builds dist/: `sysg` (shell and JavaScript in one executable file), the daemon, and the modules for programs.
//   node .build/bundle.mjs [--outdir DIR]
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { existsSync } from 'node:fs';
import { spawn, spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { brotliCompressSync, constants } from 'node:zlib';
import { build } from 'esbuild';
import { alsoInside, apart, chunkOf, chunks, commandLine, common, frequent, program, root, withLazyModules } from './chunks.mjs';

const { values } = parseArgs({ options: { outdir: { type: 'string', default: join(root, 'dist') } } });
const outdir = resolve(values.outdir);

/** A file that runs `<name>.js` beside it, with what V8 kept of that where it fits. `cache`: an expression for the name of that file. */
const stub = (name, cache) => `const {readFileSync}=require('node:fs'),{Script}=require('node:vm'),file=__dirname+'/${name}.js';
let cachedData;
try{cachedData=readFileSync(__dirname+'/'+${cache}+'.cache')}catch{}
new Script('(function(exports,require,module,__filename,__dirname){'+readFileSync(file,'latin1')+'\\n})',{filename:file,cachedData}).runInThisContext()(exports,require,module,file,__dirname);
`;

/** The cache of the command that is called, else of the one that is called most. */
const cacheOfVerb = `'sysg-'+(w=>${JSON.stringify(Object.keys(frequent))}.includes(w)?w:'status')(process.argv.slice(2).find(w=>w[0]!=='-'))`;

/** Kept compressed: what is large and not needed in a hurry. */
const packed = [
  'src/chart/svg.ts', 'src/cli/host.ts', 'src/daemon/end-units.ts', ...['web', 'import', 'export', 'boot', 'simulate', 'chart', 'doctor'].map((name) => `src/cli/commands/${name}.ts`),
];

/** How many sources each bundle is made of: limits of these numbers are tested. */
const modules = {};

await mkdir(outdir, { recursive: true });
// The package is one of modules, the programs in here are not.
await put('package.json', '{"type":"commonjs"}\n');
await bundleCommandLine();
await bundleDaemon();
await bundlePage();
const library = { ...common, format: 'esm', minifyWhitespace: true, minifySyntax: true };
await bundle('.build/entries/client.ts', 'client.mjs', library);
await bundle('.build/entries/machines.ts', 'machines.mjs', { ...library, external: ['xstate'] });
await put('modules.json', `${JSON.stringify(modules, null, 1)}\n`);
if (outdir === join(root, 'dist')) await declareTypes();

/**
 * Frequent commands are in `sysg` itself. What others load when they are called is in files beside it, `sysg-<name>.js`:
 * only looking through all of it would take longer than `status` takes to run. What is such a file is in no other one.
 */
async function bundleCommandLine() {
  // The caches first: V8 knows a source by its length alone, and an old cache must never meet a new source.
  for (const verb of [...Object.keys(frequent), 'main']) await rm(join(outdir, `sysg-${verb}.cache`), { force: true });
  await bundle('src/cli/main.ts', 'sysg-main.js', { ...commandLine, plugins: [apart((kind, source) => kind === 'dynamic-import' && source !== alsoInside)] }, { wrap: withLazyModules });
  await put('sysg', await withLauncher(stub('sysg-main', cacheOfVerb)), 0o755);
  for (const source of chunks) {
    const wrap = packed.includes(source) ? (code) => unpacking(withLazyModules(code)) : withLazyModules;
    await bundle(source, chunkOf(source), { ...commandLine, plugins: [apart(() => true, source)] }, { wrap });
  }
  const present = new Set([...chunks].map(chunkOf).concat('sysg-main.js'));
  for (const name of await readdir(outdir)) if (/^sysg-.*\.js$/.test(name) && !present.has(name)) await rm(join(outdir, name));
  await keepCompiled();
}

/** JavaScript that unpacks JavaScript. */
function unpacking(code) {
  const text = brotliCompressSync(code, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: code.length } }).toString('base64');
  return `new Function('exports','require','module','__filename','__dirname',require('node:zlib').brotliDecompressSync(Buffer.from('${text}','base64')).toString())(exports,require,module,__filename,__dirname);\n`;
}

/** The live page, for browsers: all that it loads comes from here. */
async function bundlePage() {
  const source = join(root, 'src/web/page');
  await mkdir(join(outdir, 'web'), { recursive: true });
  const browser = { bundle: true, write: false, absWorkingDir: root, minify: true, target: ['chrome109', 'firefox115', 'safari16'], logLevel: 'warning', legalComments: 'none' };
  const built = await build({ ...browser, entryPoints: [join(source, 'main.tsx')], format: 'esm', jsx: 'automatic', jsxImportSource: 'preact', outfile: 'page.js', tsconfig: join(source, 'tsconfig.json') });
  const styles = await build({ ...browser, entryPoints: [join(source, 'page.css')], outfile: 'page.css' });
  await put('web/page.js', built.outputFiles[0].text);
  await put('web/page.css', styles.outputFiles[0].text);
  for (const name of ['index.html', 'login.css', 'icon.svg']) await put(`web/${name}`, await readFile(join(source, name), 'utf8'));
}

/** Compiling what `status` needs takes a third of the time that it may take: V8 keeps it from runs against a supervisor that is none. */
async function keepCompiled() {
  const home = await mkdtemp(join(tmpdir(), 'sysg-build-'));
  const state = join(home, '.local/share/systemg');
  await mkdir(state, { recursive: true, mode: 0o700 });
  const unit = {
    name: 'web', hash: '0123456789abcdef', kind: 'service', lifecycle: 'running', health: 'healthy', process: { pid: 1, state: 'running', user: 'root' },
    uptime: { seconds: 1, human: '1 secs ago' }, command: 'web', phase: 'running', wanted: 'up', generation: 1, restarts: 0,
  };
  const snapshot = { schema_version: 'status.v1', captured_at: '2026-01-01T00:00:00Z', overall_health: 'healthy', units: [unit] };
  const server = createServer((socket) => socket.once('data', (request) => {
    socket.end(`${JSON.stringify(request.includes('"Status"') ? { Status: snapshot } : { Message: 'done' })}\n`);
  }));
  await new Promise((listening) => void server.listen(join(state, 'control.sock'), listening));
  for (const [verb, commands] of Object.entries(frequent)) {
    const cache = join(outdir, `sysg-${verb}.cache`);
    const child = spawn(process.execPath, [join(root, '.build/write-cache.cjs'), join(outdir, 'sysg-main.js'), cache, ...commands], {
      env: { ...process.env, HOME: home }, stdio: 'ignore',
    });
    await new Promise((ended) => void child.once('close', ended));
    if (!existsSync(cache)) console.error(`bundle: no compiled code could be kept for ${verb}; it starts a little slower`);
  }
  server.close();
  await rm(home, { recursive: true, force: true });
}

/** One file in which everything is: an installation may be replaced under it. */
async function bundleDaemon() {
  await rm(join(outdir, 'daemon-main.cache'), { force: true });
  await bundle('src/daemon.ts', 'daemon-main.js', { ...program, external: ['koffi'], charset: 'ascii', minifyWhitespace: true, minifySyntax: true });
  await put('daemon.js', stub('daemon-main', "'daemon-main'"));
  await keepCompiledDaemon();
}

/** From a run in a home of its own, in which a service was started and asked about. */
async function keepCompiledDaemon() {
  const home = await mkdtemp(join(tmpdir(), 'sysg-build-'));
  const config = join(home, 'sysg.yaml');
  await writeFile(config, 'version: "1"\nservices:\n  web: {command: "sleep 60", restart_policy: always, env: {vars: {A: b}}}\n  api: {command: "echo $A; exec sleep 60", depends_on: [web]}\n');
  const state = join(home, '.local/share/systemg');
  const child = spawn(process.execPath, [
    join(root, '.build/write-cache.cjs'), join(outdir, 'daemon-main.js'), join(outdir, 'daemon-main.cache'),
    `--config ${config} --mode user --foreground`,
  ], { env: { ...process.env, HOME: home }, stdio: 'ignore' });
  const ended = new Promise((resolve) => void child.once('close', resolve));
  const limit = setTimeout(() => child.kill('SIGKILL'), 20_000);
  while (child.exitCode === null && child.signalCode === null && !(await isUp(join(state, 'control.sock')))) {
    await new Promise((resolve) => void setTimeout(resolve, 50));
  }
  child.kill('SIGTERM');
  await ended;
  clearTimeout(limit);
  await rm(home, { recursive: true, force: true });
  if (!existsSync(join(outdir, 'daemon-main.cache'))) console.error('bundle: no compiled code could be kept; the supervisor starts a little slower');
}

/** Whether a supervisor answers there that all of its units run. */
function isUp(path) {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(path).setEncoding('utf8');
    socket.on('error', () => resolve(false)).on('data', (chunk) => (text += chunk)).on('close', () => resolve(text.split('"phase":"running"').length === 3));
    socket.end('"Status"\n');
  });
}

async function bundle(entry, name, options, { mode = 0o644, wrap = (code) => code } = {}) {
  if (!existsSync(join(root, entry))) {
    console.error(`bundle: ${entry} does not exist, ${name} is left out`);
    return;
  }
  const result = await build({ ...options, entryPoints: [entry], outfile: join(outdir, name), metafile: true });
  const [{ text }] = result.outputFiles;
  modules[name] = Object.keys(result.metafile.inputs).length;
  const banner = options.format === 'cjs' && text.includes('importMetaUrl') ? 'const importMetaUrl=require("node:url").pathToFileURL(__filename).href;\n' : '';
  await put(name, await wrap(banner + text), mode);
}

/** A shell skips the first line and runs what follows; for JavaScript it is a directive and a comment. */
async function withLauncher(code) {
  const parts = await Promise.all(['src/guardian.sh', '.build/launcher.sh'].map((path) => readFile(join(root, path), 'utf8')));
  const shell = parts.join('\n').split('\n').filter((line) => !/^\s*(#|$)/.test(line)).join('\n');
  if (shell.includes('*/')) throw new Error('the launcher contains */, which would end the comment that holds it');
  return `#!/bin/sh\n':' /* Shell up to the end of this comment, JavaScript after it.\n${shell}\n*/;\n${code}`;
}

/** By rename: a shell may be reading the old file. */
async function put(name, text, mode = 0o644) {
  const path = join(outdir, name);
  const temporary = `${path}.${process.pid}.tmp`;
  await writeFile(temporary, text);
  await chmod(temporary, mode);
  await rename(temporary, path);
}

async function declareTypes() {
  const tsc = join(root, 'node_modules/.bin/tsc');
  const result = spawnSync(tsc, ['-p', join(root, '.build/tsconfig.types.json')], { cwd: root, encoding: 'utf8' });
  if (result.status !== 0) console.error(`bundle: declarations are incomplete\n${result.error?.message ?? result.stdout}`);
  const declared = join(root, 'dist/types');
  for (const name of (existsSync(declared) ? await readdir(declared, { recursive: true }) : []).filter((file) => file.endsWith('.d.ts'))) {
    // Types of charts are nested deep: a good part of these files is indentation.
    const text = await readFile(join(declared, name), 'utf8');
    await writeFile(join(declared, name), text.replaceAll(/^(?: {4})+/gm, (indentation) => '\t'.repeat(indentation.length / 4)));
  }
  await mkdir(join(outdir, 'types'), { recursive: true });
  await put('types/package.json', '{"type":"module"}\n');
  for (const name of ['client', 'machines']) await put(`${name}.d.mts`, `export * from './types/.build/entries/${name}.js';\n`);
}
