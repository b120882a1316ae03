import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { dirname, join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  cleanupDeadRuntime, ControlError, readCommand, sendCommand, sendCommandDetached, streamCommandOutput, writeResponse, writeSupervisorPid,
} from '../../src/control/client.ts';
import { tempDir } from '../temp-dir.ts';
import { deferred, serve } from './server-rig.ts';

/** A server that does with each connection what it is told. */
async function fakeServer(onConnection: (socket: Socket) => void): Promise<string> {
  const path = join(tempDir(), 'control.sock');
  const sockets = new Set<Socket>();
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    // Clients of these tests come and go.
    socket.on('error', () => undefined);
    onConnection(socket);
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return path;
}

/** Answers every line with these bytes and closes. */
function answering(bytes: string): Promise<string> {
  return fakeServer((socket) => socket.once('data', () => socket.end(bytes)));
}

async function failure(promise: Promise<unknown>): Promise<ControlError> {
  const error = await promise.then(() => new Error('it was answered'), (reason: unknown) => reason);
  if (!(error instanceof ControlError)) throw error;
  return error;
}

describe('a command', () => {
  test('is sent and answered', async () => {
    const { path } = await serve({ route: async (request) => ({ kind: 'message', text: JSON.stringify(request) }) });
    const answer = await sendCommand({ kind: 'start', service: 'café' }, { socket: path });
    expect(answer).toEqual({ kind: 'message', text: '{"kind":"start","service":"café","settlements":false}' });
  });

  test('is answered by the first line alone, in however many pieces it comes', async () => {
    const path = await fakeServer((socket) => {
      socket.once('data', () => {
        socket.write(Buffer.from('{"Message":"caf\xc3', 'latin1'), () => setImmediate(() => {
          socket.write(Buffer.from('\xa9"}\r\nrest', 'latin1'));
        }));
      });
    });
    expect(await sendCommand({ kind: 'status' }, { socket: path })).toEqual({ kind: 'message', text: 'café' });
  });

  test.each([
    ['{"Error":"Service \'x\' not found in configuration"}\n', 'server', "supervisor reported error: Service 'x' not found in configuration"],
    ['', 'not-available', 'control socket not available'],
    ['\n', 'not-available', 'control socket not available'],
    ['{"Bogus":1}\n', 'serde', 'failed to serialise control message: unknown variant `Bogus`'],
    ['{"Mess', 'serde', 'failed to serialise control message: not JSON'],
  ])('answered with %j fails as %s', async (bytes, kind, message) => {
    const error = await failure(sendCommand({ kind: 'status' }, { socket: await answering(bytes) }));
    expect(error.kind).toBe(kind);
    expect(error.message.startsWith(message)).toBe(true);
  });

  test('to a path without a socket, or with one nobody serves, is not available', async () => {
    const directory = tempDir();
    const absent = await failure(sendCommand({ kind: 'status' }, { socket: join(directory, 'control.sock') }));
    expect([absent.kind, absent.message]).toEqual(['not-available', 'control socket not available']);
    writeFileSync(join(directory, 'file'), '');
    expect((await failure(sendCommand({ kind: 'status' }, { socket: join(directory, 'file') }))).kind).toBe('not-available');
  });

  test('to a path that cannot be one is an I/O error that says why', async () => {
    const socket = join(tempDir(), 'x'.repeat(120));
    expect((await failure(sendCommand({ kind: 'status' }, { socket }))).message).toMatch(/^control socket I\/O failed: socket path .* has \d+ bytes/);
    const file = join(tempDir(), 'file');
    writeFileSync(file, '');
    expect((await failure(sendCommand({ kind: 'status' }, { socket: join(file, 'x') }))).message)
      .toBe(`control socket I/O failed: Not a directory (os error 20) (${join(file, 'x')})`);
  });

  test('gives up after its time, or when it is asked to', async () => {
    const path = await fakeServer(() => undefined);
    const late = await failure(sendCommand({ kind: 'status' }, { socket: path, timeoutMs: 30 }));
    expect([late.kind, late.message]).toEqual(['io', 'control socket I/O failed: no answer within 30 ms']);
    const reason = new Error('Ctrl-C');
    const abort = new AbortController();
    const promise = sendCommand({ kind: 'status' }, { socket: path, signal: abort.signal });
    setImmediate(() => abort.abort(reason));
    await expect(promise).rejects.toBe(reason);
    await expect(sendCommand({ kind: 'status' }, { socket: path, signal: abort.signal })).rejects.toBe(reason);
  });
});

