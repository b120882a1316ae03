import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { bin, collect, makeHome, soon, type Ended } from './rig.ts';

const listing = resolve(import.meta.dirname, '../fixtures/lists-modules.cjs');

test.each(['status', 'status --json', 'stop -s idle', 'start --daemonize -s web', 'logs --no-follow -s web', '--version'])(
  '%s loads neither sockets nor streams: that would take longer than all the rest of it', async (command) => {
    const home = makeHome('version: "1"\nservices:\n  web:\n    command: sleep 1000\n  idle:\n    command: sleep 1001\n');
    expect((await home.sysg('start', '--daemonize')).code).toBe(0);
    await home.sysg('stop', '-s', 'idle');
    const loaded = join(home.dir, 'loaded');
    const { NODE_EXTRA_CA_CERTS: _certificates, ...env } = process.env;
    const ended = await collect(spawn(process.execPath, ['-r', listing, bin, ...command.split(' ')], { cwd: home.dir, env: { ...env, HOME: home.dir, LOADED: loaded } }));
    expect(ended.code).toBe(0);
    const names = readFileSync(loaded, 'utf8').split('\n').flatMap((line) => /^NativeModule (\S+)$/.exec(line)?.[1] ?? []);
    for (const slow of ['net', 'stream', 'crypto', 'zlib', 'child_process', 'tty', 'internal/abort_controller']) expect(names).not.toContain(slow);
  }, 60_000,
);

const withoutBinding = resolve(import.meta.dirname, '../fixtures/without-binding.cjs');

test('a Node without process.binding runs the same commands with the same answers', async () => {
  const home = makeHome('version: "1"\nservices:\n  web:\n    command: echo ready; sleep 1000\n');
  const { NODE_EXTRA_CA_CERTS: _certificates, ...env } = process.env;
  const run = (command: string) => collect(spawn(process.execPath, ['-r', withoutBinding, bin, ...command.split(' ')], { cwd: home.dir, env: { ...env, HOME: home.dir } }));
  expect((await run('start --daemonize')).code).toBe(0);
  await soon('web wrote', () => home.log('web').includes('ready'));
  for (const command of ['status', 'stop -s web', 'start --daemonize -s web', 'logs --no-follow -s web', 'status -s web', 'stop']) {
    const ended = await run(command);
    expect([command, ended.code, complaints(ended)]).toEqual([command, 0, '']);
  }
  await home.allGone();
}, 60_000);

test('a Node that complains of process.binding has nothing to complain of', async () => {
  const home = makeHome('version: "1"\nservices:\n  web:\n    command: sleep 1000\n');
  const { NODE_EXTRA_CA_CERTS: _certificates, ...env } = process.env;
  await home.sysg('start', '--daemonize');
  const ended = await collect(spawn(bin, ['status'], { cwd: home.dir, env: { ...env, HOME: home.dir, NODE_PENDING_DEPRECATION: '1' } }));
  expect([ended.code, complaints(ended)]).toEqual([0, '']);
}, 60_000);

function complaints({ stderr }: Ended): string {
  return stderr.replaceAll(/^sysg: warning: Running as root .*\n/gm, '');
}
