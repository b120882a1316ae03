import { spawn } from 'node:child_process';
import type { ProcessIdentity } from '../../machines/types.ts';
import { ticksToMs, uptimeMs } from './boot.ts';
import { identify } from './identity.ts';

/** A process that connected, and its user then. */
export interface Peer {
  readonly identity: ProcessIdentity;
  readonly uid: number;
}

/**
 * Who is at the other end of a connected Unix socket: SO_PEERCRED of unix(7), noted by the kernel at the connect. Node cannot ask, so a Perl or a Python is
 * sent for it, which gets the socket as its descriptor 3. `null` where there is neither, where the kernel does not tell, and when that process has ended
 * since: a later one may have its pid. `descriptor` is asked right before each use: the connection may be closed in between.
 */
export async function peerOf(descriptor: () => number | null): Promise<Peer | null> {
  if (process.platform !== 'linux') return null;
  const askedAt = uptimeMs();
  for (const asker of askers) {
    const socket = absent.has(asker) ? null : descriptor();
    if (socket === null) continue;
    const told = await ask(asker, socket);
    if (told === 'absent') absent.add(asker);
    if (told === 'absent' || told === 'failed') continue;
    const identity = identify(told.pid);
    return identity !== null && ticksToMs(Number(identity.startTime)) <= askedAt ? { identity, uid: told.uid } : null;
  }
  return null;
}

interface Asker {
  readonly program: string;
  readonly words: readonly string[];
}

// SOL_SOCKET and SO_PEERCRED are 1 and 17 but on a few architectures, where Perl's and Python's own constants are others too.
const askers: readonly Asker[] = [
  { program: 'perl', words: ['-MSocket', '-e', 'open(my $peer, "+<&=", 3) or exit 1; print join " ", unpack("iii", getsockopt($peer, SOL_SOCKET, eval { Socket::SO_PEERCRED() } || 17))'] },
  { program: 'python3', words: ['-ISc', 'import socket, struct; print(*struct.unpack("iii", socket.socket(fileno=3).getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)))'] },
];
const absent = new Set<Asker>();

function ask({ program, words }: Asker, socket: number): Promise<{ readonly pid: number; readonly uid: number } | 'failed' | 'absent'> {
  return new Promise((resolve) => {
    const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'ignore', socket], timeout: PATIENCE_MS, killSignal: 'SIGKILL' });
    let told = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      told = (told + text).slice(0, 100);
    });
    child.on('error', () => resolve('absent'));
    child.on('close', () => {
      const [, pid, uid] = /^([1-9]\d*) (\d+) \d+\s*$/.exec(told) ?? [];
      resolve(pid === undefined ? 'failed' : { pid: Number(pid), uid: Number(uid) });
    });
  });
}

const PATIENCE_MS = 3000;
