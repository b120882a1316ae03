import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { expect, test, vi } from 'vitest';
import { marksIn, pidsMarked, removeMark, startMarked, takeOffMark } from '../../src/process/marks.ts';
import { isCertain, scanMarked } from '../../src/process/scan.ts';
import { tempDir } from '../temp-dir.ts';

const groupsIn = (tokens: readonly string[]): string => startMarked(tokens, () => spawnSync('cat', ['/proc/self/cgroup'], { encoding: 'utf8' })).stdout;
const canMark = groupsIn([`trial.${process.pid}`]).includes(`sysg-unit.trial.${process.pid}`);
removeMark([`trial.${process.pid}`]);

test('the tokens of a process stand in the names of the groups that it is in, those of an outer supervisor first', () => {
  expect(marksIn('9:name=systemd:/sysg-unit.a.1/user.slice/sysg-unit.b.2+b.c1\n1:cpu:/limits/0123\n0::/\n')).toEqual(['a.1', 'b.2', 'b.c1']);
  expect(marksIn('0::/system.slice/sysg.service\n')).toEqual([]);
});

test.skipIf(!canMark).each([false, true])('the kernel certifies that nothing of a token lives any more, and that alone is certain (asked first: %s)', async (likelyEmpty) => {
  const start = (tokens: readonly string[]): ChildProcess => startMarked(tokens, () => spawn('sleep', ['1000']));
  const main = start(['marked.1']);
  const child = start(['marked.1', 'marked.c1']);
  try {
    expect([...(pidsMarked('marked.1') ?? [])].sort()).toEqual([main.pid, child.pid].sort());
    expect([...(scanMarked('marked.c1', [], likelyEmpty) ?? []).keys()]).toEqual([child.pid]);
    expect(takeOffMark('marked.1')).toBe(false);
    main.kill('SIGKILL');
    await once(main, 'exit');
    const withChild = scanMarked('marked.1', [], likelyEmpty);
    expect([withChild?.size, withChild !== null && isCertain(withChild)]).toEqual([1, false]);
  } finally {
    main.kill('SIGKILL');
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }
  const empty = scanMarked('marked.1', [], likelyEmpty);
  expect([empty?.size, empty !== null && isCertain(empty)]).toEqual([0, true]);
  expect([pidsMarked('marked.1'), pidsMarked('marked.c1'), scanMarked('marked.1', [], likelyEmpty)]).toEqual([null, null, null]);
});

test.skipIf(!canMark)('what was started is not lost where no descriptor is left for the way back, and this process does not stay in its group', () => {
  const program = join(tempDir(), 'program.mjs');
  buildSync({ entryPoints: [join(import.meta.dirname, 'fixtures/marks-without-descriptors.ts')], bundle: true, platform: 'node', format: 'esm', outfile: program, logLevel: 'error' });
  const { stdout } = spawnSync('prlimit', ['--nofile=100:100', process.execPath, program], { encoding: 'utf8' });
  expect(JSON.parse(stdout)).toEqual({ outcome: 'started', isInside: false });
});

test.skipIf(!canMark)('a supervisor that was moved out of its group, which is gone, starts all the same, and marks again in the one that it is in', () => {
  const program = join(tempDir(), 'program.mjs');
  buildSync({ entryPoints: [join(import.meta.dirname, 'fixtures/marks-in-another-group.ts')], bundle: true, platform: 'node', format: 'esm', outfile: program, logLevel: 'error' });
  const { stdout, stderr } = spawnSync(process.execPath, [program], { encoding: 'utf8' });
  expect([stdout, stderr]).toEqual(['["marked","unmarked","marked"]', '']);
});

test.skipIf(!canMark)('a supervisor finds its group, and each process gets one, also where others take empty groups away all the time', async () => {
  const program = join(tempDir(), 'program.mjs');
  buildSync({ entryPoints: [join(import.meta.dirname, 'fixtures/marks-taken-away.ts')], bundle: true, platform: 'node', format: 'esm', outfile: program, logLevel: 'error' });
  const other = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    await once(other.stdout, 'data');
    const outcomes = new Set<string>();
    for (let index = 0; index < 300; index += 1) {
      vi.resetModules();
      const fresh = await import('../../src/process/marks.ts');
      const token = `contested.${process.pid}.${index}`;
      outcomes.add(fresh.startMarked([token], () => readFileSync(`/proc/thread-self/cgroup`, 'utf8').includes(`sysg-unit.${token}`) ? 'marked' : 'unmarked'));
      fresh.removeMark([token]);
    }
    expect([...outcomes]).toEqual(['marked']);
  } finally {
    other.kill('SIGKILL');
  }
});
