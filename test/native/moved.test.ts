import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, readFileSync, readSync, renameSync, rmSync, statSync, symlinkSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { makeCompressor } from '../../src/logs/compress.ts';
import type { LogWriter, WriterOptions } from '../../src/logs/writer.ts';
import type { NativePort } from '../../src/native/port.ts';
import { canMount, smallDisk } from '../state/small-disk.ts';
import { tempDir } from '../temp-dir.ts';
import { hasKoffi } from './installed.ts';

// Modules of this file's own, so that the other file is read anew.
vi.resetModules();
const { loadNative } = await import('../../src/native/load.ts');
const writers = await import('../../src/logs/writer.ts');
const { LogWriter: PlainWriter } = writers;
const loaded = await loadNative();
const port = (): NativePort => {
  if (loaded === null) throw new Error('koffi is not installed');
  return loaded;
};
let pipe = -1;

beforeAll(() => {
  const directory = tempDir();
  execFileSync('mkfifo', [join(directory, 'pipe')]);
  pipe = openSync(join(directory, 'pipe'), constants.O_RDWR | constants.O_NONBLOCK);
  vi.spyOn(writers, 'LogWriter').mockImplementation(function (path, settings) {
    return movingAll(new PlainWriter(path, settings));
  });
});

afterAll(() => {
  vi.restoreAllMocks();
  closeSync(pipe);
});

/** Gets all that it is to write through a pipe, as the channels do. `within` is called before each move. */
function movingAll(writer: LogWriter, through: NativePort = port()): LogWriter {
  const writePlainly = writer.write.bind(writer);
  const write = (bytes: Uint8Array): void => {
    for (let offset = 0; offset < bytes.length; offset += 60_000) {
      writeSync(pipe, bytes, offset, Math.min(60_000, bytes.length - offset));
      while (through.held(pipe) > 0) {
        if (writer.move(through, pipe) !== null) continue;
        const read = Buffer.alloc(8192);
        writePlainly(read.subarray(0, readSync(pipe, read)));
      }
    }
  };
  return Object.assign(writer, { write });
}

const options = (problems: string[]): WriterOptions => ({
  rotation: { sizeBytes: 1_000_000, keep: 3, compress: false }, owner: null, compressor: makeCompressor(() => undefined), onProblem: (text) => problems.push(text),
});

describe.skipIf(!hasKoffi)('bytes that are moved from a pipe to a file', () => {
  test('can be read back, also where the writer had opened the file before', () => {
    const file = join(tempDir(), 'web.log');
    const writer = new PlainWriter(file, options([]));
    writer.write(Buffer.from('written\n'));
    writeSync(pipe, 'moved\n');
    expect(writer.move(port(), pipe)).toBe(6);
    expect(Buffer.from(writer.readBack(6)).toString()).toBe('moved\n');
    writer.write(Buffer.from('written again\n'));
    expect(writer.move(port(), pipe)).toBe(0);
    expect(readFileSync(file, 'utf8')).toBe('written\nmoved\nwritten again\n');
  });

  test('stay at the beginning of a file that was emptied between the look at its size and the move', () => {
    const file = join(tempDir(), 'web.log');
    let empties = false;
    const between: NativePort = { ...port(), move: (...passed) => {
      if (empties) truncateSync(file);
      empties = false;
      return port().move(...passed);
    } };
    const writer = movingAll(new PlainWriter(file, options([])), between);
    writer.write(Buffer.from('before\n'.repeat(10_000)));
    empties = true;
    writer.write(Buffer.from('one\n'));
    writer.write(Buffer.from('two\n'));
    expect(readFileSync(file, 'utf8')).toBe('one\ntwo\n');
  });

  test('go on after what another program has appended', () => {
    const file = join(tempDir(), 'web.log');
    const writer = movingAll(new PlainWriter(file, options([])));
    writer.write(Buffer.from('one\n'));
    writeFileSync(file, 'by hand\n', { flag: 'a' });
    writer.write(Buffer.from('two\n'));
    expect(readFileSync(file, 'utf8')).toBe('one\nby hand\ntwo\n');
  });

  test('are read and written where the kernel cannot move them', () => {
    const file = join(tempDir(), 'web.log');
    const calls: string[] = [];
    const writer = movingAll(new PlainWriter(file, options([])), { ...port(), move: () => (calls.push('move'), 'EINVAL') });
    writer.write(Buffer.from('one\n'));
    writer.write(Buffer.from('two\n'));
    expect([readFileSync(file, 'utf8'), calls]).toEqual(['one\ntwo\n', ['move']]);
  });

  test('are dropped while a link in a circle is in the place of the directory, and written again when that is back', () => {
    const directory = join(tempDir(), 'logs');
    const file = join(directory, 'web.log');
    const problems: string[] = [];
    const moving = new PlainWriter(file, options(problems));
    const writer = movingAll(moving);
    writer.write(Buffer.from('one\ncut'));
    renameSync(directory, `${directory}-away`);
    symlinkSync('logs', directory);
    expect(moving.touch()).toContain('ELOOP');
    writer.write(Buffer.from(' off\ndropped\nbegun '));
    rmSync(directory);
    renameSync(`${directory}-away`, directory);
    writer.write(Buffer.from('to no end\ntwo\n'));
    writer.write(Buffer.from('three\n'));
    expect(readFileSync(file, 'utf8')).toBe('one\ncut\ntwo\nthree\n');
    expect(problems).toEqual([expect.stringContaining('ELOOP'), expect.stringContaining('is written again')]);
  });

  test.runIf(canMount)('are dropped and counted where the disk is full, and the line that was cut is ended', () => {
    const disk = smallDisk(64);
    if (disk === null) throw new Error('a disk could be mounted before');
    const file = join(disk, 'web.log');
    const problems: string[] = [];
    const writer = movingAll(new PlainWriter(file, options(problems)));
    const line = `${'x'.repeat(99)}\n`;
    writer.write(Buffer.from(line.repeat(1000)));
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain('ENOSPC');
    expect(statSync(file).size).toBe(65_536);
    // Each attempt to end the cut line counts as a byte, too.
    expect(writer.droppedBytes - (100_000 - 65_536)).toBeLessThan(8);
    expect(writer.droppedBytes).toBeGreaterThanOrEqual(100_000 - 65_536);
    truncateSync(file, 150);
    writer.write(Buffer.from('after\n'));
    expect(readFileSync(file, 'utf8')).toBe(`${line}${'x'.repeat(50)}\nafter\n`);
    writer.write(Buffer.from('moved\n'));
    expect(readFileSync(file, 'utf8')).toMatch(/after\nmoved\n$/);
  });
});

// All that holds of bytes that are written holds of those that are moved.
if (loaded !== null) await import('../logs/writer.test.ts');
