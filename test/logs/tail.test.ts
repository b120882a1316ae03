import * as fc from 'fast-check';
import { spawnSync } from 'node:child_process';
import { appendFileSync, mkdirSync, renameSync, rmSync, statSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import fsPromises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { makeCompressor } from '../../src/logs/compress.ts';
import { follow, lastLines, readLog, type FollowOptions, type FollowStart } from '../../src/logs/tail.ts';
import { LogWriter, type Rotation } from '../../src/logs/writer.ts';
import { tempDir } from '../temp-dir.ts';
import { until } from '../until.ts';
import { descriptorsOf, ended, numbered, piped, rig as storeRig } from './rig.ts';

const text = async (file: string, count: number): Promise<string> => (await lastLines(file, count)).toString();

const obstacles: readonly [string, (path: string) => void][] = [
  ['a directory', (path) => mkdirSync(path)], ['a FIFO', (path) => void spawnSync('mkfifo', [path])], ['a link to itself', (path) => symlinkSync(path, path)],
];

describe('the last lines', () => {
  test('are exactly as many as asked for', async () => {
    const file = join(tempDir(), 'a.log');
    writeFileSync(file, numbered(1, 10));
    expect(await text(file, 0)).toBe('');
    expect(await text(file, 1)).toBe('line 10\n');
    expect(await text(file, 3)).toBe(numbered(8, 10));
    expect(await text(file, 10)).toBe(numbered(1, 10));
    expect(await text(file, 11)).toBe(numbered(1, 10));
  });

  test('include one that has no newline yet', async () => {
    const file = join(tempDir(), 'a.log');
    writeFileSync(file, 'one\ntwo\nthr');
    expect(await text(file, 1)).toBe('thr');
    expect(await text(file, 2)).toBe('two\nthr');
  });

  test('of blank lines count too', async () => {
    const file = join(tempDir(), 'a.log');
    writeFileSync(file, 'one\n\n\n');
    expect(await text(file, 2)).toBe('\n\n');
    expect(await text(file, 3)).toBe('one\n\n\n');
    writeFileSync(file, '\n');
    expect(await text(file, 1)).toBe('\n');
  });

  test('of nothing are nothing', async () => {
    const file = join(tempDir(), 'a.log');
    expect(await text(file, 5)).toBe('');
    writeFileSync(file, '');
    expect(await text(file, 5)).toBe('');
  });

  test('reach back over archives, compressed and raw', async () => {
    const file = join(tempDir(), 'a.log');
    writeFileSync(`${file}.3.gz`, gzipSync(numbered(1, 100)));
    writeFileSync(`${file}.2.gz`, gzipSync(numbered(101, 200)));
    writeFileSync(`${file}.1`, numbered(201, 300));
    writeFileSync(file, '');
    for (const count of [1, 100, 101, 150, 200, 299, 300, 500]) expect(await text(file, count)).toBe(numbered(Math.max(1, 301 - count), 300));
    rmSync(file);
    expect(await text(file, 120)).toBe(numbered(181, 300));
  });

  test('out of large archives are exact as well', async () => {
    const file = join(tempDir(), 'a.log');
    writeFileSync(`${file}.2.gz`, gzipSync(numbered(1, 40_000)));
    writeFileSync(`${file}.1.gz`, gzipSync(numbered(40_001, 80_000)));
    for (const count of [1, 1000, 7777, 39_999, 40_000, 40_001, 55_555, 80_000]) {
      expect((await text(file, count)) === numbered(80_001 - count, 80_000)).toBe(true);
    }
  });

  test('that a file boundary divides are whole', async () => {
    const file = join(tempDir(), 'a.log');
    writeFileSync(`${file}.1.gz`, gzipSync('one\ntw'));
    writeFileSync(file, 'o\nthree\n');
    expect(await text(file, 2)).toBe('two\nthree\n');
    expect(await text(file, 3)).toBe('one\ntwo\nthree\n');
  });

  test('are found over block boundaries', async () => {
    const file = join(tempDir(), 'a.log');
    const long = `${'x'.repeat(200_000)}\n`;
    writeFileSync(file, `first\n${long}${long}last\n`);
    expect(await text(file, 2)).toBe(`${long}last\n`);
    expect(await text(file, 4)).toBe(`first\n${long}${long}last\n`);
  });

  test('property: they are those of the whole, wherever it is divided', async () => {
    let round = 0;
    const base = tempDir();
    await fc.assert(fc.asyncProperty(
      fc.array(fc.string({ unit: fc.constantFrom('a', '\n'), maxLength: 12 }), { minLength: 1, maxLength: 4 }),
      fc.integer({ min: 1, max: 12 }),
      async (parts, count) => {
        const directory = join(base, String((round += 1)));
        mkdirSync(directory);
        const file = join(directory, 'a.log');
        for (const [index, part] of parts.toReversed().entries()) {
          if (index === 0) writeFileSync(file, part);
          else if (index % 2 === 0) writeFileSync(`${file}.${index}`, part);
          else writeFileSync(`${file}.${index}.gz`, gzipSync(part));
        }
        const lines = parts.join('').match(/[^\n]*\n|[^\n]+$/g) ?? [];
        expect(await text(file, count)).toBe(lines.slice(-count).join(''));
      },
    ), { numRuns: 150, examples: [[['\n', '', ''], 1]] });
  });
});

test.each(obstacles)('%s in the place of a log has no lines, and a follower waits until a file is there again', async (_, make) => {
  const file = join(tempDir(), 'a.log');
  writeFileSync(file, 'one\n');
  let looks = 0;
  // Each look waits for the next bell.
  const wake: FollowOptions['wake'] = (notify) => {
    const timer = setInterval(() => {
      looks += 1;
      notify();
    }, 1);
    return () => clearInterval(timer);
  };
  const { seen } = following(file, 0, { wake });
  await until('the first line is read', () => seen() === 'one\n');
  rmSync(file);
  make(file);
  expect(await text(file, 5)).toBe('');
  const before = looks;
  await until('the follower has looked', () => looks > before + 5);
  rmSync(file, { recursive: true });
  writeFileSync(file, 'two\n');
  await until('the second line is read', () => seen() === 'one\ntwo\n');
});

interface Following {
  readonly seen: () => string;
  readonly stop: () => Promise<void>;
}

function following(file: string, from: FollowStart, options?: FollowOptions, onChunk?: () => Promise<void>): Following {
  const end = new AbortController();
  let seen = '';
  const done = follow(file, from, async (chunk) => {
    seen += Buffer.from(chunk).toString('latin1');
    await onChunk?.();
  }, end.signal, options);
  const stop = (): Promise<void> => {
    end.abort();
    return done;
  };
  onTestFinished(stop);
  return { seen: () => seen, stop };
}

function writerOf(file: string, rotation: Partial<Rotation>): { writer: LogWriter; settled: () => Promise<void>; wake: NonNullable<FollowOptions['wake']>; write: (text: string) => void } {
  const compressor = makeCompressor((problem) => {
    throw new Error(problem);
  });
  const writer = new LogWriter(file, {
    rotation: { sizeBytes: 100, keep: 5, compress: false, ...rotation }, owner: null, compressor,
    onProblem: (problem) => {
      throw new Error(problem);
    },
  });
  const listeners = new Set<() => void>();
  return {
    writer,
    settled: () => compressor.settled(),
    wake: (notify) => {
      listeners.add(notify);
      return () => listeners.delete(notify);
    },
    write(line) {
      writer.write(Buffer.from(line));
      for (const listener of listeners) listener();
    },
  };
}

describe('following', () => {
  test('begins at an offset and goes on as the file grows', async () => {
    const file = join(tempDir(), 'a.log');
    writeFileSync(file, 'one\ntwo\n');
    const { seen, stop } = following(file, 4);
    await until('the rest is seen', () => seen() === 'two\n');
    appendFileSync(file, 'three\n');
    await until('what was added is seen', () => seen() === 'two\nthree\n');
    await stop();
    appendFileSync(file, 'four\n');
    expect(seen()).toBe('two\nthree\n');
  });

  test('begins with last lines out of archives', async () => {
    const file = join(tempDir(), 'a.log');
    writeFileSync(`${file}.1.gz`, gzipSync(numbered(1, 5)));
    writeFileSync(file, numbered(6, 7));
    const { seen } = following(file, { lines: 3 });
    await until('the last lines are seen', () => seen() === numbered(5, 7));
    appendFileSync(file, numbered(8, 8));
    await until('the next line is seen', () => seen() === numbered(5, 8));
  });

  test.each([['without', false], ['with', true]])('waits for a file that is not there yet, %s a bell', async (_, rings) => {
    const file = join(tempDir(), 'a.log');
    let [begun, ring] = [false, (): void => undefined];
    const wake: FollowOptions['wake'] = (notify) => {
      ring = notify;
      return () => undefined;
    };
    const { seen } = following(file, { lines: 3 }, { onBegun: () => void (begun = true), ...(rings && { wake }) });
    await until('it has looked', () => begun);
    writeFileSync(file, 'hello\n');
    ring();
    await until('it is seen', () => seen() === 'hello\n');
  });

  test('starts over when the file is emptied', async () => {
    const file = join(tempDir(), 'a.log');
    writeFileSync(file, 'old content\n');
    const { seen } = following(file, 0);
    await until('it is seen', () => seen() === 'old content\n');
    truncateSync(file);
    appendFileSync(file, 'new\n');
    await until('the new content is seen', () => seen() === 'old content\nnew\n');
  });

  test.each([
    ['rotations', { keep: 50 }, true],
    ['rotations and compression', { keep: 50, compress: true }, true],
    ['rotations, polling', { keep: 50, compress: true }, false],
  ])('survives %s: each line once, in order', async (_, rotation, woken) => {
    const file = join(tempDir(), 'a.log');
    const { write, wake } = writerOf(file, rotation);
    write(numbered(1, 1));
    const { seen } = following(file, 0, woken ? { wake } : {});
    await until('the first line is seen', () => seen() === numbered(1, 1));
    for (let line = 2; line <= 300; line += 1) {
      write(numbered(line, line).slice(0, 4));
      if (line % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 2));
      write(numbered(line, line).slice(4));
    }
    await until('the last line is seen', () => seen().endsWith('line 300\n'));
    expect(seen()).toBe(numbered(1, 300));
  });

  test('survives a rotation that moves a line it has seen the beginning of', async () => {
    const file = join(tempDir(), 'a.log');
    const { write, wake } = writerOf(file, {});
    write(`${'x'.repeat(79)}\nbegun `);
    const { seen } = following(file, 0, { wake });
    await until('the beginning is seen', () => seen().endsWith('begun '));
    write(`and ended${'.'.repeat(20)}\n`);
    await until('the end is seen', () => seen().endsWith('\n'));
    expect(seen()).toBe(`${'x'.repeat(79)}\nbegun and ended${'.'.repeat(20)}\n`);
  });

  test('without archives, reads what it has open to its end', async () => {
    const file = join(tempDir(), 'a.log');
    const { write, wake } = writerOf(file, { keep: 0 });
    write(numbered(1, 5));
    const { seen } = following(file, 0, { wake });
    await until('it is seen', () => seen() === numbered(1, 5));
    write(numbered(6, 10));
    write(numbered(11, 15));
    await until('the last is seen', () => seen().endsWith('line 15\n'));
    expect(seen()).toBe(numbered(1, 15));
  });

  test('a slow reader is waited for, and reads across what was rotated and compressed meanwhile', async () => {
    const file = join(tempDir(), 'a.log');
    const { write, wake, settled } = writerOf(file, { keep: 50, compress: true });
    write(numbered(1, 1));
    let go = (): void => undefined;
    let waits = 0;
    const gate = new Promise<void>((resolve) => (go = resolve));
    const { seen } = following(file, 0, { wake }, async () => {
      waits += 1;
      await gate;
    });
    await until('it is at its first chunk', () => waits === 1);
    write(numbered(2, 200));
    await settled();
    expect(waits).toBe(1);
    go();
    await until('the last line is seen', () => seen().endsWith('line 200\n'));
    expect(seen()).toBe(numbered(1, 200));
  });

  test("a reader's failure ends it with that failure", async () => {
    const file = join(tempDir(), 'a.log');
    writeFileSync(file, 'one\n');
    await expect(follow(file, 0, () => Promise.reject(new Error('gone')), new AbortController().signal)).rejects.toThrow('gone');
  });

  describe.runIf(process.platform === 'linux')('leaves no file open', () => {
    /** A log with a raw and a compressed archive, and how many descriptors lead to the three. */
    const log = () => {
      const file = join(tempDir(), 'a.log');
      writeFileSync(`${file}.2.gz`, gzipSync(numbered(1, 100_000)));
      writeFileSync(`${file}.1`, 'old\n');
      writeFileSync(file, 'one\n');
      return { file, open: () => [file, `${file}.1`, `${file}.2.gz`].map(descriptorsOf) };
    };
    const none = [0, 0, 0];

    test.each<[string, FollowStart]>([['an offset', 0], ['last lines', { lines: 5 }], ['a span of time', { sinceMs: null, untilMs: null }]])('from %s, when it is aborted and when its reader fails', async (_what, from) => {
      const { file, open } = log();
      const ending = new AbortController();
      const seen: string[] = [];
      const following = follow(file, from, (chunk) => void seen.push(Buffer.from(chunk).toString()), ending.signal);
      await until('its end is seen', () => seen.at(-1)?.endsWith('one\n'));
      ending.abort();
      await following;
      expect(open()).toEqual(none);
      await expect(follow(file, from, () => Promise.reject(new Error('gone')), new AbortController().signal)).rejects.toThrow('gone');
      expect(open()).toEqual(none);
      if (typeof from !== 'number') await readLog(file, from, () => undefined);
      expect(open()).toEqual(none);
    });

    test('behind a rotation, when it is aborted and when its reader fails', async () => {
      const file = join(tempDir(), 'a.log');
      const { writer, write, wake } = writerOf(file, { sizeBytes: 10 });
      write('one\n');
      let seen = '';
      const take = (chunk: Uint8Array): void => {
        seen += Buffer.from(chunk).toString();
        if (seen.includes('bad')) throw new Error('gone');
      };
      const ending = new AbortController();
      const followers = [ending, new AbortController()].map(({ signal }) => follow(file, 0, take, signal, { wake }));
      await until('both have begun', () => seen === 'one\none\n');
      write('two\nthree\nfour\nfive\nsix\n');
      await until('both have gone on', () => seen.split('six').length === 3);
      ending.abort();
      await followers[0];
      write('seven\nbad\neight\nnine\n');
      await expect(followers[1]).rejects.toThrow('gone');
      writer.close();
      expect([file, ...[1, 2, 3, 4, 5].map((number) => `${file}.${number}`)].map(descriptorsOf)).toEqual([0, 0, 0, 0, 0, 0]);
    });

    test('when one of them cannot be opened', async () => {
      const { file, open } = log();
      const { open: openFile } = fsPromises;
      vi.spyOn(fsPromises, 'open').mockImplementation((path, flags, mode) => {
        if (String(path).endsWith('.2.gz')) throw new Error('EMFILE: too many open files');
        return openFile(path, flags, mode);
      });
      syncBuiltinESMExports();
      onTestFinished(() => {
        vi.restoreAllMocks();
        syncBuiltinESMExports();
      });
      await expect(lastLines(file, 1)).rejects.toThrow('EMFILE');
      expect(open()).toEqual(none);
    });
  });

  test('a file replaced by another is left for that one', async () => {
    const file = join(tempDir(), 'a.log');
    writeFileSync(file, 'one\n');
    const { seen } = following(file, 0);
    await until('it is seen', () => seen() === 'one\n');
    renameSync(file, `${file}.moved`);
    appendFileSync(`${file}.moved`, 'late\n');
    writeFileSync(file, 'two\n');
    await until('the other is seen', () => seen() === 'one\nlate\ntwo\n');
  });

  test('a flood into a store that rotates is seen whole by a follower inside', async () => {
    const { store, run, file } = storeRig();
    store.prepare([{ name: 'web', logs: { ...piped, rotate: { sizeBytes: 256 * 1024, keep: 200, compress: true } } }]);
    const { seen } = following(file('web'), 0, { wake: (notify) => store.wake('web', 'stdout', notify) });
    await ended(run('web', 'i=0; while [ $i -lt 20 ]; do yes "0123456789 round $i" | head -n 5000; i=$((i+1)); done; echo end'));
    await until('the end is seen', () => seen().endsWith('end\n'));
    const expected = Array.from({ length: 20 }, (_, round) => `0123456789 round ${round}\n`.repeat(5000)).join('');
    expect(seen() === `${expected}end\n`).toBe(true);
    expect(statSync(file('web')).size).toBeLessThanOrEqual(256 * 1024);
  });
});
