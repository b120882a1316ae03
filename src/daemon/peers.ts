import type { Exchange } from '../control/connection.ts';
import type { Asker } from '../journal/request-record.ts';
import { nativePort } from '../native/load.ts';
import type { NativePort } from '../native/port.ts';
import { credentialsOf, peerOf, type Credentials, type Peer } from '../process/peer.ts';

/** Who is at the other end of each exchange; the kernel is asked, and the process looked up, once for each. `ask`: as `peerOf`. */
export function openPeers(ask: typeof peerOf = peerOf, port: () => Pick<NativePort, 'peerOf'> | null = nativePort) {
  const noted = new WeakMap<Exchange, Credentials>();
  const known = new WeakMap<Exchange, Promise<Peer | null>>();
  let asking = 0;
  let before: Promise<unknown> = Promise.resolve();

  const of = (exchange: Exchange): Promise<Peer | null> => {
    const found = known.get(exchange) ?? ask(() => exchange.peerDescriptor(), port(), noted.get(exchange) ?? null);
    known.set(exchange, found);
    return found;
  };
  const atMost = async (exchange: Exchange): Promise<Asker> => {
    if (exchange.onSignal !== undefined) return { signal: exchange.onSignal };
    // Each answer takes a process: a flood of requests must not become a flood of those.
    if (asking >= MOST_AT_ONCE) return {};
    asking += 1;
    let patience: NodeJS.Timeout | undefined;
    try {
      const peer = await Promise.race([of(exchange), new Promise<null>((resolve) => void (patience = setTimeout(resolve, PATIENCE_MS, null)))]);
      return peer === null ? {} : { uid: peer.uid, pid: peer.identity.pid };
    } catch {
      // No descriptor or process is left to ask with.
      return {};
    } finally {
      asking -= 1;
      clearTimeout(patience);
    }
  };
  return {
    of,
    /**
     * The uid of a client that is neither the owner of this supervisor nor root, as far as the kernel says that at once: the native port is asked. `null` where there is
     * none; what guards the socket then are its mode and that of its directory alone.
     */
    stranger: (exchange: Exchange): number | null => {
      const found = noted.get(exchange) ?? credentialsOf(() => exchange.peerDescriptor(), port());
      if (found === null) return null;
      noted.set(exchange, found);
      return found.uid === 0 || found.uid === process.geteuid?.() ? null : found.uid;
    },
    /** For the journal, in the order in which the exchanges came. Nobody waits long for that. */
    asker: (exchange: Exchange): Promise<Asker> => {
      const found = atMost(exchange);
      const mine = Promise.all([found, before]).then(([asker]) => asker);
      before = mine;
      return mine;
    },
  };
}

const MOST_AT_ONCE = 8;
const PATIENCE_MS = 1000;
