import { createConnection, type Socket } from 'node:net';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { listen, type ControlServer, type ListenOptions } from '../../src/control/server.ts';
import { tempDir } from '../temp-dir.ts';

export interface ServerRig {
  readonly path: string;
  readonly server: ControlServer;
  readonly problems: string[];
  /** Connects, sends, half-closes if told so, and resolves to everything that came until the server closed. */
  ask(bytes: string | Uint8Array, how?: { readonly halfClose?: boolean }): Promise<string>;
  open(): Promise<Socket>;
}

/** A server on a socket of its own that answers with the kind of each request. */
export async function serve(options: Partial<ListenOptions> = {}): Promise<ServerRig> {
  const path = join(tempDir(), 'control.sock');
  const problems: string[] = [];
  const server = await listen({
    path,
    route: async (request) => ({ kind: 'message', text: request.kind }),
    onProblem: (text) => problems.push(text),
    ...options,
  });
  onTestFinished(() => server.close(0));
  const open = (): Promise<Socket> => openSocket(path);
  return { path, server, problems, open, ask: async (bytes, how = {}) => converse(await open(), bytes, how.halfClose ?? false) };
}

export interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
}

export function deferred<T>(): Deferred<T> {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

export function openSocket(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ path, allowHalfOpen: true });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      // Resets are what some of these tests are about.
      socket.on('error', () => undefined);
      resolve(socket);
    });
  });
}

/** What comes until the end of the stream. */
export function readAll(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      text += chunk;
    });
    const done = (): void => {
      socket.destroy();
      resolve(text);
    };
    socket.once('end', done).once('close', done);
    socket.resume();
  });
}

function converse(socket: Socket, bytes: string | Uint8Array, halfClose: boolean): Promise<string> {
  const answer = readAll(socket);
  if (halfClose) socket.end(bytes);
  else socket.write(bytes);
  return answer;
}
