import { appendFileSync, existsSync, openSync, readFileSync, rmSync, statSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { listArchives } from '../../src/logs/archives.ts';
import { makeCompressor } from '../../src/logs/compress.ts';
import { openLineTimes } from '../../src/logs/line-times.ts';
import { openMerger } from '../../src/logs/merge.ts';
import { TimeIndex } from '../../src/logs/time-index.ts';
import { textOfLine } from '../../src/logs/lines.ts';
import { openLineReader, type LineFilter } from '../../src/logs/timed-lines.ts';
import { parseTimes, readTimesAt } from '../../src/logs/times.ts';
import { follow, readLog, type LogStart } from '../../src/logs/tail.ts';
import { LogWriter, type Rotation } from '../../src/logs/writer.ts';
import { tempDir } from '../temp-dir.ts';
import { until } from '../until.ts';

const begin = Date.UTC(2026, 0, 1);
const everything: LineFilter = { sinceMs: null, untilMs: null, pattern: null };

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date', 'performance'], now: begin }));
afterEach(() => void vi.useRealTimers());

interface Log {
  readonly file: string;
  readonly writer: LogWriter;
  readonly settled: () => Promise<void>;
  /** At a time after the beginning. */
  write(atMs: number, text: string): void;
}

function log(rotation: Partial<Rotation> = {}, file = join(tempDir(), 'web.log')): Log {
  const fail = (problem: string): never => {
    throw new Error(problem);
  };
  const compressor = makeCompressor(fail);
  const writer = new LogWriter(file, { rotation: { sizeBytes: 1e6, keep: 50, compress: false, ...rotation }, owner: null, compressor, onProblem: fail, timed: true });
  return {
    file, writer, settled: () => compressor.settled(),
    write(atMs, text) {
      vi.advanceTimersByTime(begin + atMs - Date.now());
      writer.write(Buffer.from(text));
      // The file system knows nothing of the time that a test makes up.
      if (existsSync(file)) utimesSync(file, Date.now() / 1000, Date.now() / 1000);
    },
  };
}

/** `text@milliseconds after the beginning` of every line that fits. */
async function read(file: string, filter: Partial<LineFilter> = {}, start?: LogStart): Promise<string[]> {
  const lines: string[] = [];
  const wish = { ...everything, ...filter };
  const reader = openLineReader(openLineTimes(file), wish, ({ bytes, at }) => {
    lines.push(`${textOfLine(bytes)}@${at === null ? '?' : at - begin}`);
  });
  await readLog(file, start ?? wish, reader.take);
  await reader.flush();
  return lines;
}

describe('the index', () => {
  test('gives each line the time at which its beginning was written', async () => {
    const { file, write } = log();
    write(0, 'one\n');
    write(200, 'two\nthr');
    write(900, 'ee\n');
    write(1500, 'four\n');
    expect(await read(file)).toEqual(['one@0', 'two@200', 'three@200', 'four@1500']);
    expect(await read(file, {}, { lines: 2 })).toEqual(['three@200', 'four@1500']);
  });

  test('has at most one mark in 100 ms', async () => {
    const { file, write } = log();
    for (let at = 0; at < 1000; at += 10) write(at, `${at}\n`);
    expect(readTimesAt(`${file}.times`)?.marks.map(({ at }) => (at ?? 0) - begin)).toEqual([0, 100, 200, 300, 400, 500, 600, 700, 800, 900]);
    expect((await read(file)).slice(9, 11)).toEqual(['90@0', '100@100']);
  });

  test('goes with the lines into archives, compressed or not, and to where a rotation moves an unfinished line', async () => {
    const { file, write, settled } = log({ sizeBytes: 100, compress: true });
    const expected: string[] = [];
    for (let line = 0; line < 60; line += 1) {
      const text = `line ${line} ${'x'.repeat(line % 17)}`;
      write(line * 1000, text.slice(0, 5));
      write(line * 1000 + 300, `${text.slice(5)}\n`);
      expected.push(`${text}@${line * 1000}`);
      if (line === 40) await settled();
    }
    expect(listArchives(file)).toHaveLength(10);
    expect(await read(file)).toEqual(expected);
    await settled();
    expect(listArchives(file).every(({ compressed }) => compressed)).toBe(true);
    expect(await read(file)).toEqual(expected);
    for (const second of [0, 7, 30, 59]) expect(await read(file, { sinceMs: begin + second * 1000 })).toEqual(expected.slice(second));
    for (const second of [0, 7, 30, 59]) expect(await read(file, { untilMs: begin + second * 1000 })).toEqual(expected.slice(0, second + 1));
    expect(await read(file, { sinceMs: begin + 20_001, untilMs: begin + 25_999, pattern: /[13579] x*$/ })).toEqual([expected[21], expected[23], expected[25]]);
  });

  test('of a line that came in many pieces goes with all of them to the new file', async () => {
    const { file, write } = log({ sizeBytes: 100 });
    write(0, `${'a'.repeat(60)}\n`);
    for (let piece = 1; piece <= 4; piece += 1) write(piece * 1000, `piece ${piece} `);
    write(5000, 'and the end\n');
    expect(existsSync(`${file}.1`)).toBe(true);
    write(6000, 'b\n');
    write(7000, 'c\n');
    expect(await read(file)).toEqual([`${'a'.repeat(60)}@0`, 'piece 1 piece 2 piece 3 piece 4 and the end@1000', 'b@6000', 'c@7000']);
    expect(readTimesAt(`${file}.times`)?.marks.map(({ offset }) => offset)).toEqual([0, 8, 16, 24, 32, 44, 46]);
  });

  test('is given up with its archive', async () => {
    const { file, write } = log({ sizeBytes: 50, keep: 1 });
    for (let line = 0; line < 30; line += 1) write(line * 1000, `line ${line}\n`);
    expect(existsSync(`${file}.1.times`)).toBe(true);
    expect(existsSync(`${file}.2.times`)).toBe(false);
    expect((await read(file)).at(-1)).toBe('line 29@29000');
  });

  test('takes no more than about a MiB, however long it is written to', () => {
    const file = join(tempDir(), 'web.log');
    writeFileSync(file, '');
    let now = 0;
    const index = new TimeIndex(file, { wallMs: () => begin + now, monotonicMs: () => now });
    index.begin(begin);
    // The real writer's descriptor; what counts here is its size, which grows by a byte a mark.
    for (let mark = 0; mark < 100_000; mark += 1) {
      now += 100;
      if (mark % 1000 === 0) appendFileSync(file, 'x'.repeat(1000));
      index.note(openForStat(file), 0);
    }
    expect(statSync(`${file}.times`).size).toBeLessThan(1024 * 1024 + 100);
    const marks = readTimesAt(`${file}.times`)?.marks ?? [];
    expect(marks.at(-1)?.offset).toBe(100_000);
  });

  test('after the clock was set back gives the times as they were', async () => {
    const { file, write } = log();
    write(10_000, 'before\n');
    vi.setSystemTime(begin + 5000);
    vi.advanceTimersByTime(200);
    write(5200, 'after\n');
    expect(await read(file)).toEqual(['before@10000', 'after@5200']);
    expect(await read(file, { sinceMs: begin + 6000 })).toEqual(['before@10000']);
    expect(await read(file, { untilMs: begin + 6000 })).toEqual(['after@5200']);
  });
});

// One descriptor for all notes of a test.
let opened: { file: string; descriptor: number } | null = null;
function openForStat(file: string): number {
  if (opened?.file !== file) opened = { file, descriptor: openSync(file, 'r') };
  return opened.descriptor;
}

describe('what is not known', () => {
  test('of lines from before the index: shown unless they are certainly too old, without a time', async () => {
    const file = join(tempDir(), 'web.log');
    writeFileSync(file, 'old\n');
    utimesSync(file, (begin - 60_000) / 1000, (begin - 60_000) / 1000);
    const { write } = log({}, file);
    write(0, 'new\n');
    expect(await read(file)).toEqual(['old@?', 'new@0']);
    expect(await read(file, { sinceMs: begin - 30_000 })).toEqual(['new@0']);
    expect(await read(file, { sinceMs: begin - 90_000 })).toEqual(['old@?', 'new@0']);
  });

  test('of lines that somebody else appended while no supervisor ran', async () => {
    const { file, write, writer } = log();
    write(0, 'ours\n');
    write(1000, 'ours too\n');
    writer.close();
    appendFileSync(file, 'theirs\n');
    utimesSync(file, (begin + 50_000) / 1000, (begin + 50_000) / 1000);
    const next = log({}, file);
    next.write(60_000, 'ours again\n');
    // The last of ours cannot be told from theirs.
    expect(await read(file)).toEqual(['ours@0', 'ours too@?', 'theirs@?', 'ours again@60000']);
    expect(await read(file, { sinceMs: begin + 55_000 })).toEqual(['ours again@60000']);
  });

  test('of lines that somebody else appended to the file that a rotation has begun', async () => {
    const { file, write, writer } = log({ sizeBytes: 20 });
    write(0, `${'x'.repeat(19)}\n`);
    write(1000, 'ours\n');
    writer.close();
    appendFileSync(file, 'theirs\n');
    utimesSync(file, (begin + 50_000) / 1000, (begin + 50_000) / 1000);
    write(60_000, 'again\n');
    expect(await read(file)).toEqual([`${'x'.repeat(19)}@0`, 'ours@?', 'theirs@?', 'again@60000']);
  });

  test.each([
    ['missing', (path: string) => rmSync(path)],
    ['empty', (path: string) => truncateSync(path)],
    ['of something else', (path: string) => writeFileSync(path, 'rubbish\n')],
    ['of another file', (path: string) => writeFileSync(path, `sysg-times 1 1\n${begin} 0\n`)],
  ])('an index that is %s: every line is shown, and the next mark makes a new one', async (_, spoil) => {
    const { file, write, writer } = log();
    write(0, 'one\n');
    write(1000, 'two\n');
    writer.close();
    spoil(`${file}.times`);
    expect(await read(file)).toEqual(['one@?', 'two@?']);
    expect(await read(file, { sinceMs: begin + 500 })).toEqual(['one@?', 'two@?']);
    expect(await read(file, { sinceMs: begin + 5000 })).toEqual([]);
    log({}, file).write(9000, 'three\n');
    expect(await read(file, { sinceMs: begin + 500 })).toEqual(['one@?', 'two@?', 'three@9000']);
  });

  test('a torn mark is passed over, and the next one is read', async () => {
    const { file, write, writer } = log();
    write(0, 'one\n');
    write(1000, 'two\n');
    writer.close();
    const path = `${file}.times`;
    truncateSync(path, statSync(path).size - 4);
    expect(await read(file)).toEqual(['one@0', 'two@0']);
    expect(parseTimes('sysg-times 1 7\n100 0\n1x0 5\n300 9\n200 3\n-50 12\n- 20\n- \n400 2')?.marks).toEqual([
      { offset: 0, at: 100, latest: 100 }, { offset: 9, at: 300, latest: 300 }, { offset: 12, at: null, latest: 50 }, { offset: 20, at: null, latest: null },
    ]);
  });

  test('an index that was removed under a writer is made anew', async () => {
    const { file, write } = log();
    write(0, 'one\n');
    write(1000, 'two\n');
    rmSync(`${file}.times`);
    write(1050, 'three\n');
    write(2000, 'four\n');
    write(3000, 'five\n');
    expect(await read(file)).toEqual(['one@?', 'two@1000', 'three@1000', 'four@2000', 'five@3000']);
  });

  test('a log that was emptied under a writer has the times of what came after', async () => {
    const { file, write } = log();
    write(0, 'a long line, and more than what follows\n');
    write(500, 'one\n');
    truncateSync(file);
    write(550, 'a\n');
    write(1000, 'two\n');
    write(2000, 'three\n');
    expect(await read(file)).toEqual(['a@500', 'two@1000', 'three@2000']);
  });

  test.each([['removed', true], ['still there', false]])('a log that was emptied and is longer by the next mark than by the last has the times of what came after, its index %s', async (_, isRemoved) => {
    const { file, write } = log();
    write(0, 'one\n');
    write(500, 'two\n');
    if (isRemoved) rmSync(`${file}.times`);
    truncateSync(file);
    write(510, 'three, which is longer than both\n');
    write(520, 'four\n');
    write(1000, 'five\n');
    expect(await read(file)).toEqual(['three, which is longer than both@500', 'four@500', 'five@1000']);
  });

  test('a crash between putting a file away and its index costs no times', async () => {
    const { file, write } = log({ sizeBytes: 30 });
    write(0, `${'a'.repeat(20)}\n`);
    write(1000, `${'b'.repeat(20)}\n`);
    // As if the index had not been renamed yet.
    writeFileSync(`${file}.times`, readFileSync(`${file}.1.times`));
    rmSync(`${file}.1.times`);
    log({ sizeBytes: 300 }, file).write(2000, 'c\n');
    expect(await read(file)).toEqual([`${'a'.repeat(20)}@0`, `${'b'.repeat(20)}@?`, 'c@2000']);
  });
});

describe('following with times', () => {
  test('what was there since a moment, then what comes, over rotations, without a loss or a double', async () => {
    const { file, write } = log({ sizeBytes: 200, compress: true });
    for (let line = 0; line < 50; line += 1) write(line * 1000, `line ${line}\n`);
    vi.useRealTimers();
    const seen: string[] = [];
    const end = new AbortController();
    let begun = 0;
    const reader = openLineReader(openLineTimes(file), { ...everything, sinceMs: begin + 30_000 }, ({ bytes, at }) => {
      seen.push(`${textOfLine(bytes)}@${at === null ? '?' : at - begin}`);
    });
    const done = follow(file, { sinceMs: begin + 30_000, untilMs: null }, reader.take, end.signal, { onBegun: () => void (begun = seen.length) });
    await until('the beginning was read', () => begun > 0);
    expect(begun).toBe(20);
    vi.useFakeTimers({ toFake: ['Date', 'performance'], now: begin + 49_000 });
    const later = log({ sizeBytes: 200, compress: true }, file);
    for (let line = 50; line < 120; line += 1) later.write(line * 1000, `line ${line}\n`);
    vi.useRealTimers();
    await until('the last line is seen', () => seen.length >= 90);
    end.abort();
    await done;
    expect(seen).toEqual(Array.from({ length: 90 }, (_, index) => `line ${index + 30}@${(index + 30) * 1000}`));
  });
});

describe('merging', () => {
  const collect = (): { lines: string[]; print: (batch: readonly { at: number | null; name: string }[]) => Promise<void> } => {
    const lines: string[] = [];
    return { lines, print: (batch) => Promise.resolve(void lines.push(...batch.map(({ name }) => name))) };
  };

  test('puts what was there in order of time, lines without a time behind those before them', async () => {
    vi.useRealTimers();
    const { lines, print } = collect();
    const merger = openMerger(print);
    const [one, two] = [merger.add(), merger.add()];
    await one.push({ at: 10, name: 'a10' });
    await one.push({ at: null, name: 'a?' });
    await one.push({ at: 30, name: 'a30' });
    one.begun();
    await two.push({ at: 5, name: 'b5' });
    await two.push({ at: 20, name: 'b20' });
    two.begun();
    await merger.end();
    expect(lines).toEqual(['b5', 'a10', 'a?', 'b20', 'a30']);
  });

  test('keeps the order of a log whose clock was set back', async () => {
    vi.useRealTimers();
    const { lines, print } = collect();
    const merger = openMerger(print);
    const [one, two] = [merger.add(), merger.add()];
    one.begun();
    two.begun();
    await one.push({ at: 100, name: 'a100' });
    await until('it is printed', () => lines.length === 1);
    await one.push({ at: 50, name: 'a50' });
    await two.push({ at: 90, name: 'b90' });
    await merger.end();
    expect(lines).toEqual(['a100', 'b90', 'a50']);
  });

  test('waits for the log that is behind, and keeps the one ahead from filling the memory', async () => {
    vi.useRealTimers();
    const { lines, print } = collect();
    const merger = openMerger(print);
    const [fast, slow] = [merger.add(), merger.add()];
    let pushed = 0;
    const filling = (async () => {
      for (let at = 0; at < 5000; at += 1) {
        await fast.push({ at, name: `f${at}` });
        pushed += 1;
      }
      fast.begun();
    })();
    await until('the one ahead waits', () => pushed === 999);
    expect(lines).toEqual([]);
    await slow.push({ at: 4000, name: 's4000' });
    slow.begun();
    await filling;
    await merger.end();
    expect(lines).toHaveLength(5001);
    expect(lines.indexOf('s4000')).toBe(4001);
  });

  test('a reader that fails ends it', async () => {
    vi.useRealTimers();
    const merger = openMerger<{ at: number; name: string }>(() => Promise.reject(new Error('broken pipe')));
    const input = merger.add();
    await input.push({ at: 1, name: 'x' });
    await expect(merger.end()).rejects.toThrow('broken pipe');
    await expect(input.push({ at: 2, name: 'y' })).rejects.toThrow('broken pipe');
  });
});