describe('a long wait', () => {
  const rule = { everyMs: 30, withinMs: 60 };

  test('ends when the supervisor answers nobody any more, naming its pid', async () => {
    const path = await fakeServer((socket) => socket.resume());
    const idle = spawn('sleep', ['60']);
    onTestFinished(() => void idle.kill());
    await once(idle, 'spawn');
    writeSupervisorPid(idle.pid ?? 0, dirname(path));
    const error = await failure(sendCommand({ kind: 'stop', service: null }, { socket: path, health: rule }));
    expect([error.kind, error.message]).toEqual(['io', `supervisor pid ${idle.pid} does not respond`]);
  });

  /** A supervisor that works all the time, like this process, and answers no Status; the stop when it was asked for the third one. */
  async function busyServer(): Promise<string> {
    let statuses = 0;
    let stop: Socket | undefined;
    const path = await fakeServer((socket) => socket.once('data', (line: Buffer) => {
      if (line.toString().startsWith('{"Stop"')) return void (stop = socket);
      const { user, system } = process.cpuUsage();
      // Two ticks of the clock by which the kernel counts.
      for (let used = 0; used < 20_000;) used = process.cpuUsage().user + process.cpuUsage().system - user - system;
      if ((statuses += 1) === 3) stop?.end('{"Message":"stopped"}\n');
    }));
    writeSupervisorPid(process.pid, dirname(path));
    return path;
  }

  test('goes on while the supervisor works, on a machine that has too much to do', async () => {
    const path = await busyServer();
    const answer = await sendCommand({ kind: 'stop', service: null }, { socket: path, health: rule });
    expect(answer).toEqual({ kind: 'message', text: 'stopped' });
  });

  test('ends when the supervisor works, and answers nobody, for too long', async () => {
    const path = await busyServer();
    const error = await failure(sendCommand({ kind: 'stop', service: null }, { socket: path, health: { ...rule, busyMs: 1 } }));
    expect(error.message).toBe(`supervisor pid ${process.pid} does not respond`);
  });

  test('goes on as long as a Status is answered', async () => {
    const gate = deferred<void>();
    let statuses = 0;
    const { path } = await serve({
      route: async (request) => {
        if (request.kind === 'stop') await gate.promise;
        else if ((statuses += 1) === 3) gate.resolve();
        return { kind: 'message', text: request.kind };
      },
    });
    const answer = await sendCommand({ kind: 'stop', service: null }, { socket: path, health: { everyMs: 10, withinMs: 5000 } });
    expect(answer).toEqual({ kind: 'message', text: 'stop' });
    expect(statuses).toBeGreaterThanOrEqual(3);
  });

  test('for a watch, which may last for days, asks nothing for which the supervisor would go on measuring', async () => {
    const asked: string[] = [];
    const again = deferred<void>();
    const { path } = await serve({
      route: async ({ kind }) => {
        if (asked.push(kind) === 3) again.resolve();
        if (kind === 'watch') await again.promise;
        return { kind: 'history', records: [] };
      },
    });
    await streamCommandOutput({ kind: 'watch', since: null, units: null }, new PassThrough(), { socket: path, health: { everyMs: 10, withinMs: 5000 } });
    expect(asked).toEqual(['watch', 'history', 'history']);
  });

  test('is not watched when asked not to', async () => {
    let connections = 0;
    const path = await fakeServer(() => {
      connections += 1;
    });
    await failure(sendCommand({ kind: 'stop', service: null }, { socket: path, health: null, timeoutMs: 200 }));
    await vi.waitFor(() => expect(connections).toBeGreaterThan(0), { timeout: 5000 });
    expect(connections).toBe(1);
  });
});

test('a detached command arrives although its sender has left', async () => {
  const seen: unknown[] = [];
  const { path } = await serve({
    route: async (request) => {
      seen.push(request);
      return { kind: 'ok' };
    },
  });
  await sendCommandDetached({ kind: 'restart', config: null, service: null, wait: false }, { socket: path });
  await vi.waitFor(() => expect(seen).toEqual([{ kind: 'restart', config: null, service: null, wait: false, settlements: false, all: false, notes: false }]), { timeout: 5000 });
});

