import type { CLibrary } from './library.ts';
import type { NativePort } from './port.ts';

/** Numbers and layouts of Linux on x86-64 and arm64. */
export function makeLinuxPort({ call }: CLibrary): NativePort {
  return {
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

const SOL_SOCKET = 1;
const SO_PEERCRED = 17;
