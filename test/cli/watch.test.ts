import { rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { flagsOf } from '../../src/cli/arguments.ts';
import type { Call } from '../../src/cli/call.ts';
import { followSupervisor, makeTurns } from '../../src/cli/watch.ts';
import { runtimePaths } from '../../src/runtime-paths.ts';
import { tempDir } from '../temp-dir.ts';
import { until } from './rig.ts';

const SNAPSHOT = '{"Snapshot":{"seq":1,"status":{"schema_version":"status.v1","captured_at":"","overall_health":"healthy","units":[]}}}\n';
const EVENT = '{"Event":{"seq":2,"at":"2026-01-01T00:00:00Z","unit":"café","event":"stop"}}\n';

interface Supervisor {
  readonly sockets: readonly Socket[];
  end(): Promise<void>;
}

/** Something that serves this socket and greets with these bytes, or hangs up. */
async function serve(path: string, greeting: string | null): Promise<Supervisor> {
  const sockets: Socket[] = [];
  const server: Server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined).resume();
    if (greeting === null) socket.destroy();
    else socket.write(greeting);
  });
  await new Promise<void>((listening) => void server.listen(path, listening));
  const end = (): Promise<void> => new Promise((ended) => {
    for (const socket of sockets) socket.destroy();
    server.close(() => ended());
    rmSync(path, { force: true });
  });
  onTestFinished(end);
  return { sockets, end };
}

function follow(path: string) {
  const told: string[] = [];
  const paths = { ...runtimePaths({ system: false, env: { HOME: '/nowhere' } }), socket: path };
  const call = { paths, flags: flagsOf(new Map()), cwd: '/', env: {}, system: false, terminal: { warn: () => undefined } } as unknown as Call;
  const unfollow = followSupervisor(call, {
    line: (line) => told.push(line.kind === 'event' ? `event ${line.record.unit}` : line.kind), gone: ({ code }) => told.push(`gone: ${code}`), refused: (text) => told.push(`refused: ${text}`),
  });
  onTestFinished(unfollow);
  return { told, unfollow };
}

test('a supervisor is followed over its end, which is reported once, to the next one', async () => {
  const path = join(tempDir(), 'control.sock');
  const first = await serve(path, SNAPSHOT);
  const { told } = follow(path);
  await until(() => told.includes('snapshot'));
  const bytes = Buffer.from(EVENT);
  first.sockets[0]?.write(bytes.subarray(0, bytes.indexOf('é') + 1));
  first.sockets[0]?.write(bytes.subarray(bytes.indexOf('é') + 1));
  await until(() => told.includes('event café'));
  await first.end();
  await until(() => told.some((what) => what.startsWith('gone')));
  // Some vain attempts later it is still told once.
  const mute = await serve(path, null);
  await until(() => mute.sockets.length >= 3);
  await mute.end();
  await serve(path, SNAPSHOT + EVENT);
  await until(() => told.length >= 5);
  expect(told).toEqual(['snapshot', 'event café', 'gone: no-supervisor', 'snapshot', 'event café']);
});

test('a supervisor that does not know how to be watched is not asked again', async () => {
  const path = join(tempDir(), 'control.sock');
  const old = await serve(path, '{"Error":"unknown variant `Watch`"}\n');
  const { told } = follow(path);
  await until(() => old.sockets.length === 1);
  old.sockets[0]?.end();
  await until(() => told.length > 0);
  expect(told).toEqual(['refused: unknown variant `Watch`']);
});

test('nothing more is reported, and the connection ends, after the end of the following', async () => {
  const path = join(tempDir(), 'control.sock');
  const supervisor = await serve(path, SNAPSHOT);
  const { told, unfollow } = follow(path);
  await until(() => told.length === 1);
  unfollow();
  await until(() => supervisor.sockets[0]?.closed === true);
  expect(told).toEqual(['snapshot']);
});

test('work that is asked for while it goes on is done once more, never twice at a time', async () => {
  let running = 0;
  let done = 0;
  let most = 0;
  const look = makeTurns(async () => {
    running += 1;
    most = Math.max(most, running);
    await new Promise((resolve) => setImmediate(resolve));
    running -= 1;
    done += 1;
  }, 0, (work) => void work);
  for (let times = 0; times < 10; times += 1) look();
  await until(() => done === 2 && running === 0);
  look();
  await until(() => done === 3);
  expect(most).toBe(1);
});
