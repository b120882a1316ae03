import { existsSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openLedger, type Ledger } from '../../src/state/ledger.ts';
import { openProjection, ownDigests, type ProjectedUnit } from '../../src/compat/projection.ts';
import { digestOf } from '../../src/compat/read-files.ts';
import { tempDir } from '../temp-dir.ts';
import { until } from '../until.ts';

function unit(name: string, changes: Partial<ProjectedUnit> = {}): ProjectedUnit {
  return { name, hash: `hash-${name}`, pid: 70, state: { status: 'running', pid: 70, exitCode: null, signal: null }, job: null, spawned: [], ...changes };
}

function rig(intervalMs?: number) {
  const stateDir = tempDir();
  const problems: string[] = [];
  const onProblem = (text: string): void => void problems.push(text);
  const reopen = (): Ledger => openLedger(join(stateDir, 'ledger.ndjson'), { onProblem, bootId: 'b' });
  const ledger = reopen();
  const now: { units: readonly ProjectedUnit[]; asked: number } = { units: [unit('web')], asked: 0 };
  const projection = openProjection({
    stateDir, ledger, onProblem, ...(intervalMs !== undefined && { intervalMs }),
    units: () => {
      now.asked += 1;
      return now.units;
    },
  });
  onTestFinished(() => {
    projection.close();
    ledger.close();
  });
  return { stateDir, problems, projection, now, reopen, text: (name: string) => readFileSync(join(stateDir, name), 'utf8') };
}

test('a burst of changes is one writing, the end another', async () => {
  const { projection, now, text } = rig(60_000);
  projection.changed();
  await until('it is written', () => now.asked === 1);
  expect(text('pid.xml')).toBe('<PidFile><services><name>web</name><pid>70</pid></services><service_groups><name>web</name><pgid>70</pgid></service_groups></PidFile>');
  expect(text('state.xml')).toBe('<ServiceStateFile><services><name>hash-web</name><state><status>running</status><pid>70</pid></state></services></ServiceStateFile>');
  expect(text('cron_state.xml')).toBe('<CronStateFile/>');
  now.units = [unit('web', { pid: null, state: { status: 'exited_with_error', pid: null, exitCode: 3, signal: null } })];
  for (let count = 0; count < 100; count += 1) projection.changed();
  expect(now.asked).toBe(1);
  projection.close();
  expect(now.asked).toBe(2);
  expect(text('pid.xml')).toBe('<PidFile/>');
  expect(text('state.xml')).toContain('<status>exited_with_error</status><exit_code>3</exit_code>');
});

test('what has changed is written at once when an answer is about to go out, and nothing when nothing has', async () => {
  const { projection, now, text } = rig(60_000);
  projection.changed();
  await until('it is written', () => now.asked === 1);
  projection.flush();
  expect(now.asked).toBe(1);
  now.units = [unit('web', { pid: 71 })];
  projection.changed();
  projection.flush();
  expect(text('pid.xml')).toContain('<pid>71</pid>');
  projection.flush();
  expect(now.asked).toBe(2);
});

test('entries are in the order of their names, spawned ones in that of their services', async () => {
  const { projection, now, text } = rig(60_000);
  now.units = ['m', 'z', 'a'].map((name) => unit(name, {
    spawned: [{ pid: 90, name: `${name}-1`, command: 'x', startedAt: 0, ttl: null, depth: 1, parentPid: 70, serviceHash: `hash-${name}` }],
  }));
  projection.changed();
  await until('it is written', () => now.asked === 1);
  const names = (name: string, pattern: RegExp): readonly unknown[] => [...text(name).matchAll(pattern)].map(([, found]) => found);
  expect(names('pid.xml', /<name>(\w)<\/name><pid>/g)).toEqual(['a', 'm', 'z']);
  expect(names('pid.xml', /<name>(\w)-1<\/name>/g)).toEqual(['a', 'm', 'z']);
  expect(names('state.xml', /<name>hash-(\w)<\/name>/g)).toEqual(['a', 'm', 'z']);
});

test('the next run knows from the ledger what this one wrote, and the writing before', async () => {
  const { projection, now, text, reopen } = rig(0);
  projection.changed();
  await until('it is written', () => now.asked === 1);
  const first = digestOf(text('state.xml'));
  now.units = [unit('web'), unit('api', { pid: 71 })];
  projection.close();
  const last = digestOf(text('state.xml'));
  const next = reopen();
  onTestFinished(() => next.close());
  expect(ownDigests(next, 'state.xml')).toEqual([first, last]);
});

