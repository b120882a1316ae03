import * as fc from 'fast-check';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmdirSync, statSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { dropOldestBeside, listArchives } from '../../src/logs/archives.ts';
import { makeCompressor } from '../../src/logs/compress.ts';
import { mendRotation, rotate } from '../../src/logs/rotate.ts';
import { LogWriter, type Rotation } from '../../src/logs/writer.ts';
import { withoutTools } from '../process/missing-tools.ts';
import { tempDir } from '../temp-dir.ts';
import { everything } from './rig.ts';

function rig(rotation: Partial<Rotation> = {}, file = join(tempDir(), 'web.log')): { file: string; writer: LogWriter; problems: string[]; settled: () => Promise<void> } {
  const problems: string[] = [];
  const compressor = makeCompressor((text) => problems.push(text));
  const writer = new LogWriter(file, {
    rotation: { sizeBytes: 100, keep: 3, compress: false, ...rotation }, owner: null, compressor, onProblem: (text) => problems.push(text),
  });
  return { file, writer, problems, settled: () => compressor.settled() };
}

describe('the cut', () => {
  test('a file may be exactly full', () => {
    const { file, writer } = rig();
    writer.write(Buffer.from('x'.repeat(99) + '\n'));
    expect(existsSync(`${file}.1`)).toBe(false);
    writer.write(Buffer.from('y'));
    expect(readFileSync(`${file}.1`, 'utf8')).toBe('x'.repeat(99) + '\n');
    expect(readFileSync(file, 'utf8')).toBe('y');
  });

  test('comes behind the last line that fits', () => {
    const { file, writer } = rig();
    writer.write(Buffer.from(`${'a'.repeat(59)}\n${'b'.repeat(59)}\nc`));
    expect(readFileSync(`${file}.1`, 'utf8')).toBe(`${'a'.repeat(59)}\n`);
    expect(readFileSync(file, 'utf8')).toBe(`${'b'.repeat(59)}\nc`);
  });

  test('takes a line that was begun before to the new file', () => {
    const { file, writer } = rig();
    writer.write(Buffer.from('one\nbegun '));
    writer.write(Buffer.from(`${'e'.repeat(93)}`));
    expect(readFileSync(`${file}.1`, 'utf8')).toBe('one\n');
    expect(readFileSync(file, 'utf8')).toBe(`begun ${'e'.repeat(93)}`);
    writer.write(Buffer.from('\nrest'));
    expect(everything(file)).toBe(`one\nbegun ${'e'.repeat(93)}\nrest`);
    expect(readdirSync(join(file, '..')).sort()).toEqual(['web.log', 'web.log.1', 'web.log.2']);
  });

  test('without any line end comes at the size', () => {
    const { file, writer } = rig({ keep: 9 });
    writer.write(Buffer.from('z'.repeat(250)));
    expect(listArchives(file).map((archive) => archive.stat.size)).toEqual([100, 100]);
    expect(statSync(file).size).toBe(50);
  });

  test('does not look for a line end further back than 64 KiB', () => {
    const { file, writer } = rig({ sizeBytes: 200_000 });
    writer.write(Buffer.from(`line\n${'z'.repeat(150_000)}`));
    writer.write(Buffer.from('y'.repeat(60_000)));
    expect(statSync(`${file}.1`).size).toBe(200_000);
  });

  test('property: whatever is written in whatever pieces is all there, once, and lines below the size are whole', () => {
    fc.assert(fc.property(
      fc.array(fc.string({ unit: fc.constantFrom('a', 'b', '\n'), maxLength: 90 }), { maxLength: 30 }),
      fc.integer({ min: 40, max: 150 }),
      (pieces, sizeBytes) => {
        const { file, writer } = rig({ sizeBytes, keep: 500 }, join(tempDirNow(), 'web.log'));
        for (const piece of pieces) writer.write(Buffer.from(piece));
        writer.close();
        expect(everything(file)).toBe(pieces.join(''));
        const longest = Math.max(...pieces.join('').split('\n').map((line) => line.length + 1));
        for (const archive of listArchives(file)) {
          expect(archive.stat.size).toBeLessThanOrEqual(sizeBytes);
          if (longest <= sizeBytes) expect(readFileSync(archive.path, 'utf8').endsWith('\n')).toBe(true);
        }
      },
    ), { numRuns: 60 });
  });
});

