import fs, { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { connect } from 'node:net';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Exchange } from '../../src/control/server.ts';
import { listen } from '../../src/control/server.ts';
import { collected } from '../collected.ts';
import { tempDir } from '../temp-dir.ts';
import { until } from '../until.ts';
import { firstLine, readGolden } from '../wire/golden.ts';
import { deferred, openSocket, readAll, serve } from './server-rig.ts';

const STATUS = '"Status"\n';
const ANSWER = '{"Message":"status"}\n';

describe('the socket', () => {
  test('is there with mode 0600 when listening, whatever the umask, and gone after close', async () => {
    const umask = process.umask(0o003);
    const { path, server } = await serve();
    // What is made after it, by services too, is not the owner's alone.
    expect(process.umask(umask)).toBe(0o003);
    expect((statSync(path).mode & 0o777).toString(8)).toBe('600');
    await server.close();
    expect(existsSync(path)).toBe(false);
  });

  test('takes the place of what is there only when asked to', async () => {
    const path = join(tempDir(), 'control.sock');
    writeFileSync(path, 'stale', { mode: 0o644 });
    await expect(serve({ path })).rejects.toThrow(/EADDRINUSE/);
    expect((statSync(path).mode & 0o777).toString(8)).toBe('644');
    const { server } = await serve({ path, replace: true });
    const answer = readAll((await openSocket(path)).end(STATUS));
    expect(await answer).toBe(ANSWER);
    await server.close();
  });

  test('that the disk does not take is made later, by a server that was to be patient', async () => {
    const directory = join(tempDir(), 'later');
    const path = join(directory, 'control.sock');
    await expect(serve({ path })).rejects.toThrow(`${path}: the control socket cannot be made: `);
    const problems: string[] = [];
    const { server } = await serve({ path, patient: true, onProblem: (text) => problems.push(text) });
    expect(problems).toEqual([expect.stringMatching(/control socket cannot be made: .*; services go on, and nobody can reach this supervisor until/)]);
    expect(server.isInPlace()).toBe(false);
    await expect(server.putBack()).rejects.toThrow('cannot be made');
    await server.close();
    mkdirSync(directory);
    await server.putBack();
    expect([server.isInPlace(), await readAll((await openSocket(path)).end(STATUS))]).toEqual([true, ANSWER]);
    await server.close();
  });

  test('whose mode cannot be set is given up: nobody goes on listening there', async () => {
    const path = join(tempDir(), 'control.sock');
    const chmod = vi.spyOn(fs, 'chmodSync').mockImplementation(() => {
      throw new Error('EPERM: operation not permitted, chmod');
    });
    syncBuiltinESMExports();
    onTestFinished(() => {
      chmod.mockRestore();
      syncBuiltinESMExports();
    });
    await expect(serve({ path })).rejects.toThrow('EPERM');
    await expect(openSocket(path)).rejects.toThrow(/ENOENT|ECONNREFUSED/);
  });

  test('that was removed is put back, and the one that nobody finds any more is given up', async () => {
    const { server, path, ask } = await serve();
    expect(server.isInPlace()).toBe(true);
    rmSync(path);
    expect(server.isInPlace()).toBe(false);
    await server.putBack();
    expect([server.isInPlace(), await ask(STATUS)]).toEqual([true, ANSWER]);
    if (process.platform === 'linux') {
      // unix(7): 00010000 are the sockets that listen.
      const listening = readFileSync('/proc/net/unix', 'utf8').split('\n').filter((line) => line.endsWith(` ${path}`) && line.split(' ')[3] === '00010000');
      expect(listening).toHaveLength(1);
    }
  });

  test('is refused when its path is longer than the kernel allows, instead of being bound to a part of it', async () => {
    const path = join(tempDir(), 'x'.repeat(120));
    await expect(listen({ path, route: async () => null, onProblem: () => undefined })).rejects.toThrow(/has \d+ bytes, at most 10[37]/);
  });
});

