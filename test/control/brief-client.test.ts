import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { isControlError, sendBriefly } from '../../src/control/brief-client.ts';
import { sendCommand } from '../../src/control/client.ts';
import { exchangeRaw } from '../../src/control/raw-pipe.ts';
import { tempDir } from '../temp-dir.ts';

/** A socket at which every client is served like this. */
async function served(serve: (socket: Socket, request: string) => void): Promise<string> {
  const directory = tempDir();
  const path = join(directory, 'control.sock');
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', (bytes) => serve(socket, bytes.toString('utf8')));
  });
  onTestFinished(() => void server.close());
  await new Promise<void>((listening) => void server.listen(path, listening));
  return path;
}

/** What became of a command, by either client. */
async function told(send: typeof sendBriefly, path: string): Promise<unknown> {
  return send({ kind: 'stop', service: 'web' }, path).catch((error: unknown) => (isControlError(error) ? [error.kind, error.message] : error));
}

const inFull: typeof sendBriefly = (command, socket) => sendCommand(command, { socket });

describe('the exchange without node:net', () => {
  test('sends one line and takes one, however it comes in parts', async () => {
    const asked: string[] = [];
    const path = await served((socket, request) => {
      asked.push(request);
      const bytes = Buffer.from(`${'ä€😀'.repeat(40_000)}\n{"never":"read"}\n`);
      socket.write(bytes.subarray(0, 7));
      setImmediate(() => socket.end(bytes.subarray(7)));
    });
    const exchange = await exchangeRaw(path, '"Status"\n')?.outcome;
    expect(exchange).toEqual({ kind: 'line', line: 'ä€😀'.repeat(40_000) });
    expect(asked).toEqual(['"Status"\n']);
  });

  test('takes a line without an end, and an empty one where nothing came', async () => {
    expect(await exchangeRaw(await served((socket) => socket.end('"Ok"')), '"Status"\n')?.outcome).toEqual({ kind: 'line', line: '"Ok"' });
    expect(await exchangeRaw(await served((socket) => socket.end()), '"Status"\n')?.outcome).toEqual({ kind: 'line', line: '' });
  });

  test('says that nobody is there', async () => {
    expect(await exchangeRaw('/nonexistent/control.sock', '"Status"\n')?.outcome).toEqual({ kind: 'not-connected' });
  });
});

describe('a brief command', () => {
  test.each([
    ['a message', '{"Message":"done"}\n'], ['an error', '{"Error":"no such service"}\n'], ['rubbish', 'rubbish\n'], ['nothing', ''], ['a line without an end', '"Ok"'],
  ])('tells %s as the whole client does', async (_what, answer) => {
    const path = await served((socket) => socket.end(answer));
    expect(await told(sendBriefly, path)).toEqual(await told(inFull, path));
  });

  test('that was not read to its end reaches nobody, as with the whole client', async () => {
    const path = await served((socket) => socket.destroy());
    const long = { kind: 'stop', service: 'w'.repeat(300_000) } as const;
    for (const send of [sendBriefly, inFull]) {
      await expect(send(long, path)).rejects.toMatchObject({ kind: 'not-available', cause: { code: expect.stringMatching(/^(ECONNRESET|EPIPE)$/) } });
    }
  });

  test.each([['nobody', '/nonexistent/control.sock'], ['an impossible path', `/${'x'.repeat(200)}`]])('reports %s as the whole client does', async (_what, path) => {
    const outcome = await told(sendBriefly, path);
    expect(outcome).toEqual(await told(inFull, path));
    expect(outcome).toBeInstanceOf(Array);
  });

  test.each([
    ['there is no such handle', () => ({})],
    ['it may not be had', () => {
      throw new Error('refused');
    }],
  ])('goes by node:net where %s', async (_why, binding) => {
    const spy = vi.spyOn(process as unknown as { binding(name: string): object }, 'binding').mockImplementation(binding);
    onTestFinished(() => spy.mockRestore());
    expect(exchangeRaw('/nonexistent', 'x')).toBeNull();
    expect(await told(sendBriefly, await served((socket) => socket.end('{"Message":"done"}\n')))).toEqual({ kind: 'message', text: 'done' });
  });

  test('gives back every descriptor', async () => {
    const path = await served((socket) => socket.end('"Ok"\n'));
    const { readdirSync } = await import('node:fs');
    if (process.platform !== 'linux') return;
    await told(sendBriefly, path);
    const before = readdirSync('/proc/self/fd').length;
    for (let round = 0; round < 20; round += 1) await told(sendBriefly, path);
    await vi.waitFor(() => expect(readdirSync('/proc/self/fd').length).toBeLessThanOrEqual(before + 2), 10_000);
  });
});

describe('a brief command that takes long', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
  });

  /** Lets time pass until it is so. */
  const passing = (fact: () => void): Promise<void> => vi.waitFor(async () => {
    await vi.advanceTimersByTimeAsync(5000);
    fact();
  }, 20_000);

  test('goes on while the supervisor answers others, and asks no more once it is answered itself', async () => {
    const asked: string[] = [];
    let stopping: Socket | null = null;
    const path = await served((socket, request) => {
      asked.push(request);
      if (request === '"Status"\n') socket.end('rubbish');
      else stopping = socket;
    });
    const outcome = told(sendBriefly, path);
    await passing(() => expect(asked.length).toBeGreaterThan(2));
    (stopping as Socket | null)?.end('{"Message":"done"}\n');
    expect([await outcome, vi.getTimerCount()]).toEqual([{ kind: 'message', text: 'done' }, 0]);
  });

  test('ends when the supervisor answers nobody, and lets go of its connection', async () => {
    const open = new Set<Socket>();
    const path = await served((socket) => void open.add(socket.on('close', () => open.delete(socket))));
    const outcome = told(sendBriefly, path);
    await passing(() => expect(open.size).toBe(2));
    expect(await outcome).toEqual(['io', 'supervisor does not respond']);
    await vi.waitFor(() => expect(open.size).toBe(0), 20_000);
  });

  test('that is answered soon asks nothing else', async () => {
    expect([await told(sendBriefly, await served((socket) => socket.end('"Ok"\n'))), vi.getTimerCount()]).toEqual([expect.anything(), 0]);
  });
});
