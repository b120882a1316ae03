import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { feedersOf } from '../../src/doctor/gather.ts';
import { tempDir } from '../temp-dir.ts';
import { processRow } from './facts-rig.ts';

test.runIf(process.platform === 'linux')('who writes into a directory is known through a link and after its removal, spawned children too', () => {
  const [home, link] = [tempDir(), join(tempDir(), 'home')];
  symlinkSync(home, link);
  mkdirSync(join(home, 'state/fifo/spawn'), { recursive: true });
  const rows = ['state/fifo/web.stdout', 'state/fifo/spawn/7.stdout', 'state/other'].map((name) => {
    const output = openSync(join(home, name), 'w');
    const child = spawn('sleep', ['300'], { stdio: ['ignore', output, 'ignore'] });
    closeSync(output);
    onTestFinished(() => void child.kill('SIGKILL'));
    return processRow(child.pid ?? 0, { tokens: ['ffffffffffff.1.1'] });
  });
  const [web, spawned] = rows.map(({ pid }) => pid);
  const found = (): ReadonlySet<number> => feedersOf(new Map(rows.map((row) => [row.pid, row])), join(link, 'state/fifo'));
  expect(found()).toEqual(new Set([web, spawned]));
  rmSync(join(home, 'state'), { recursive: true });
  expect(found()).toEqual(new Set([web, spawned]));
});
