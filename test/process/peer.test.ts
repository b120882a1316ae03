import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { createServer, connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { peerDescriptor } from '../../src/control/connection.ts';
import { loadNative, nativePort } from '../../src/native/load.ts';
import { identify } from '../../src/process/identity.ts';
import { peerOf } from '../../src/process/peer.ts';
import { hasKoffi } from '../native/installed.ts';
import { tempDir } from '../temp-dir.ts';

/** The server's end of a connection that `client` makes. */
function accepted(client: (path: string) => void): Promise<Socket> {
  const path = join(tempDir(), 'sock');
  return new Promise((done) => {
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      socket.on('error', () => undefined);
      onTestFinished(() => void socket.destroy());
      done(socket);
    });
    onTestFinished(() => void server.close());
    server.listen(path, () => client(path));
  });
}

describe.skipIf(process.platform !== 'linux').each([false, true])('who is at the other end of a connection (by the native port: %s)', (isNative) => {
  const peer = (descriptor: () => number | null): ReturnType<typeof peerOf> => peerOf(descriptor, isNative ? nativePort() : null);

  beforeEach(({ skip }) => skip(isNative && !hasKoffi, 'koffi is not installed'));
  beforeAll(async () => {
    if (isNative && hasKoffi) expect(await loadNative()).not.toBeNull();
  });

  test('is the process that connected, with its user', async () => {
    const other: { pid?: number | undefined } = {};
    const socket = await accepted((path) => {
      const client = spawn(process.execPath, ['-e', 'require("net").connect(process.argv[1]); setInterval(() => {}, 1000)', path]);
      onTestFinished(() => void client.kill('SIGKILL'));
      other.pid = client.pid;
    });
    expect(await peer(() => peerDescriptor(socket))).toEqual({ identity: identify(other.pid ?? 0), uid: process.geteuid?.() });
  });

  test('is this very process when it is', async () => {
    const socket = await accepted((path) => {
      const client = connect(path);
      onTestFinished(() => void client.destroy());
    });
    expect((await peer(() => peerDescriptor(socket)))?.identity.pid).toBe(process.pid);
    expect(socket.writable).toBe(true);
  });

  test('is nobody once it has ended, though another holds the connection', async () => {
    let ended: Promise<unknown> = Promise.resolve();
    const socket = await accepted((path) => {
      // The perl that connects ends; the sleep that it started keeps the connection.
      const script = 'use Socket; socket(my $s, PF_UNIX, SOCK_STREAM, 0); connect($s, sockaddr_un($ARGV[0])) or die; $^F = 100; fcntl($s, 2, 0); if (!fork) { sleep 30 }';
      const client = spawn('perl', ['-e', script, path], { detached: true });
      ended = once(client, 'exit');
      onTestFinished(() => {
        if (client.pid !== undefined) process.kill(-client.pid, 'SIGKILL');
      });
    });
    await ended;
    expect(await peer(() => peerDescriptor(socket))).toBeNull();
  });

  test.runIf(isNative)('is nobody when another process has the pid by now: one that began after the question', async () => {
    const asked = (pidOf: () => number) => {
      const port = nativePort();
      return peerOf(() => 7, port === null ? null : { ...port, peerOf: () => ({ pid: pidOf(), uid: 0 }) });
    };
    const begunNow = (): number => {
      // The kernel counts in hundredths of a second.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);
      const child = spawn('sleep', ['100000'], { stdio: 'ignore' });
      onTestFinished(() => void child.kill('SIGKILL'));
      return child.pid ?? 0;
    };
    expect(await asked(begunNow)).toBeNull();
    expect(await asked(() => process.pid)).toMatchObject({ identity: { pid: process.pid } });
  });

  test('is nobody when the connection is closed', async () => {
    expect(await peer(() => null)).toBeNull();
  });

  // The last one without the port: what is missing is not looked for again.
  test('is known where there is neither Perl nor Python only to the native port', async () => {
    const socket = await accepted((path) => {
      const client = connect(path);
      onTestFinished(() => void client.destroy());
    });
    vi.stubEnv('PATH', '/nowhere');
    onTestFinished(() => void vi.unstubAllEnvs());
    expect((await peer(() => peerDescriptor(socket)))?.identity.pid).toBe(isNative ? process.pid : undefined);
  });

  test.runIf(isNative)('is nobody to the native port when the descriptor is no socket, or closed', async () => {
    const file = openSync('/dev/null', 'r');
    onTestFinished(() => void closeSync(file));
    expect(await peer(() => file)).toBeNull();
    expect(await peer(() => 9999)).toBeNull();
  });
});
