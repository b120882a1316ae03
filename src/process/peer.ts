import type { ProcessIdentity } from '../../machines/types.ts';
import { hasCode } from '../errors.ts';
import { nativePort } from '../native/load.ts';
import type { NativePort } from '../native/port.ts';
import { ticksToMs, uptimeMs } from './boot.ts';
import { identify } from './identity.ts';
import { collect } from './tools.ts';

/** A process that connected, and its user then. */
export interface Peer {
  readonly identity: ProcessIdentity;
  readonly uid: number;
}

/** What the kernel noted of a client at its connect, and when it was asked. */
export interface Credentials {
  readonly pid: number;
  readonly uid: number;
  readonly askedAtMs: number;
}

/** As the native port says at once; null where there is none, where the kernel does not say, and when the connection is closed. */
export function credentialsOf(descriptor: () => number | null, port: Pick<NativePort, 'peerOf'> | null = nativePort()): Credentials | null {
  const askedAtMs = uptimeMs();
  const socket = port === null ? null : descriptor();
  const found = socket === null ? null : port?.peerOf(socket) ?? null;
  return found === null ? null : { ...found, askedAtMs };
}

/**
 * The process at the other end of a connected Unix socket: SO_PEERCRED of unix(7), noted by the kernel at the connect. Node cannot ask: the native port
 * does, or where there is none a Perl or a Python, which gets the socket as its descriptor 3. `null` where there is none of them, where the kernel does not
 * say, and when that process has ended since: a later one may have its pid. `descriptor` is asked right before each use: the connection may be closed in between. `known`: what the native port said before.
 */
export async function peerOf(descriptor: () => number | null, port: Pick<NativePort, 'peerOf'> | null = nativePort(), known: Credentials | null = null): Promise<Peer | null> {
  if (process.platform !== 'linux') return null;
  if (port !== null) return living(known ?? credentialsOf(descriptor, port));
  const askedAtMs = uptimeMs();
  for (const asker of askers) {
    const socket = absent.has(asker) ? null : descriptor();
    if (socket === null) continue;
    const found = await ask(asker, socket);
    if (found === 'absent') absent.add(asker);
    if (found !== 'absent' && found !== 'failed') return living({ ...found, askedAtMs });
  }
  return null;
}

/** A process that has the pid now and began after the question is another one. */
function living(asked: Credentials | null): Peer | null {
  const identity = asked === null ? null : identify(asked.pid);
  return asked !== null && identity !== null && ticksToMs(Number(identity.startTime)) <= asked.askedAtMs ? { identity, uid: asked.uid } : null;
}

// SOL_SOCKET and SO_PEERCRED are 1 and 17 but on a few architectures, where Perl's and Python's own constants are others too.
const askers = [
  { program: 'perl', words: ['-MSocket', '-e', 'open(my $peer, "+<&=", 3) or exit 1; print join " ", unpack("iii", getsockopt($peer, SOL_SOCKET, eval { Socket::SO_PEERCRED() } || 17))'] },
  { program: 'python3', words: ['-ISc', 'import socket, struct; print(*struct.unpack("iii", socket.socket(fileno=3).getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)))'] },
];
const absent = new Set<typeof askers[number]>();

async function ask({ program, words }: typeof askers[number], socket: number): Promise<{ readonly pid: number; readonly uid: number } | 'failed' | 'absent'> {
  const answer = await collect(program, words, { stdio: ['ignore', 'pipe', 'ignore', socket], limitMs: PATIENCE_MS });
  if (answer instanceof Error) return hasCode(answer, 'ENOENT') ? 'absent' : 'failed';
  const [, pid, uid] = /^([1-9]\d*) (\d+) \d+\s*$/.exec(answer.output) ?? [];
  return pid === undefined ? 'failed' : { pid: Number(pid), uid: Number(uid) };
}

const PATIENCE_MS = 3000;