const longestQueue = existsSync('/proc/sys/net/core/somaxconn') ? Number(readFileSync('/proc/sys/net/core/somaxconn', 'utf8')) : 128;

test.runIf(longestQueue > 1000)('a thousand clients may come before the first of them is accepted', async () => {
  const { path, server } = await serve();
  // connect(2) is done within the call, and the server accepts in a later turn of the event loop.
  const answers = await Promise.all(Array.from({ length: 1000 }, () => readAll(connect(path).end(STATUS))));
  expect(new Set(answers)).toEqual(new Set([ANSWER]));
  await server.close();
});

describe('one exchange', () => {
  test.each(readGolden('malformed').filter((golden) => golden.note === null).map((golden) => [golden.name, golden] as const))(
    '%s, as recorded, is answered with one line and the connection closed',
    async (_name, golden) => {
      const { ask } = await serve();
      const answer = await ask(golden.request, { halfClose: firstLine(golden.request).at(-1) !== 0x0a });
      const prefix = /^\{"Error":"(?:control socket I\/O failed|failed to serialise control message): /.exec(golden.response)?.[0] ?? '{"Message":"';
      expect(answer.startsWith(prefix)).toBe(true);
      expect(answer.indexOf('\n')).toBe(answer.length - 1);
    },
  );

  test('has one line: a second in the same write is dropped', async () => {
    const seen: string[] = [];
    const { ask } = await serve({
      route: async (request) => {
        seen.push(request.kind);
        return { kind: 'ok' };
      },
    });
    expect(await ask('"Status"\n"Shutdown"\n')).toBe('"Ok"\n');
    expect(seen).toEqual(['status']);
  });

  test('does not depend on how the bytes are cut', async () => {
    const { open } = await serve({ route: async (request) => ({ kind: 'message', text: JSON.stringify(request) }) });
    const line = Buffer.from('{"Inspect":{"unit":"café 😀","samples":5}}\n');
    await fc.assert(fc.asyncProperty(fc.array(fc.nat({ max: line.length }), { maxLength: 6 }), async (cuts) => {
      const socket = await open();
      const answer = readAll(socket);
      let sent = 0;
      for (const cut of [...cuts.sort((left, right) => left - right), line.length]) {
        await new Promise<void>((resolve) => {
          socket.write(line.subarray(sent, cut), () => setImmediate(resolve));
        });
        sent = cut;
      }
      expect(JSON.parse(await answer)).toEqual({ Message: JSON.stringify({ kind: 'inspect', unit: 'café 😀', samples: 5 }) });
    }), { numRuns: 30 });
  });

  test('works for a client that ends its side at once and waits for the answer', async () => {
    const gate = deferred<void>();
    const { ask } = await serve({
      route: async (_request, exchange) => {
        await gate.promise;
        return { kind: 'message', text: String(exchange.signal.aborted) };
      },
    });
    const answer = ask(STATUS, { halfClose: true });
    // Longer than the look for a client that has left takes.
    setTimeout(gate.resolve, 400);
    expect(await answer).toBe('{"Message":"false"}\n');
  });

  test('that nobody begins is ended by the read deadline', async () => {
    const { ask } = await serve({ readDeadlineMs: 50 });
    const refusal = '{"Error":"control socket I/O failed: timed out reading command"}\n';
    expect(await ask('')).toBe(refusal);
    expect(await ask('"Stat')).toBe(refusal);
  });

  test('whose line has come in time is carried out, though this process was stopped until after the deadline', async () => {
    const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
    const { open } = await serve({
      readDeadlineMs: 50,
      route: async (request) => {
        await turn();
        return { kind: 'message', text: request.kind };
      },
    });
    const socket = await open();
    // In which the server accepts.
    await turn();
    const answer = readAll(socket);
    socket.write(STATUS);
    for (const since = performance.now(); performance.now() - since < 100;);
    expect(await answer).toBe(ANSWER);
  });

  test('goes on though a bit more comes behind the line while it is carried out', async () => {
    const entered = deferred<void>();
    const gate = deferred<void>();
    const { open, ask } = await serve({
      route: async (request) => {
        if (request.kind === 'status') return { kind: 'message', text: request.kind };
        entered.resolve();
        await gate.promise;
        return { kind: 'ok' };
      },
    });
    const socket = await open();
    const answer = readAll(socket);
    socket.write('"Shutdown"\n');
    await entered.promise;
    await new Promise((resolve) => socket.write('\n'.repeat(65_536), resolve));
    // What came before this exchange has been read by its end.
    expect(await ask(STATUS)).toBe(ANSWER);
    gate.resolve();
    expect(await answer).toBe('"Ok"\n');
  });

  test('takes a line of the limit and refuses one byte more, with the answer readable by a client still writing', async () => {
    const { ask } = await serve();
    const limit = 1_048_576;
    expect(await ask(`${STATUS.trim().padEnd(limit)}\n`)).toBe(ANSWER);
    const refusal = `{"Error":"control socket I/O failed: command exceeds ${limit} bytes"}\n`;
    expect(await ask(`${STATUS.trim().padEnd(limit + 1)}\n`)).toBe(refusal);
    expect(await ask(Buffer.alloc(2 * limit, 0x20))).toBe(refusal);
  });

  test.each([
    ['a line without end', '', 1_048_576], ['what comes behind a line', STATUS, 65_536],
  ])('takes of %s no more than the limit, whatever a client sends', async (_what, first, limit) => {
    const never = deferred<null>();
    const { open } = await serve({ route: () => never.promise });
    const socket = await open();
    let answer = '';
    // It goes on sending when it has its answer.
    socket.setEncoding('utf8').on('data', (text: string) => (answer += text));
    const closed = new Promise((resolve) => socket.once('close', resolve));
    socket.write(first);
    let taken = 0;
    const chunk = Buffer.alloc(65_536, 0x20);
    const flood = (): boolean => socket.write(chunk, (error) => {
      if (error || socket.destroyed) return;
      taken += chunk.length;
      if (taken < 32 * limit) flood();
    });
    flood();
    await closed;
    expect(taken).toBeGreaterThan(0);
    // What the kernel holds between the two is taken by nobody.
    expect(taken).toBeLessThan(limit + 1_000_000);
    expect(answer).toBe(first === '' ? `{"Error":"control socket I/O failed: command exceeds ${limit} bytes"}\n` : '');
  });

  test('whose route throws is answered and reported, and the server goes on', async () => {
    const { ask, problems } = await serve({
      route: async (request) => {
        if (request.kind === 'shutdown') throw new Error('boom');
        return { kind: 'message', text: request.kind };
      },
    });
    expect(await ask('"Shutdown"\n')).toBe('{"Error":"internal error: boom"}\n');
    expect(problems).toEqual(['shutdown: internal error: boom']);
    expect(await ask(STATUS)).toBe(ANSWER);
  });

  test('for which the machine has run out of something is said to be not done', async () => {
    const { ask, problems } = await serve({ route: async () => { throw Object.assign(new Error('EMFILE: too many open files'), { code: 'EMFILE' }); } });
    expect(await ask('"Shutdown"\n')).toBe('{"Error":"not done: EMFILE: too many open files"}\n');
    expect(problems).toEqual(['shutdown: not done: EMFILE: too many open files']);
  });

  test('that a route has begun to stream is cut, not continued with an error, when the route throws', async () => {
    const { ask, problems } = await serve({
      route: async (_request, exchange) => {
        await exchange.write(Buffer.from('line\n'));
        throw new Error('boom');
      },
    });
    expect(await ask(STATUS)).toBe('line\n');
    expect(problems).toEqual(['status: internal error: boom']);
  });

  test('goes on when what problems are reported to throws itself', async () => {
    const { ask } = await serve({
      onProblem: () => {
        throw new Error('reporter');
      },
    });
    expect(await ask('rubbish\n')).toMatch(/^\{"Error"/);
    expect(await ask(STATUS)).toBe(ANSWER);
  });

  test('is over with its answer: what the route writes later is rejected', async () => {
    const late = deferred<unknown>();
    const { open } = await serve({
      route: async (_request, exchange) => {
        setImmediate(() => exchange.write(Buffer.from('late')).catch(late.resolve));
        return { kind: 'ok' };
      },
    });
    const socket = await open();
    socket.write(STATUS);
    expect(await late.promise).toEqual(new Error('the exchange is over'));
    expect(await readAll(socket)).toBe('"Ok"\n');
  });

  test('gives the route its descriptor', async () => {
    const { ask } = await serve({ route: async (_request, exchange) => ({ kind: 'message', text: typeof exchange.peerDescriptor() }) });
    expect(await ask(STATUS)).toBe('{"Message":"number"}\n');
  });
});

describe('a stream', () => {
  test('goes no faster than its reader', async () => {
    let sentBytes = 0;
    const chunk = Buffer.alloc(65_536, 0x61);
    const { open } = await serve({
      route: async (_request, exchange) => {
        for (let index = 0; index < 200; index += 1) {
          await exchange.write(chunk);
          sentBytes += chunk.length;
        }
        return null;
      },
    });
    const socket = await open();
    socket.pause();
    socket.write(STATUS);
    let before = -1;
    await vi.waitFor(() => {
      const stalled = sentBytes === before && sentBytes > 0;
      before = sentBytes;
      expect(stalled).toBe(true);
    }, { timeout: 5000, interval: 100 });
    expect(sentBytes).toBeLessThan(4_000_000);
    const all = await readAll(socket);
    expect(all.length).toBe(200 * chunk.length);
  });

  test.each(['destroys its socket', 'ends its side, then leaves'])('whose reader %s is reported as gone, and its writes reject', async (how) => {
    const entered = deferred<Exchange>();
    const over = deferred<void>();
    const { open, problems } = await serve({
      route: async (_request, exchange) => {
        entered.resolve(exchange);
        await over.promise;
        await exchange.write(Buffer.from('late'));
        return null;
      },
    });
    const [begun, ended] = [vi.spyOn(globalThis, 'setInterval'), vi.spyOn(globalThis, 'clearInterval')];
    onTestFinished(() => [begun, ended].forEach((spy) => spy.mockRestore()));
    const socket = await open();
    socket.write(STATUS);
    const exchange = await entered.promise;
    if (how !== 'destroys its socket') {
      await new Promise<void>((resolve) => socket.end(() => resolve()));
      await until('it is looked for the client', () => begun.mock.calls.length > 0);
    }
    socket.destroy();
    await until('the route is informed', () => exchange.signal.aborted);
    over.resolve();
    await expect(exchange.write(Buffer.from('x'))).rejects.toThrow('the client has left');
    expect(problems).toEqual([]);
    await until('it is looked for the client no more', () => begun.mock.results.every(({ value }) => ended.mock.calls.flat().includes(value)));
  });
});

describe('the server', () => {
  test('answers while others are silent, slow, stuck in a command or not reading', async () => {
    const never = deferred<null>();
    const big = 'x'.repeat(8_000_000);
    const { open, ask } = await serve({
      route: async (request) => {
        if (request.kind === 'shutdown') return never.promise;
        return { kind: 'message', text: request.kind === 'plan' ? big : request.kind };
      },
    });
    const others = await Promise.all(Array.from({ length: 40 }, open));
    for (const [index, socket] of others.entries()) {
      if (index % 4 === 1) socket.write('"Sta');
      if (index % 4 === 2) socket.write('"Shutdown"\n');
      if (index % 4 === 3) socket.pause().write('{"Plan":{}}\n');
    }
    for (let round = 0; round < 5; round += 1) expect(await ask(STATUS)).toBe(ANSWER);
    for (const socket of others) socket.destroy();
  });

  test('drops a client that takes nothing of its answer', async () => {
    const entered = deferred<Exchange>();
    const { open } = await serve({
      answerDeadlineMs: 100,
      route: async (_request, exchange) => {
        entered.resolve(exchange);
        return { kind: 'message', text: 'x'.repeat(8_000_000) };
      },
    });
    const socket = await open();
    socket.pause();
    socket.write(STATUS);
    const exchange = await entered.promise;
    await vi.waitFor(() => expect(exchange.signal.aborted).toBe(true), { timeout: 5000 });
    expect((await readAll(socket)).length).toBeLessThan(8_000_000);
  });

  test('answers 200 clients at once', async () => {
    const { ask } = await serve();
    const answers = await Promise.all(Array.from({ length: 200 }, () => ask(STATUS)));
    expect(new Set(answers)).toEqual(new Set([ANSWER]));
  });

  test('survives any bytes, cut off in any way, and answers the next Status', async () => {
    const { open, ask } = await serve();
    const parting = fc.constantFrom('destroy', 'end', 'reset', 'stay');
    await fc.assert(fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 3 }), parting, async (chunks, how) => {
      const socket = await open();
      for (const chunk of chunks) socket.write(chunk);
      if (how === 'destroy') socket.destroy();
      if (how === 'end') socket.end();
      if (how === 'reset') socket.pause().end(() => socket.destroy());
      expect(await ask(STATUS)).toBe(ANSWER);
      socket.destroy();
    }), { numRuns: 150 });
  });

  test('closes more connections than it may have and serves again when some have left', async () => {
    const { open, ask, problems } = await serve({ connectionLimit: 3 });
    const sockets = await Promise.all([open(), open(), open()]);
    expect(await ask(STATUS)).toBe('');
    expect(problems).toEqual(['control socket: more than 3 connections, closing new ones']);
    for (const socket of sockets) socket.destroy();
    await vi.waitFor(async () => expect(await ask(STATUS)).toBe(ANSWER), { timeout: 5000 });
  });

  test('keeps nothing of a connection that has ended', async () => {
    const exchanges: WeakRef<Exchange>[] = [];
    const { ask, server } = await serve({
      route: async (request, exchange) => {
        exchanges.push(new WeakRef(exchange));
        return { kind: 'message', text: request.kind };
      },
    });
    expect(await ask(STATUS)).toBe(ANSWER);
    for (const exchange of exchanges) await collected('the exchange', exchange);
    await server.close();
  });

  test('lets a running exchange finish when it closes, and ends the ones that wait', async () => {
    const gate = deferred<void>();
    const entered = deferred<void>();
    const { open, ask, server } = await serve({
      route: async () => {
        entered.resolve();
        await gate.promise;
        return { kind: 'message', text: 'done' };
      },
    });
    const silent = readAll(await open());
    const running = ask(STATUS);
    await entered.promise;
    const closed = server.close(5000);
    expect(await silent).toBe('');
    gate.resolve();
    expect(await running).toBe('{"Message":"done"}\n');
    await closed;
  });

  test('does not wait for clients that stay after their answer when it closes', async () => {
    const gate = deferred<void>();
    const entered = deferred<void>();
    const { open, server } = await serve({
      readDeadlineMs: 60_000,
      route: async () => {
        entered.resolve();
        await gate.promise;
        return { kind: 'ok' };
      },
    });
    const socket = await open();
    socket.resume();
    socket.write(STATUS);
    await entered.promise;
    const closed = server.close(60_000);
    gate.resolve();
    await closed;
    socket.destroy();
  });

  test('ends an exchange that outlasts the grace of a close, and informs its route', async () => {
    const entered = deferred<Exchange>();
    const { ask, server } = await serve({
      route: (_request, exchange) => {
        entered.resolve(exchange);
        return new Promise(() => undefined);
      },
    });
    const running = ask(STATUS);
    const exchange = await entered.promise;
    await server.close(20);
    expect(exchange.signal.aborted).toBe(true);
    expect(await running).toBe('');
  });
});