test('a file that cannot be written is reported once and written when it can be', async () => {
  const { stateDir, projection, now, problems, text } = rig(0);
  mkdirSync(join(stateDir, 'pid.xml'));
  writeFileSync(join(stateDir, 'pid.xml/in-the-way'), '');
  for (const round of [1, 2]) {
    projection.changed();
    await until('it is tried', () => now.asked === round);
  }
  expect(problems).toEqual([expect.stringContaining('pid.xml: cannot be written')]);
  expect(text('state.xml')).toContain('running');
  rmSync(join(stateDir, 'pid.xml'), { recursive: true });
  projection.changed();
  await until('it is written', () => now.asked === 3);
  expect(text('pid.xml')).toContain('<pid>70</pid>');
});

test('a file that could not be written is known as what it was, however often that was tried', async () => {
  const { stateDir, projection, now, text, reopen, problems } = rig(60_000);
  projection.changed();
  await until('it is written', () => now.asked === 1);
  const onDisk = digestOf(text('pid.xml'));
  mkdirSync(join(stateDir, 'pid.xml.tmp'));
  for (const pid of [71, 72, 73]) {
    now.units = [unit('web', { pid })];
    projection.changed();
    projection.flush();
  }
  expect(problems).toEqual([expect.stringContaining('pid.xml: cannot be written: ')]);
  expect([projection.unwritten, digestOf(text('pid.xml')), ownDigests(reopen(), 'pid.xml')[0]]).toEqual([problems, onDisk, onDisk]);
  rmSync(join(stateDir, 'pid.xml.tmp'), { recursive: true });
  projection.mend();
  const written = digestOf(text('pid.xml'));
  expect([projection.unwritten, text('pid.xml').includes('<pid>73</pid>'), ownDigests(reopen(), 'pid.xml').at(-1)]).toEqual([[], true, written]);
  now.units = [unit('web', { pid: 74 })];
  projection.changed();
  projection.flush();
  expect(ownDigests(reopen(), 'pid.xml')).toEqual([written, digestOf(text('pid.xml'))]);
});

test('a file that somebody has cut is written again', async () => {
  const { stateDir, projection, now, text } = rig(60_000);
  projection.changed();
  await until('it is written', () => now.asked === 1);
  const before = text('state.xml');
  truncateSync(join(stateDir, 'state.xml'), 9);
  projection.mend();
  expect(text('state.xml')).toBe(before);
});

test('nothing is written that the ledger does not know of', () => {
  const stateDir = tempDir();
  const problems: string[] = [];
  const ledger = { unwritten: 'ledger.ndjson: cannot be written' as string | null, meta: new Map(), note: () => undefined };
  const projection = openProjection({ stateDir, ledger, onProblem: (text) => problems.push(text), units: () => [unit('web')] });
  projection.changed();
  projection.flush();
  expect([existsSync(join(stateDir, 'pid.xml')), problems[0]]).toEqual([false, expect.stringContaining('pid.xml: cannot be written: its digest has to be in the ledger first')]);
  ledger.unwritten = null;
  projection.mend();
  expect([existsSync(join(stateDir, 'pid.xml')), projection.unwritten]).toEqual([true, []]);
  projection.close();
});

test('state.xml is not there when nothing is in it: systemg 0.33.0 refuses an empty one, and with it every command', () => {
  const { stateDir, projection, now, problems } = rig(0);
  const write = (): void => {
    projection.changed();
    projection.flush();
  };
  write();
  expect(existsSync(join(stateDir, 'state.xml'))).toBe(true);
  now.units = [];
  write();
  expect(existsSync(join(stateDir, 'state.xml'))).toBe(false);
  // One that appears is taken away again, and what is as it should be is left alone.
  writeFileSync(join(stateDir, 'state.xml'), '<ServiceStateFile/>');
  const before = now.asked;
  projection.mend();
  expect([existsSync(join(stateDir, 'state.xml')), now.asked]).toEqual([false, before + 1]);
  projection.mend();
  expect([now.asked, problems]).toEqual([before + 1, []]);
});
