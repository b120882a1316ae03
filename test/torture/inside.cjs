// Loaded by the supervisor of a torture run before anything else. It is the test build: what it changes are the clock that the supervisor reads,
// what the disk is said to have kept, and the moment of its death.
const fs = require('node:fs');
const net = require('node:net');
const childProcess = require('node:child_process');
const { join } = require('node:path');

const directory = globalThis.tortureDirectory;
const real = { ...fs };
const killSelf = process.kill.bind(process);

skewTheClock();
noteWhatIsSynced();
failAtPoint();
countWhatIsHeld();

/** Wall clock only, as clock_settime(2) does; the offset in milliseconds is in a file. */
function skewTheClock() {
  const RealDate = Date;
  let [offset, readAt] = [0, -Infinity];
  const skew = () => {
    if (performance.now() - readAt < 20) return offset;
    readAt = performance.now();
    try {
      offset = Number(real.readFileSync(join(directory, 'skew'), 'utf8'));
    } catch {
      // None was set.
      offset = 0;
    }
    return offset;
  };
  globalThis.Date = class extends RealDate {
    constructor(...args) {
      super(...(args.length === 0 ? [RealDate.now() + skew()] : args));
    }
    static now() {
      return RealDate.now() + skew();
    }
  };
}

/** How much of each file of the state directory a power cut leaves: its size at the last fsync(2), under its inode. */
function noteWhatIsSynced() {
  const note = (descriptor) => {
    const stat = real.fstatSync(descriptor);
    if (!stat.isFile()) return;
    try {
      real.writeFileSync(join(directory, 'synced', String(stat.ino)), String(stat.size));
    } catch {
      // A full disk: the file counts as less synced than it is.
    }
  };
  fs.fsyncSync = (descriptor) => {
    real.fsyncSync(descriptor);
    note(descriptor);
  };
  fs.fsync = (descriptor, done) => real.fsync(descriptor, (error) => {
    if (error === null) note(descriptor);
    done(error);
  });
}

/**
 * Kills the supervisor before an effect at one place, or, of an asynchronous one, between the effect and its report: `<function> <effect>` or
 * `<function> <effect> done` in the file `failpoint`. The place is the innermost named function of the supervisor. Where there is a file `trace`, every place that is passed is noted there.
 */
function failAtPoint() {
  let within = false;
  /** Node's own functions call each other. */
  const here = (effect, stack = null) => {
    if (within) return;
    within = true;
    try {
      pass(effect, stack);
    } finally {
      within = false;
    }
  };
  const pass = (effect, stack) => {
    const point = readOr('failpoint', '');
    const traced = real.existsSync(join(directory, 'trace'));
    if (point === '' && !traced) return;
    const place = `${placeOf(stack ?? new Error().stack)} ${effect}`;
    if (traced) real.appendFileSync(join(directory, 'trace'), `${place}\n`);
    if (place !== point) return;
    real.writeFileSync(join(directory, 'visited'), point);
    real.rmSync(join(directory, 'failpoint'));
    killSelf(process.pid, 'SIGKILL');
    // The signal comes with the return from the system call.
    for (;;);
  };
  const effects = [
    'write', 'writeFile', 'appendFile', 'rename', 'rm', 'rmdir', 'unlink', 'truncate', 'ftruncate', 'fsync', 'fdatasync', 'mkdir', 'mkdtemp', 'chmod', 'fchmod',
    'chown', 'fchown', 'lchown', 'utimes', 'futimes', 'copyFile', 'link', 'symlink',
  ];
  for (const effect of effects) {
    wrap(fs, `${effect}Sync`, here);
    wrapAsynchronous(fs, effect, here);
    if (fs.promises[effect] !== undefined) wrapPromising(fs.promises, effect, here);
  }
  for (const name of ['openSync', 'open']) wrapOpening(fs, name, here);
  wrapOpening(fs.promises, 'open', here);
  for (const effect of ['spawn', 'spawnSync', 'execFile']) wrap(childProcess, effect, here);
  wrap(net.Server.prototype, 'listen', here);
  wrap(net.Socket.prototype, 'end', here);
  wrap(process, 'kill', here);
  wrap(process, 'exit', here);
}

/** Before the call, and after the effect, before the supervisor hears of it. Of fs.write and the like Node calls some itself: those are not in the bundle. */
function wrapAsynchronous(target, name, here) {
  const original = target[name];
  target[name] = function effect(...args) {
    here(name);
    const callback = args.at(-1);
    if (typeof callback !== 'function') return original.apply(this, args);
    const stack = new Error().stack;
    return original.apply(this, [...args.slice(0, -1), function done(...results) {
      here(`${name} done`, stack);
      return callback.apply(this, results);
    }]);
  };
}

function wrapPromising(target, name, here) {
  const original = target[name];
  target[name] = async function effect(...args) {
    here(name);
    const stack = new Error().stack;
    const result = await original.apply(this, args);
    here(`${name} done`, stack);
    return result;
  };
}

/** What opens to read changes nothing. */
function wrapOpening(target, name, here) {
  const original = target[name];
  const { O_CREAT, O_TRUNC } = fs.constants;
  target[name] = function effect(...args) {
    const flags = args[1];
    if (typeof flags === 'number' ? (flags & (O_CREAT | O_TRUNC)) !== 0 : typeof flags === 'string' && /^[wa]/.test(flags)) here(name);
    return original.apply(this, args);
  };
}

/** Where there is a directory `figures`: what the supervisor holds after everything that it does not was collected, every five seconds. */
function countWhatIsHeld() {
  if (!real.existsSync(join(directory, 'figures'))) return;
  require('node:v8').setFlagsFromString('--expose-gc');
  const collect = require('node:vm').runInNewContext('gc');
  setInterval(() => {
    collect();
    const resources = process.getActiveResourcesInfo();
    const figures = { pid: process.pid, heapMb: process.memoryUsage().heapUsed / 2 ** 20, timers: resources.filter((name) => name === 'Timeout').length, handles: resources.length };
    real.writeFileSync(join(directory, 'figures/last'), JSON.stringify(figures));
  }, 5000).unref();
}

function wrap(target, name, here) {
  const original = target[name];
  target[name] = function effect(...args) {
    // Signal 0 only asks.
    if (name !== 'kill' || args[1] !== 0) here(name);
    return original.apply(this, args);
  };
}

function placeOf(stack) {
  for (const line of stack.split('\n').slice(2)) {
    const name = /^\s+at (?:new |async )?(?:Object\.|_?[A-Za-z]+\.)?([A-Za-z_$][\w$]*) (?:\[as [^\]]+\] )?\(.*daemon-main\.js/.exec(line)?.[1];
    if (name !== undefined && !['require', 'runInThisContext'].includes(name)) return name;
  }
  return 'unnamed';
}

function readOr(name, otherwise) {
  try {
    return real.readFileSync(join(directory, name), 'utf8').trim();
  } catch {
    // There is none.
    return otherwise;
  }
}
