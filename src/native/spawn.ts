import { constants } from 'node:fs';
import { getSystemErrorName } from 'node:util';
import type { CLibrary } from './library.ts';
import type { ChildEnd, NativePort, SpawnOrder } from './port.ts';

/** Starting and awaiting children. Nothing here is kept but what every start has in common. */
export function makeSpawn({ call, errno, addressOf }: CLibrary): Pick<NativePort, 'spawn' | 'openProcess' | 'endedChild' | 'reap'> {
  const attributes = Buffer.alloc(STRUCT_BYTES);
  const actions = Buffer.alloc(STRUCT_BYTES);
  const noSignal = Buffer.alloc(SIGSET_BYTES);
  const allSignals = Buffer.alloc(SIGSET_BYTES);
  // 1 to 31, as libuv resets them, and 32 to 34, which glibc and musl keep for themselves and would have ignored.
  allSignals.writeUIntLE(0x3_ffff_ffff, 0, 6);
  call.posix_spawnattr_init(attributes);
  call.posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSID);
  call.posix_spawnattr_setsigdefault(attributes, allSignals);
  call.posix_spawnattr_setsigmask(attributes, noSignal);
  const devNull = cString('/dev/null');
  const pid = new Int32Array(1);
  const status = new Int32Array(1);
  const info = Buffer.alloc(SIGINFO_BYTES);
  /** What is pointed to, but by no reference that a collector of garbage would see. */
  let pointedTo: Buffer[] = [];

  /** A vector of C strings, ended by a null pointer. */
  const vector = (words: readonly string[]): BigUint64Array => {
    const text = Buffer.from(words.map((word) => `${word}\0`).join(''));
    pointedTo.push(text);
    const pointers = new BigUint64Array(words.length + 1);
    let at = words.length === 0 ? 0n : addressOf(text);
    for (const [place, word] of words.entries()) {
      pointers[place] = at;
      at += BigInt(Buffer.byteLength(word) + 1);
    }
    return pointers;
  };

  const addActions = ({ workingDir, stdout, stderr, extra }: SpawnOrder): number =>
    call.posix_spawn_file_actions_addopen(actions, 0, devNull, constants.O_RDONLY, 0)
    || call.posix_spawn_file_actions_adddup2(actions, stdout, 1)
    || call.posix_spawn_file_actions_adddup2(actions, stderr, 2)
    // From a descriptor to itself: both C libraries take its close-on-exec off then.
    || extra.map(({ at, descriptor }) => call.posix_spawn_file_actions_adddup2(actions, descriptor, at)).find((error) => error !== 0)
    || call.posix_spawn_file_actions_addchdir_np(actions, cString(workingDir));

  const limits = new BigUint64Array(2);
  /** A child begins with the limits of this process, and posix_spawn(3) can give it no others. */
  const withNofile = (soft: number | null, start: () => number): number => {
    if (soft === null) return start();
    if (call.getrlimit(RLIMIT_NOFILE, limits) !== 0) return errno();
    const own = limits[0] ?? 0n;
    limits[0] = BigInt(soft);
    if (call.setrlimit(RLIMIT_NOFILE, limits) !== 0) return errno();
    try {
      return start();
    } finally {
      limits[0] = own;
      call.setrlimit(RLIMIT_NOFILE, limits);
    }
  };

  return {
    spawn(order) {
      const words = vector(order.words);
      const environment = vector(Object.entries(order.environment).flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`])));
      call.posix_spawn_file_actions_init(actions);
      try {
        const error = addActions(order) || withNofile(order.softNofile, () => call.posix_spawn(pid, cString(order.path), actions, attributes, words, environment));
        return error === 0 ? (pid[0] ?? 0) : getSystemErrorName(-error);
      } finally {
        call.posix_spawn_file_actions_destroy(actions);
        pointedTo = [];
      }
    },
    openProcess(process) {
      const descriptor = call.syscall(SYS_pidfd_open, process, 0);
      return descriptor < 0 ? null : descriptor;
    },
    endedChild() {
      info.fill(0);
      if (call.waitid(P_ALL, 0, info, WEXITED | WNOHANG | WNOWAIT) !== 0) return null;
      const ended = info.readInt32LE(SI_PID);
      return ended > 0 ? ended : null;
    },
    reap: (child) => (call.waitpid(child, status, WNOHANG) === child ? endOf(status[0] ?? 0) : null),
  };
}

function cString(text: string): Buffer {
  return Buffer.from(`${text}\0`);
}

/** The status word of waitpid(2). */
function endOf(status: number): ChildEnd {
  const signal = status & 0x7f;
  return signal === 0 ? { code: (status >> 8) & 0xff } : { signal };
}

/** More than any of the structures has in glibc and in musl (336 bytes at most). */
const STRUCT_BYTES = 1024;
const SIGSET_BYTES = 128;
const SIGINFO_BYTES = 128;
const SI_PID = 16;
const POSIX_SPAWN_SETSIGDEF = 0x04;
const POSIX_SPAWN_SETSIGMASK = 0x08;
const POSIX_SPAWN_SETSID = 0x80;
/** The same on every architecture; musl has no function for it. */
const SYS_pidfd_open = 434;
const RLIMIT_NOFILE = 7;
const P_ALL = 0;
const WNOHANG = 1;
const WEXITED = 4;
const WNOWAIT = 0x01000000;
