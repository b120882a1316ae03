import { mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeHome } from './rig.ts';

test('a start that meets a supervisor of systemg 0.33.0 that is ending waits for its end instead of taking it for a running one', async () => {
  const home = makeHome('version: "1"\nservices: {web: {command: "sleep 300"}}\n');
  mkdirSync(home.state, { recursive: true, mode: 0o700 });
  let left = 6;
  // After its answer to Shutdown it takes connections and hangs up on them until it ends.
  const server = createServer((socket) => {
    socket.on('error', () => undefined).destroy();
    left -= 1;
    if (left === 0) server.close();
  });
  await new Promise<void>((listening) => server.listen(join(home.state, 'control.sock'), listening));
  expect(await home.sysg('start', '--daemonize', '-c', home.config)).toMatchObject({ code: 0, stderr: expect.not.stringContaining('already running') });
  expect(left).toBe(0);
  expect(await home.unit('web')).toMatchObject({ phase: 'running' });
});
