// Loaded by the supervisor of a torture run before anything else. It is the test build: what it changes are the clock that the supervisor reads,
// what the disk is said to have kept, and the moment of its death.
const fs = require('node:fs');
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
 * Kills the supervisor before an effect at one place, `<function> <effect>` in the file `failpoint`: the place is the innermost named function of the
 * supervisor. Where there is a file `trace`, every place that is passed is noted there.
 */
function failAtPoint() {
  let within = false;
  /** Node's own functions call each other. */
  const here = (effect) => {
    if (within) return;
    within = true;
    try {
      pass(effect);
    } finally {
      within = false;
    }
  };
  const pass = (effect) => {
    const point = readOr('failpoint', '');
    const traced = real.existsSync(join(directory, 'trace'));
    if (point === '' && !traced) return;
    const place = `${placeOf(new Error().stack)} ${effect}`;
    if (traced) real.appendFileSync(join(directory, 'trace'), `${place}\n`);
    if (place !== point) return;
    real.writeFileSync(join(directory, 'visited'), point);
    real.rmSync(join(directory, 'failpoint'));
    killSelf(process.pid, 'SIGKILL');
    // The signal comes with the return from the system call.
    for (;;);
  };
  const effects = [
    'writeSync', 'writeFileSync', 'appendFileSync', 'renameSync', 'rmSync', 'unlinkSync', 'truncateSync', 'ftruncateSync', 'fsyncSync', 'mkdirSync', 'chmodSync',
    'copyFileSync', 'linkSync', 'symlinkSync',
  ];
  for (const effect of effects) wrap(fs, effect, here);
  for (const effect of ['spawn', 'spawnSync', 'execFile']) wrap(childProcess, effect, here);
  wrap(process, 'kill', here);
  wrap(process, 'exit', here);
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
  for (const line of stack.split('\n').slice(4)) {
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
