import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { expect, onTestFinished, test, vi } from 'vitest';
import { tempDir } from '../temp-dir.ts';
import { openSocket, readAll } from './server-rig.ts';

test('a server without a descriptor left closes what it cannot hold, keeps what it has, and serves on', async () => {
  const directory = tempDir();
  const program = join(directory, 'server.mjs');
  const source = fileURLToPath(new URL('../fixtures/control/echoes-kind.ts', import.meta.url));
  await build({ entryPoints: [source], bundle: true, platform: 'node', format: 'esm', outfile: program, logLevel: 'silent' });
  const path = join(directory, 'control.sock');
  const server = spawn('sh', ['-c', 'ulimit -n 40; exec "$@"', 'sh', process.execPath, program, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => {
    server.kill('SIGKILL');
  });
  await once(server.stdout, 'data');

  const sockets: Socket[] = [];
  for (let index = 0; index < 80; index += 1) {
    const socket = createConnection(path);
    // The reset of a connection that could not be held.
    socket.on('error', () => undefined);
    sockets.push(socket);
  }
  onTestFinished(() => sockets.forEach((socket) => socket.destroy()));
  await vi.waitFor(() => expect(sockets.filter((socket) => socket.closed).length).toBeGreaterThan(30), { timeout: 10_000 });
  const held = sockets.filter((socket) => !socket.closed);
  expect(held.length).toBeGreaterThan(0);

  const answers = Promise.all(held.map(readAll));
  for (const socket of held) socket.write('"Status"\n');
  expect(new Set(await answers)).toEqual(new Set(['{"Message":"status"}\n']));
  await vi.waitFor(async () => {
    const socket = await openSocket(path);
    const answer = readAll(socket);
    socket.write('"Status"\n');
    expect(await answer).toBe('{"Message":"status"}\n');
  }, { timeout: 10_000 });
  expect(server.exitCode).toBeNull();
}, 30_000);
