import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ask } from '../../src/cli/ask.ts';
import type { Call } from '../../src/cli/call.ts';
import { runtimePaths } from '../../src/runtime-paths.ts';
import { tempDir } from '../temp-dir.ts';

/** Hangs up on so many connections before it has read a whole request, as the kernel does for a process that is killed; then it answers. */
async function serve(hangUps: number) {
  const path = join(tempDir(), 'control.sock');
  const taken: string[] = [];
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    let text = '';
    const isOver = connections <= hangUps;
    socket.setEncoding('utf8').on('error', () => undefined).on('data', (chunk: string) => {
      if (isOver) return void socket.destroy();
      text += chunk;
      if (!text.endsWith('\n')) return;
      taken.push(text);
      socket.end('{"Message":"done"}\n');
    });
  });
  await new Promise<void>((listening) => void server.listen(path, listening));
  onTestFinished(() => void server.close());
  const call = { paths: { ...runtimePaths({ system: false, env: { HOME: '/nowhere' } }), socket: path } } as unknown as Call;
  return { call, taken };
}

/** More than is read at once. */
const request = { kind: 'restart', service: 'w'.repeat(300_000), config: null, wait: true, settlements: false, all: false, notes: false } as const;

test('a request that no supervisor has read to its end is sent again, also one that must not be carried out twice', async () => {
  const { call, taken } = await serve(3);
  expect(await ask(call, request)).toEqual({ ok: true, response: { kind: 'message', text: 'done' } });
  expect(taken.length).toBe(1);
});

test('is refused in the end where each connection is reset', async () => {
  const { call, taken } = await serve(Infinity);
  expect(await ask(call, request, 0)).toMatchObject({ ok: false, refusal: { code: 'socket', message: expect.stringMatching(/^control socket I\/O failed: (Connection reset by peer|Broken pipe) \(os error (104|32)\)$/i) } });
  expect(taken).toEqual([]);
});
