import { readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openSpillover } from '../../src/metrics/spillover.ts';
import { tempDir } from '../temp-dir.ts';

const never = (text: string): void => expect.unreachable(text);
const numberOf = (name: string): number => Number(/\d+/.exec(name)?.[0]);
const files = (directory: string): string[] => readdirSync(directory).filter((name) => /^metrics-\d+\.jsonl$/.test(name)).sort((one, other) => numberOf(one) - numberOf(other));

test('lines fill files of a size, in a directory that is made when it is missing', () => {
  const directory = join(tempDir(), 'deep', 'spill');
  const spillover = openSpillover({ directory, maxBytes: 1e6, segmentBytes: 20 }, never);
  for (const line of ['123456789', 'abcdefghi', 'ABCDEFGHI']) spillover.push(line);
  spillover.flush();
  spillover.close();
  expect(files(directory).map((name) => readFileSync(join(directory, name), 'utf8'))).toEqual(['123456789\nabcdefghi\n', 'ABCDEFGHI\n']);
  expect(statSync(join(directory, files(directory)[0] ?? '')).mode & 0o777).toBe(0o600);
});

test('the oldest files go while there is too much, and nobody else\'s are counted or touched', () => {
  const directory = tempDir();
  const strangers = ['aaa.jsonl', 'metrics-old.jsonl', 'metrics-1.jsonl.bak'];
  for (const name of strangers) writeFileSync(join(directory, name), 'x'.repeat(1000));
  writeFileSync(join(directory, 'target'), 'mine');
  symlinkSync('target', join(directory, 'metrics-2.jsonl'));
  const spillover = openSpillover({ directory, maxBytes: 25, segmentBytes: 10 }, never);
  for (const line of ['111111111', '222222222', '333333333', '444444444']) spillover.push(line);
  spillover.flush();
  spillover.close();
  const own = files(directory).filter((name) => name !== 'metrics-2.jsonl');
  expect(own.map((name) => readFileSync(join(directory, name), 'utf8'))).toEqual(['333333333\n', '444444444\n']);
  for (const name of strangers) expect(readFileSync(join(directory, name), 'utf8')).toHaveLength(1000);
  expect(readFileSync(join(directory, 'target'), 'utf8')).toBe('mine');
});

test('a directory that cannot be written is reported once, and tried again', () => {
  const directory = tempDir();
  const blocked = join(directory, 'file');
  writeFileSync(blocked, '');
  const problems: string[] = [];
  const spillover = openSpillover({ directory: join(blocked, 'spill'), maxBytes: 100, segmentBytes: 50 }, (text) => problems.push(text));
  for (let round = 0; round < 3; round += 1) {
    spillover.push('line');
    spillover.flush();
  }
  expect(problems).toHaveLength(1);
  expect(problems[0]).toContain(`metrics cannot be spilled to ${join(blocked, 'spill')}`);
  rmSync(blocked);
  spillover.push('later');
  spillover.flush();
  spillover.close();
  expect(files(join(blocked, 'spill')).map((name) => readFileSync(join(blocked, 'spill', name), 'utf8'))).toEqual(['later\n']);
});
