import { spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { describe, expect, test } from 'vitest';
import { connectionsWithin, makeReserve, openLogsWithin, reservedDescriptors } from '../../src/process/descriptors.ts';
import { tempDir } from '../temp-dir.ts';

test('what the caller left open is closed, apart from what is still needed, and Node goes on working', () => {
  const dir = tempDir();
  const module = join(dir, 'descriptors.cjs');
  buildSync({
    entryPoints: [new URL('../../src/process/descriptors.ts', import.meta.url).pathname],
    outfile: module, bundle: true, platform: 'node', format: 'cjs', logLevel: 'error', define: { 'import.meta.dirname': JSON.stringify(dir) },
  });
  const program = `
    const { existsSync, readlinkSync } = require('node:fs');
    const { closeInheritedDescriptors, inheritableDescriptors } = require(${JSON.stringify(module)});
    const before = inheritableDescriptors();
    closeInheritedDescriptors([41]);
    setTimeout(() => console.log(JSON.stringify({ before, after: inheritableDescriptors(), low: existsSync('/proc/self/fd/5') && readlinkSync('/proc/self/fd/5') })), 1);`;
  // Node itself marks the low ones; those behind a gap it does not find.
  const open = openSync('/dev/null', 'r');
  const stdio = Array.from({ length: 43 }, (_, place) => ([5, 40, 41, 42].includes(place) ? open : place === 1 ? 'pipe' : 'ignore'));
  const run = spawnSync(process.execPath, ['-e', program], { encoding: 'utf8', stdio });
  closeSync(open);
  const found: unknown = JSON.parse(run.stdout);
  expect(found).toEqual({ before: expect.arrayContaining([40, 41, 42]), after: [41], low: false });
});

describe('the reserve of descriptors', () => {
  test('a unit that would take one of the reserve is refused, and the sentence holds the numbers', () => {
    const ofLogs = 2 * openLogsWithin(60);
    let open = 60 - reservedDescriptors - ofLogs - 6;
    const reserve = makeReserve(60, () => open);
    expect(reserve.shortage('a')).toBeNull();
    open += 4;
    expect(reserve.shortage('b')).toMatch(/^too few file descriptors are left: 38 of the 60 .* a start takes 6, and 20 are kept in reserve$/);
  });

  test('a unit whose files are open already needs no more than the spawn takes', () => {
    let open = 20;
    const reserve = makeReserve(60, () => open);
    expect(reserve.shortage('a')).toBeNull();
    open = 40;
    expect([reserve.shortage('a'), reserve.shortage('b')]).toEqual([null, expect.any(String)]);
    // A part of the reserve is for what starts again, so that clients that ask meanwhile do not keep it down.
    open = 60 - 8 - 4;
    expect(reserve.shortage('a')).toBeNull();
    open += 1;
    expect(reserve.shortage('a')).toMatch(/a start takes 4, and 8 are kept in reserve$/);
  });

  test('a unit that ran before this supervisor may be started again as if it had started it', () => {
    const reserve = makeReserve(60, () => 60 - 8 - 4);
    expect(reserve.shortage('a')).not.toBeNull();
    reserve.know('a');
    expect(reserve.shortage('a')).toBeNull();
  });

  test('a descriptor of the reserve is known by its number', () => {
    const reserve = makeReserve(60);
    const first = 60 - reservedDescriptors - 2 * openLogsWithin(60);
    expect([first - 1, first].map(reserve.holds)).toEqual([false, true]);
  });

  test('what was refused is let in as soon as there are descriptors again', () => {
    let open = 59;
    const reserve = makeReserve(60, () => open);
    expect(reserve.shortage('a')).not.toBeNull();
    open = 20;
    expect(reserve.shortage('a')).toBeNull();
  });

  test('where there is plenty, descriptors are not counted for every spawn, and still never run out', () => {
    let open = 20;
    let counted = 0;
    const limit = 20_000;
    const reserve = makeReserve(limit, () => {
      counted += 1;
      return open;
    });
    let started = 0;
    while (reserve.shortage(`unit ${started}`) === null) {
      started += 1;
      open += 2;
    }
    const reserved = reservedDescriptors + 2 * openLogsWithin(limit);
    expect(open).toBeGreaterThan(limit - reserved - 16);
    expect(open).toBeLessThanOrEqual(limit - reserved);
    expect(counted).toBeLessThan(started);
  });

  test('clients get an eighth of all descriptors, and never more than 1024 connections', () => {
    expect([60, 1024, 1_048_576, Infinity].map(connectionsWithin)).toEqual([8, 128, 1024, 1024]);
  });
});
