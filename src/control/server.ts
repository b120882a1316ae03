import { chmodSync, lstatSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { attempt, textOf } from '../errors.ts';
import { serveConnection, type Connection, type ConnectionOptions } from './connection.ts';
import { socketPathProblem } from '../wire/socket.ts';

export type { Exchange, Route } from './connection.ts';

/** `onProblem` is told of connections that could not be accepted, too, and may throw. */
export interface ListenOptions extends Omit<ConnectionOptions, 'lingers'> {
  readonly path: string;
  /** Connections at a time; more are closed at once. Default 1024. */
  readonly connectionLimit?: number;
  /** Remove what is at `path` first. The caller holds the lock that makes it its own. */
  readonly replace?: boolean;
  /** Serves nobody until `putBack` when it cannot listen now, of which `onProblem` takes a sentence. */
  readonly patient?: boolean;
}

export type ControlServer = Awaited<ReturnType<typeof listen>>;

/** Serves the control socket: mode 0600, one request a connection, any number at a time. Rejects when it cannot listen and is not `patient`. */
export async function listen(options: ListenOptions) {
  const unusable = socketPathProblem(options.path);
  if (unusable !== null) throw new Error(unusable);
  // A reporter that throws must not end the daemon, and no other is left to report that to.
  const onProblem = (text: string): void => attempt(() => options.onProblem(text), undefined);
  const connectionOptions: ConnectionOptions = { ...options, onProblem, lingers: () => server?.listening === true };
  const connections = new Set<Connection>();
  const reportSometimes = atMostEvery(REPEAT_MS, onProblem);
  const open = async (replace: boolean): Promise<Server> => {
    const opened = createServer({ allowHalfOpen: true }, (socket) => {
      const connection = serveConnection(socket, connectionOptions);
      connections.add(connection);
      socket.once('close', () => connections.delete(connection));
    });
    opened.maxConnections = options.connectionLimit ?? 1024;
    opened.on('drop', () => reportSometimes(`control socket: more than ${opened.maxConnections} connections, closing new ones`));
    await bind(opened, options.path, replace).catch((error: unknown) => {
      // It may be listening by then, and nobody else would know of it.
      opened.close();
      throw error;
    });
    // With no descriptor left libuv closes what it cannot accept by means of a spare one; the server stays up either way.
    opened.on('error', (error) => reportSometimes(`control socket: cannot accept a connection: ${error.message}`));
    return opened;
  };
  let server: Server | null = null;
  let inode: string | null = null;
  const begin = async (replace: boolean): Promise<void> => {
    try {
      server = await open(replace);
    } catch (error) {
      throw new Error(`${options.path}: the control socket cannot be made: ${textOf(error)}`, { cause: error });
    }
    inode = inodeOf(options.path);
  };
  await begin(options.replace ?? false).catch((error: unknown) => {
    if (options.patient !== true) throw error;
    onProblem(`${textOf(error)}; services go on, and nobody can reach this supervisor until the disk takes the socket, which is tried every 5 s`);
  });
  return {
    /** Whether it is still our socket that clients find there. Throws when that cannot be seen. */
    isInPlace: (): boolean => server !== null && inodeOf(options.path) === inode,
    /** Puts a socket at the path again, in the place of whatever is there; running exchanges go on. Rejects when it cannot listen. */
    putBack: async (): Promise<void> => {
      // First: closing a server takes away what is at its path.
      server?.close();
      await begin(true);
    },
    /** Accepts no more and removes the socket file, gives running exchanges `graceMs` (default 1000), ends the rest. */
    close: (graceMs = 1000): Promise<void> => (server === null ? Promise.resolve() : close(server, connections, graceMs)),
  };
}

function inodeOf(path: string): string | null {
  const found = lstatSync(path, { throwIfNoEntry: false, bigint: true });
  // Inodes are used again at once.
  return found === undefined ? null : `${found.dev}:${found.ino}:${found.birthtimeNs}`;
}

/** How many clients may wait to be accepted: above that connect(2) says EAGAIN. The kernel allows no more than /proc/sys/net/core/somaxconn, 4096 by default. */
const mostWaiting = 4096;

function bind(server: Server, path: string, replace: boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    if (replace) rmSync(path, { force: true });
    // Binding happens inside the call. 077 and not 0177: a directory that another thread makes meanwhile stays usable.
    const umask = process.umask(0o077);
    try {
      server.listen({ path, backlog: mostWaiting });
    } finally {
      process.umask(umask);
    }
    server.once('listening', resolve);
    if (server.listening) chmodSync(path, 0o600);
  });
}

async function close(server: Server, connections: ReadonlySet<Connection>, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  for (const connection of connections) {
    if (!connection.busy) connection.destroy();
  }
  const deadline = setTimeout(() => {
    for (const connection of connections) connection.destroy();
  }, graceMs);
  await closed;
  clearTimeout(deadline);
}

function atMostEvery(intervalMs: number, report: (text: string) => void): (text: string) => void {
  let lastAt = Number.NEGATIVE_INFINITY;
  return (text) => {
    const now = performance.now();
    if (now - lastAt < intervalMs) return;
    lastAt = now;
    report(text);
  };
}

const REPEAT_MS = 10_000;