// One directory per run of a property, all below the test's own.
let runs = 0;
let base: string | null = null;
function tempDirNow(): string {
  base ??= tempDir();
  const directory = join(base, String((runs += 1)));
  mkdirSync(directory, { recursive: true });
  return directory;
}

describe('archives', () => {
  const line = (digit: number): Buffer => Buffer.from(`${String(digit).repeat(79)}\n`);

  test('the newest is 1, and no more are kept than wanted', () => {
    const { file, writer } = rig();
    for (let digit = 0; digit < 7; digit += 1) writer.write(line(digit));
    expect(listArchives(file).map((archive) => readFileSync(archive.path, 'utf8')[0])).toEqual(['5', '4', '3']);
    expect(readFileSync(file, 'utf8')[0]).toBe('6');
  });

  test('fewer wanted: the surplus goes with the next rotation', () => {
    const { file, writer } = rig();
    for (let digit = 0; digit < 5; digit += 1) writer.write(line(digit));
    writer.configure({ sizeBytes: 100, keep: 1, compress: false }, null);
    writer.write(line(5));
    expect(readdirSync(join(file, '..')).sort()).toEqual(['web.log', 'web.log.1']);
  });

  test('none wanted: the file begins anew', () => {
    const { file, writer } = rig({ keep: 0 });
    for (let digit = 0; digit < 3; digit += 1) writer.write(line(digit));
    expect(readdirSync(join(file, '..'))).toEqual(['web.log']);
    expect(readFileSync(file, 'utf8')).toBe(line(2).toString());
  });

  test('are compressed beside the work, under their numbers, keeping the time of the last write', async () => {
    const { file, writer, settled, problems } = rig({ compress: true });
    for (let digit = 0; digit < 3; digit += 1) writer.write(line(digit));
    const times = listArchives(file).map((archive) => archive.stat.mtimeMs);
    writer.write(line(3));
    await settled();
    expect(readdirSync(join(file, '..')).sort()).toEqual(['web.log', 'web.log.1.gz', 'web.log.2.gz', 'web.log.3.gz']);
    expect(everything(file)).toBe([0, 1, 2, 3].map((digit) => line(digit).toString()).join(''));
    expect(Math.abs((listArchives(file)[1]?.stat.mtimeMs ?? 0) - (times[0] ?? 0))).toBeLessThan(1);
    expect(statSync(`${file}.1.gz`).mode & 0o777).toBe(0o640);
    expect(problems).toEqual([]);
  });

  test('without gzip they stay raw, and that is said once', async () => {
    withoutTools();
    const { file, writer, settled, problems } = rig({ compress: true });
    for (let digit = 0; digit < 3; digit += 1) {
      writer.write(line(digit));
      await settled();
    }
    expect(problems).toEqual([`${file}: archives stay uncompressed: gzip was not found on PATH`]);
    expect(readdirSync(join(file, '..')).sort()).toEqual(['web.log', 'web.log.1', 'web.log.2']);
  });

  test('an archive that a crash left in both forms is counted once, and put right', async () => {
    const { file, writer, settled } = rig({ compress: true });
    writer.write(line(0));
    writer.write(line(1));
    await settled();
    writeFileSync(`${file}.1`, line(0));
    expect(everything(file)).toBe(line(0).toString() + line(1).toString());
    writer.write(line(2));
    await settled();
    expect(everything(file)).toBe([0, 1, 2].map((digit) => line(digit).toString()).join(''));
    expect(readdirSync(join(file, '..')).sort()).toEqual(['web.log', 'web.log.1.gz', 'web.log.2.gz']);
  });

  test('a gap that a crash left among the numbers hides nothing', () => {
    const { file, writer } = rig({ keep: 5 });
    for (let digit = 0; digit < 4; digit += 1) writer.write(line(digit));
    renameSync(`${file}.3`, `${file}.4`);
    renameSync(`${file}.2`, `${file}.3`);
    expect(everything(file)).toBe([0, 1, 2, 3].map((digit) => line(digit).toString()).join(''));
    writer.write(line(4));
    expect(everything(file)).toBe([0, 1, 2, 3, 4].map((digit) => line(digit).toString()).join(''));
  });

  test('more than one gap among the numbers hides nothing either', () => {
    const { file } = rig();
    for (const number of [1, 3, 5]) writeFileSync(`${file}.${number}`, line(number));
    expect(listArchives(file).map(({ number }) => number)).toEqual([1, 3, 5]);
  });

  test('one that is moved up takes the place of the last one in whatever form that is', () => {
    const { file } = rig();
    writeFileSync(file, line(2));
    writeFileSync(`${file}.1`, line(1));
    for (const ending of ['.gz', '.times']) writeFileSync(`${file}.2${ending}`, 'of line 0');
    rotate(file, 2);
    expect(readdirSync(join(file, '..')).sort()).toEqual(['web.log.1', 'web.log.2']);
    expect(readFileSync(`${file}.2`, 'utf8')).toBe(line(1).toString());
  });

  test.each([['db', 'web'], ['web', 'db']])('the oldest of those in a directory is that of %s, by its time', (oldest, other) => {
    const log = (unit: string): string => join(dir, `${unit}_stdout.log`);
    const dir = tempDir();
    for (const unit of [oldest, other]) for (const number of [1, 2]) writeFileSync(`${log(unit)}.${number}`, line(number));
    utimesSync(`${log(oldest)}.2`, 1000, 1000);
    expect(dropOldestBeside(log('new'))).toBe(true);
    expect(readdirSync(dir).sort()).toEqual([`${oldest}_stdout.log.1`, `${other}_stdout.log.1`, `${other}_stdout.log.2`].sort());
  });
});

