import { closeSync, linkSync, openSync, readdirSync, readFileSync, readlinkSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { makeCompressor } from '../../src/logs/compress.ts';
import { readTimesAt } from '../../src/logs/times.ts';
import { LogWriter } from '../../src/logs/writer.ts';
import { descriptorLimit, openLogsWithin } from '../../src/process/descriptors.ts';
import { tempDir } from '../temp-dir.ts';

const most = openLogsWithin(descriptorLimit());

/** More writers than files may be open, all of them timed. */
function many(): { readonly dir: string; readonly writers: readonly LogWriter[]; readonly problems: string[]; openHere(): string[] } {
  const dir = tempDir();
  const problems: string[] = [];
  const compressor = makeCompressor((text) => problems.push(text));
  const writers = Array.from({ length: most * 2 }, (_, number) => new LogWriter(join(dir, `${number}.log`), {
    rotation: { sizeBytes: 1e9, keep: 1, compress: false }, owner: null, compressor, onProblem: (text) => problems.push(text), timed: true,
  }));
  onTestFinished(() => writers.forEach((writer) => writer.close()));
  const openHere = (): string[] => readdirSync('/proc/self/fd').flatMap((descriptor) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${descriptor}`);
      return path.startsWith(dir) ? [path] : [];
    } catch {
      // That of the listing.
      return [];
    }
  });
  return { dir, writers, problems, openHere };
}

const say = (writers: readonly LogWriter[], text: string): void => writers.forEach((writer) => writer.write(Buffer.from(text)));

test.skipIf(process.platform !== 'linux')('no more log files are open than may be, and all that is written is in them', () => {
  const { writers, problems, openHere } = many();
  for (let round = 0; round < 3; round += 1) say(writers, `round ${round}\n`);
  expect(openHere().filter((path) => path.endsWith('.log')).length).toBe(most);
  expect(openHere().length).toBeLessThanOrEqual(2 * most);
  for (const { path } of writers) expect(readFileSync(path, 'utf8')).toBe('round 0\nround 1\nround 2\n');
  expect(problems).toEqual([]);
  writers.forEach((writer) => writer.close());
  expect(openHere()).toEqual([]);
});

test.skipIf(process.platform !== 'linux')('the one that is closed for another is the one whose last use is the longest ago', () => {
  const { writers, openHere } = many();
  const [first, second] = writers as [LogWriter, LogWriter];
  say(writers.slice(0, most), 'one\n');
  say([first, ...writers.slice(most, most + 1)], 'two\n');
  expect([first, second].map(({ path }) => openHere().includes(path))).toEqual([true, false]);
});

test.skipIf(process.platform !== 'linux')('a file that was closed for a while goes on with its times, and is another one where others have put one there', async () => {
  const { dir, writers, openHere } = many();
  const [first, moved, emptied] = writers as [LogWriter, LogWriter, LogWriter];
  say(writers, 'one\n');
  expect(openHere()).not.toContain(first.path);
  const index = statSync(`${first.path}.times`).ino;
  // So that another file cannot have its inode.
  linkSync(`${first.path}.times`, join(dir, 'index'));
  renameSync(moved.path, join(dir, 'moved'));
  writeFileSync(moved.path, 'of somebody else\n');
  truncateSync(emptied.path);
  // Marks of one file come 100 ms apart.
  const begin = performance.now();
  while (performance.now() - begin < 110) await new Promise((later) => setTimeout(later, 10));
  say([first, moved, emptied], 'second\n');
  expect(readTimesAt(`${first.path}.times`)?.marks.map(({ offset }) => offset)).toEqual([0, 4]);
  expect(statSync(`${first.path}.times`).ino).toBe(index);
  expect([join(dir, 'moved'), moved.path, emptied.path].map((path) => readFileSync(path, 'utf8'))).toEqual(['one\n', 'of somebody else\nsecond\n', 'second\n']);
  expect(readTimesAt(`${moved.path}.times`)?.inode).toBe(statSync(moved.path).ino);
  expect(readTimesAt(`${emptied.path}.times`)?.marks.map(({ offset }) => offset)).toEqual([0]);
});

test.skipIf(process.platform !== 'linux')('times that were taken away while the file was closed are begun again', async () => {
  const { writers, problems } = many();
  const [first] = writers as [LogWriter];
  say(writers, 'one\n');
  rmSync(`${first.path}.times`);
  const begin = performance.now();
  while (performance.now() - begin < 110) await new Promise((later) => setTimeout(later, 10));
  say([first], 'second\n');
  expect(readTimesAt(`${first.path}.times`)?.marks.at(-1)?.offset).toBe(4);
  expect(problems).toEqual([]);
});

test.skipIf(process.platform !== 'linux')('where no descriptor is left the others are closed for it', () => {
  const { writers, problems, openHere } = many();
  const [first, ...others] = writers.slice(0, 10) as [LogWriter, ...LogWriter[]];
  say(others, 'one\n');
  const taken: number[] = [];
  try {
    for (;;) taken.push(openSync('/dev/null', 'r'));
  } catch {
    // EMFILE.
  }
  try {
    say([first], 'one\n');
  } finally {
    taken.forEach(closeSync);
  }
  for (const { path } of [first, ...others]) expect(readFileSync(path, 'utf8')).toBe('one\n');
  expect(problems).toEqual([]);
  expect(openHere().filter((path) => path.endsWith('.log'))).toEqual([first.path]);
});
