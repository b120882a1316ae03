// Runs command lines one after the other in one process and keeps what V8 compiled for them: node .build/write-cache.cjs MAIN CACHE COMMAND...
// V8 itself refuses a cache of another version of it, so that a foreign one costs nothing but its reading.
const { readFileSync, renameSync, writeFileSync } = require('node:fs');
const { createRequire } = require('node:module');
const { dirname } = require('node:path');
const v8 = require('node:v8');
const { Script } = require('node:vm');

const [program, , main, cache, ...commands] = process.argv;
// As the stub in dist/sysg wraps it: V8 knows a source by its length.
const script = new Script(`(function(exports,require,module,__filename,__dirname){${readFileSync(main, 'latin1')}\n})`, { filename: main });
const exit = process.exit.bind(process);
// V8 uses a cache only under the flags that it was written under: the program is to find those that Node starts with.
v8.setFlagsFromString = () => undefined;

// A command line ends by asking for the end of its process.
process.exit = () => {
  const command = commands.shift();
  if (command !== undefined) return void setImmediate(run, command);
  writeFileSync(`${cache}.tmp`, script.createCachedData());
  renameSync(`${cache}.tmp`, cache);
  exit(0);
};
process.exit();

function run(command) {
  process.argv = [program, main, ...command.split(' ')];
  script.runInThisContext()({}, createRequire(main), { exports: {} }, main, dirname(main));
}
