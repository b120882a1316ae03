import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { obstacle } from './box.mjs';
import { shrink } from './shrink.mjs';

const run = (program: string, ...args: readonly string[]): Promise<string> => new Promise((done) => {
  const child = spawn(process.execPath, [join(import.meta.dirname, program), ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
  child.on('close', () => done(output));
});

// More of these: `npm run torture -- --steps 300`, `npm run soak`. They wait more than they work, so they run side by side.
describe.skipIf(obstacle() !== null).concurrent('one box beside another', { timeout: 240_000 }, () => {
  test('whatever machines and people do to a supervisor, it comes to rest as it should', async () => {
    expect(await run('torture.mjs', '--steps', '300', '--parts', '4', '--seed', '20261', '--keep')).toContain('torture: 0 of 4 parts failed');
  });

  test('killed before any of its effects it is followed by one that goes on', async () => {
    expect(await run('failpoints.mjs', '--sample', '8', '--seed', '5')).toMatch(/failpoints: [6-8] visited, [0-2] not, [0-9]+ supervisors, 0 failures/);
  });

  // The longest first, each by the lane that is free next.
  const scripts = ['full-disk-in-rollout.json', ...readdirSync(join(import.meta.dirname, 'scripts')).filter((name) => !/^(?:full-disk|hand-overs)-in-rollout\.json$/.test(name))];
  test.each([0, 1, 2])('scripts that were worth keeping come to rest (lane %i)', async () => {
    for (let script = scripts.shift(); script !== undefined; script = scripts.shift()) {
      expect(await run('torture.mjs', '--keep', '--script', join(import.meta.dirname, 'scripts', script))).toContain('torture: 0 failures');
    }
  });
});

test('a script that fails is cut down to what it fails with, its last action included', async () => {
  const script = Array.from({ length: 40 }, (_, index) => index);
  const fails = async (kept: readonly number[]): Promise<boolean> => [3, 17, 39].every((action) => kept.includes(action));
  expect(await shrink(script, fails, 10_000)).toEqual([3, 17, 39]);
});