describe('a crash between the steps of a rotation', () => {
  const before = 'one\ntwo\nbegun';
  function leave(state: { file?: string; archive?: string; next?: string }): string {
    const file = join(tempDir(), 'web.log');
    if (state.file !== undefined) writeFileSync(file, state.file);
    if (state.archive !== undefined) writeFileSync(`${file}.1`, state.archive);
    if (state.next !== undefined) writeFileSync(`${file}.next`, state.next);
    return file;
  }

  test.each([
    ['the moved line was being written', { file: before, next: 'beg' }],
    ['the moved line was written', { file: before, next: 'begun' }],
    ['the file was renamed', { archive: before, next: 'begun' }],
    ['the archive was cut', { archive: 'one\ntwo\n', next: 'begun' }],
    ['the new file got its name', { archive: 'one\ntwo\n', file: 'begun' }],
  ])('when %s: nothing is lost or doubled', (_, state) => {
    const file = leave(state);
    mendRotation(file);
    expect(everything(file)).toBe(before);
    expect(existsSync(`${file}.next`)).toBe(false);
  });
});

describe('other hands', () => {
  test.each([true, false])('a directory or a link in the place of a moved piece becomes no log, be the log there (%s) or not', (isThere) => {
    for (const put of [(path: string) => mkdirSync(path), (path: string) => symlinkSync('/nonexistent/file', path)]) {
      const file = join(tempDir(), 'web.log');
      if (isThere) writeFileSync(file, 'one\n');
      put(`${file}.next`);
      mendRotation(file);
      expect(readdirSync(join(file, '..')).sort()).toEqual(isThere ? ['web.log', 'web.log.next'] : ['web.log.next']);
    }
  });

  test('a full file that was moved away just now is not put away once more', () => {
    const { file, writer, problems } = rig();
    writer.write(Buffer.from(`${'x'.repeat(89)}\n`));
    renameSync(file, `${file}-moved`);
    writer.write(Buffer.from(`${'y'.repeat(89)}\n`));
    expect(readFileSync(`${file}-moved`, 'utf8') + readFileSync(file, 'utf8')).toBe(`${'x'.repeat(89)}\n${'y'.repeat(89)}\n`);
    expect([readdirSync(join(file, '..')).sort(), problems]).toEqual([['web.log', 'web.log-moved'], []]);
  });

  test('a rotation that fails leaves no second copy of the line that was begun', () => {
    const { file } = rig();
    writeFileSync(file, 'one\nbegun');
    mkdirSync(join(`${file}.1`, 'within'), { recursive: true });
    expect(() => rotate(file, 3)).toThrow('EISDIR');
    expect([readFileSync(file, 'utf8'), existsSync(`${file}.next`)]).toEqual(['one\nbegun', false]);
  });

  test('a file that was emptied is counted from there, once it is looked at', () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    onTestFinished(() => void vi.useRealTimers());
    const { file, writer } = rig({ sizeBytes: 1000 });
    writer.write(Buffer.from('x'.repeat(900) + '\n'));
    truncateSync(file);
    vi.advanceTimersByTime(1050);
    writer.write(Buffer.from('y'.repeat(200)));
    expect(existsSync(`${file}.1`)).toBe(false);
    expect(readFileSync(file, 'utf8')).toBe('y'.repeat(200));
  });

  test('a file that logrotate has put in the place of the one that is open is written to, once it is looked at', () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    onTestFinished(() => void vi.useRealTimers());
    const { file, writer } = rig();
    writer.write(Buffer.from('one\n'));
    renameSync(file, `${file}-moved`);
    writeFileSync(file, '');
    vi.advanceTimersByTime(1050);
    writer.write(Buffer.from('two\n'));
    expect([`${file}-moved`, file].map((path) => readFileSync(path, 'utf8'))).toEqual(['one\n', 'two\n']);
  });

  test.skipIf(process.geteuid?.() !== 0)('a file is given to the user that its unit runs as from now on', () => {
    const { file, writer } = rig();
    writer.write(Buffer.from('one\n'));
    writer.configure({ sizeBytes: 100, keep: 3, compress: false }, { uid: 4242, gid: 4243 });
    writer.write(Buffer.from('two\n'));
    expect(statSync(file)).toMatchObject({ uid: 4242, gid: 4243 });
  });

  test('a line that was cut gets its end also where the file is put away before anything is written after the loss', () => {
    const { file, writer } = rig({ sizeBytes: 300 });
    const [whole, cut, next] = [`${'a'.repeat(200)}\n`, 'b'.repeat(60), `${'c'.repeat(60)}\n`];
    writer.write(Buffer.from(whole + cut));
    renameSync(file, `${file}.elsewhere`);
    mkdirSync(file);
    writer.close();
    writer.write(Buffer.from('lost\n'));
    rmdirSync(file);
    renameSync(`${file}.elsewhere`, file);
    writer.write(Buffer.from(next));
    expect([readFileSync(`${file}.1`, 'utf8'), readFileSync(file, 'utf8')]).toEqual([whole, `${cut}\n${next}`]);
  });

  test('a file that cannot be opened: dropped, counted, reported once; and reported when it is over', () => {
    const file = join(tempDir(), 'web.log');
    mkdirSync(file);
    const { writer, problems } = rig({}, file);
    writer.write(Buffer.from('12345'));
    writer.write(Buffer.from('678'));
    expect(writer.droppedBytes).toBe(8);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(/web\.log: cannot be written: EISDIR.*; output is dropped until it can/);
    renameSync(file, `${file}.away`);
    writer.write(Buffer.from('again'));
    expect(readFileSync(file, 'utf8')).toBe('again');
    expect(problems[1]).toBe(`${file}: is written again; 8 bytes were dropped`);
  });

  test('a rotation that is not possible lets the file grow on and says so once', () => {
    const { file, writer, problems } = rig();
    mkdirSync(`${file}.1/in-the-way`, { recursive: true });
    for (let round = 0; round < 5; round += 1) writer.write(Buffer.from(`${'x'.repeat(79)}\n`));
    expect(statSync(file).size).toBe(400);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain('cannot be rotated');
  });
});