describe('a stream', () => {
  test('is copied byte for byte, no faster than the writer takes it', async () => {
    const content = Buffer.from(Array.from({ length: 600_000 }, (_, index) => index % 256));
    const { path } = await serve({
      route: async (_request, exchange) => {
        await exchange.write(content);
        return null;
      },
    });
    const parts: Buffer[] = [];
    const slow = new Writable({
      highWaterMark: 1,
      write: (chunk: Buffer, _encoding, done) => {
        parts.push(chunk);
        setImmediate(done);
      },
    });
    await streamCommandOutput({ kind: 'logs', service: null, lines: 1, logKind: 'stdout', follow: false }, slow, { socket: path });
    expect(Buffer.concat(parts).equals(content)).toBe(true);
    expect(slow.writableEnded).toBe(false);
  });

  test('ends with the writer\'s error when the writer fails', async () => {
    const left = deferred<void>();
    const { path } = await serve({
      route: async (_request, exchange) => {
        exchange.signal.addEventListener('abort', () => left.resolve());
        await exchange.write(Buffer.from('x'));
        await left.promise;
        return null;
      },
    });
    const broken = new Writable({ write: (_chunk, _encoding, done) => done(new Error('pipe')) });
    await expect(streamCommandOutput({ kind: 'watch', since: null, units: null }, broken, { socket: path })).rejects.toThrow('pipe');
    await left.promise;
  });

  test('ends when it is asked to', async () => {
    const { path } = await serve({ route: () => new Promise(() => undefined) });
    const abort = new AbortController();
    const promise = streamCommandOutput({ kind: 'watch', since: null, units: null }, new PassThrough(), { socket: path, signal: abort.signal });
    setImmediate(() => abort.abort(new Error('enough')));
    await expect(promise).rejects.toThrow('enough');
  });
});

describe('the other side\'s pieces', () => {
  test('read a command and write an answer on a connection', async () => {
    const path = await fakeServer((socket) => {
      void readCommand(socket).then((command) => writeResponse(socket, { kind: 'message', text: command.kind })).then(() => socket.end());
    });
    expect(await sendCommand({ kind: 'plan', config: null }, { socket: path })).toEqual({ kind: 'message', text: 'plan' });
  });

  test.each([
    ['', 'io', 'control socket I/O failed: empty control command'],
    ['\xff\n', 'io', 'control socket I/O failed: stream did not contain valid UTF-8'],
    ['hello\n', 'serde', expect.stringMatching(/^failed to serialise control message: not JSON: ./)],
  ])('refuse %j', async (bytes, kind, message) => {
    const stream = new PassThrough();
    stream.end(Buffer.from(bytes, 'latin1'));
    const error = await failure(readCommand(stream));
    expect([error.kind, error.message]).toEqual([kind, message]);
  });
});

test('a stream of a supervisor that answers nobody any more ends with that, after what had come', async () => {
  let silent = false;
  const path = await fakeServer((socket) => socket.once('data', (line: Buffer) => {
    if (line.toString().startsWith('{"Watch"')) socket.write('begun\n');
    else if (!silent) socket.end('"Ok"\n');
    silent = true;
  }));
  const sink = new PassThrough();
  const error = await failure(streamCommandOutput({ kind: 'watch', since: null, units: null }, sink, { socket: path, health: { everyMs: 100, withinMs: 400 } }));
  expect([error.kind, error.message, String(sink.read())]).toEqual(['io', 'supervisor does not respond', 'begun\n']);
});

describe('runtime files', () => {
  const deadPid = 2 ** 31 - 1;

  test('of a dead supervisor are removed', async () => {
    const directory = tempDir();
    writeSupervisorPid(deadPid, directory);
    writeFileSync(join(directory, 'control.sock'), '');
    expect(await cleanupDeadRuntime(directory)).toBe(true);
    expect(existsSync(join(directory, 'sysg.pid'))).toBe(false);
  });

  test('stay while the recorded process lives or the socket is served', async () => {
    const directory = tempDir();
    writeSupervisorPid(process.pid, directory);
    expect(await cleanupDeadRuntime(directory)).toBe(false);
    const { path } = await serve();
    writeSupervisorPid(deadPid, dirname(path));
    expect(await cleanupDeadRuntime(dirname(path))).toBe(false);
    expect(existsSync(path)).toBe(true);
  });

  test('stay where the recorded process may not be asked, or the socket cannot be', async () => {
    const directory = tempDir();
    writeSupervisorPid(deadPid, directory);
    const kill = vi.spyOn(process, 'kill').mockImplementationOnce(() => {
      throw Object.assign(new Error('kill EPERM'), { code: 'EPERM' });
    });
    onTestFinished(() => kill.mockRestore());
    expect(await cleanupDeadRuntime(directory)).toBe(false);
    expect(existsSync(join(directory, 'sysg.pid'))).toBe(true);
    const deep = join(directory, 'x'.repeat(120));
    writeSupervisorPid(deadPid, deep);
    await expect(cleanupDeadRuntime(deep)).rejects.toMatchObject({ kind: 'io' });
    expect(existsSync(join(deep, 'sysg.pid'))).toBe(true);
  });
});
