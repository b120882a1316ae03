import { constants, readFileSync, readlinkSync } from 'node:fs';
import { getSystemErrorName } from 'node:util';
import { attempt } from '../errors.ts';
import type { CLibrary } from './library.ts';
import type { NativePort } from './port.ts';
import { makeSpawn } from './spawn.ts';

/** Numbers and layouts of Linux on x86-64 and arm64. */
export function makeLinuxPort(library: CLibrary): NativePort {
  const { call, errno, watch } = library;
  const offsetInFile = new BigInt64Array(1);
  return {
    watch,
    ...makeSpawn(library),
    held(pipe) {
      const count = new Int32Array(1);
      return call.ioctl(pipe, FIONREAD, count) === 0 ? (count[0] ?? 0) : 0;
    },
    move(pipe, file, offset, most) {
      offsetInFile[0] = BigInt(offset);
      const moved = call.splice(pipe, null, file, offsetInFile, most, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
      return moved >= 0 ? moved : getSystemErrorName(-errno());
    },
    setAppending: (file, appending) => call.fcntl(file, F_SETFL, appending ? constants.O_APPEND : 0) === 0,
    dropCode() {
      const smaps = attempt(() => readFileSync('/proc/self/smaps', 'latin1'), '');
      const program = attempt(() => readlinkSync('/proc/self/exe', 'latin1'), null);
      for (const { from, to, path } of unchangedIn(smaps)) if (path === program) call.madvise(from, to - from, MADV_DONTNEED);
    },
    peerOf(socket) {
      const credentials = new Int32Array(3);
      const length = Uint32Array.of(credentials.byteLength);
      if (call.getsockopt(socket, SOL_SOCKET, SO_PEERCRED, credentials, length) !== 0 || length[0] !== credentials.byteLength) return null;
      // struct ucred: pid, uid, gid. A pid of 0 is a process of a namespace outside ours.
      const [pid = 0, uid = 0] = credentials;
      return pid > 0 ? { pid, uid: uid >>> 0 } : null;
    },
  };
}

/** Mappings of files, not writable, of which this process has no page of its own, by proc_pid_smaps(5). One that was relocated has some, and is not to be found again in its file. */
function unchangedIn(smaps: string): readonly { readonly from: number; readonly to: number; readonly path: string }[] {
  const mappings = smaps.matchAll(/^([0-9a-f]+)-([0-9a-f]+) r-[x-]p [^/\n]*(\/.*)\n(?:[A-Z].*\n)*?Anonymous: +0 kB$/gm);
  return [...mappings].map(([, from = '', to = '', path = '']) => ({ from: parseInt(from, 16), to: parseInt(to, 16), path }));
}

const MADV_DONTNEED = 4;
const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
const FIONREAD = 0x541b;
const F_SETFL = 4;
const SPLICE_F_MOVE = 1;
const SPLICE_F_NONBLOCK = 2;
