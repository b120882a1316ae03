// What the files of the program are cut into, for dist/ and for the program in one file alike.
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';

export const root = resolve(import.meta.dirname, '..');

export const common = {
  bundle: true, platform: 'node', target: 'node20', absWorkingDir: root, write: false, charset: 'utf8', legalComments: 'none',
  logLevel: 'warning', loader: { '.sh': 'text' },
};
// CommonJS starts a fifth faster than modules do. `import.meta` has to be spelled out for it.
export const program = {
  // A chunk through import() would pass the loader of modules, which parses it once more.
  ...common, format: 'cjs', supported: { 'dynamic-import': false },
  define: { 'import.meta.url': 'importMetaUrl', 'import.meta.dirname': '__dirname' },
};
export const commandLine = {
  ...program, charset: 'ascii', minifyWhitespace: true, minifySyntax: true,
  // The real one compiles a pattern of all emoji when it is loaded, which doubles the time that help takes.
  alias: { 'string-width': './src/width.ts' },
};

/** Commands that are loaded with the command line itself, and how they are called. */
export const frequent = { status: ['status', 'status --json'], start: ['start --daemonize -s web'], stop: ['stop -s web'], logs: ['logs --no-follow -s web'] };

const xstate = 'node_modules/xstate/dist/xstate.esm.js';
/** Sources that are files of their own: what is imported on demand, and two that nearly all of that needs. */
export const chunks = new Set([...await importedOnDemand(), 'src/config/document.ts', xstate]);

export function chunkOf(source) {
  return `sysg-${source.replace(/^(src|node_modules)\/(cli\/)?(commands\/)?/, '').replace(/(\/dist\/.*)?\.[tj]s$/, '').replaceAll('/', '-')}.js`;
}

/** A file of its own that the command line has in itself, too: `start` needs it each time, and all else in it is there already. */
export const alsoInside = 'src/cli/launch/detached.ts';

/** Leaves what is a file of its own outside, where it is imported in this way. */
export function apart(isApart, self = null) {
  return {
    name: 'apart',
    setup(builder) {
      builder.onResolve({ filter: /^\.\.?\/|^xstate$/ }, ({ kind, path, resolveDir }) => {
        const source = path === 'xstate' ? xstate : relative(root, resolve(resolveDir, path));
        return kind !== 'entry-point' && isApart(kind, source) && chunks.has(source) && source !== self ? { path: `./${chunkOf(source)}`, external: true } : undefined;
      });
    },
  };
}

async function importedOnDemand() {
  const files = (await readdir(join(root, 'src'), { recursive: true })).filter((name) => name.endsWith('.ts'));
  const found = await Promise.all(files.map(async (name) => {
    const text = await readFile(join(root, 'src', name), 'utf8');
    return [...text.matchAll(/\bimport\('(\.[^']+)'\)/g)].map(([, path]) => relative(root, resolve(root, 'src', dirname(name), path)));
  }));
  return found.flat().filter((source) => !Object.keys(frequent).some((verb) => source === `src/cli/commands/${verb}.ts`));
}

/** Modules of Node's that are slow to load are loaded by whoever uses them first; those that Node has loaded by itself are left alone. */
export function withLazyModules(text, slow = ['child_process', 'crypto', 'fs/promises', 'net', 'os', 'stream', 'timers/promises', 'v8', 'zlib']) {
  const lazy = text.replaceAll(new RegExp(`(\\bimport_\\w+)\\s*=\\s*require\\("(node:(?:${slow.join('|')}))"\\)`, 'g'), '$1=whenUsed("$2")');
  return lazy === text ? text : `const whenUsed=(name)=>new Proxy({},{get:(_,key)=>require(name)[key]});\n${lazy}`;
}
