// Runs the command line once and keeps what V8 compiled for it: node .build/write-cache.cjs MAIN CACHE [argument]...
// V8 itself refuses a cache of another version of it, so that a foreign one costs nothing but its reading.
const { readFileSync, renameSync, writeFileSync } = require('node:fs');
const { createRequire } = require('node:module');
const { dirname } = require('node:path');
const { Script } = require('node:vm');

const [, , main, cache, ...args] = process.argv;
// As the stub in dist/sysg wraps it: V8 knows a source by its length.
const script = new Script(`(function(exports,require,module,__filename,__dirname){${readFileSync(main, 'utf8')}\n})`, { filename: main });
process.argv = [process.argv[0], main, ...args];
process.on('exit', () => {
  writeFileSync(`${cache}.tmp`, script.createCachedData());
  renameSync(`${cache}.tmp`, cache);
});
script.runInThisContext()({}, createRequire(main), { exports: {} }, main, dirname(main));
