import { closeSync, constants, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ensureFifo } from '../../src/logs/fifo.ts';
import { FifoReader, readAvailable, type FifoSink } from '../../src/logs/reader.ts';
import { loadNative } from '../../src/native/load.ts';
import { tempDir } from '../temp-dir.ts';
import { until } from '../until.ts';
import { descriptorsOf } from './rig.ts';

/** A FIFO, its reader and an end to write to. */
function rig(take: (bytes: Uint8Array, writeEnd: number) => unknown, more: Pick<FifoSink, 'move'> = {}) {
  const path = join(tempDir(), 'fifo');
  ensureFifo(path, null);
  const writeEnd = openSync(path, constants.O_RDWR);
  const reader = new FifoReader(path, { take: (bytes) => take(bytes, writeEnd) !== 'full', ...more });
  onTestFinished(() => {
    reader.close();
    closeSync(writeEnd);
  });
  return { path, reader, writeEnd };
}

test('what is in a FIFO is read at once, but not for ever where more comes all the while', () => {
  const mebibyte = 1024 * 1024;
  let taken = 0;
  const { reader, writeEnd } = rig((bytes, end) => {
    taken += bytes.length;
    if (taken < 3 * mebibyte) writeSync(end, bytes);
  });
  writeSync(writeEnd, Buffer.alloc(4096));
  reader.drain();
  expect(taken).toBe(mebibyte);
});

test('what is in a FIFO stays there when its reader was closed', () => {
  let taken = 0;
  const { path, reader, writeEnd } = rig((bytes) => (taken += bytes.length));
  writeSync(writeEnd, 'later');
  if (process.platform === 'linux') expect(descriptorsOf(path)).toBe(2);
  reader.close();
  reader.drain();
  reader.close();
  expect(taken).toBe(0);
  if (process.platform === 'linux') expect(descriptorsOf(path)).toBe(1);
});

test('a reader whose sink is full goes on when it is told that there is room', async () => {
  let taken = '';
  const { reader, writeEnd } = rig((bytes) => {
    taken += Buffer.from(bytes).toString();
    return 'full';
  });
  for (const word of ['one', 'two', 'three']) {
    writeSync(writeEnd, word);
    await until(`${word} is taken`, () => taken.endsWith(word));
    reader.resume();
  }
});

test('a reader is that of its FIFO until another one is in its place, or none', () => {
  const { path, reader } = rig(() => undefined);
  expect(reader.isCurrent()).toBe(true);
  rmSync(path);
  expect(reader.isCurrent()).toBe(false);
  ensureFifo(path, null);
  expect(reader.isCurrent()).toBe(false);
});

test.runIf(await loadNative() !== null)('a reader whose sink was full goes on with what is moved without reading', async () => {
  let done = '';
  let reads = true;
  const note = (bytes: Uint8Array): number => {
    done += Buffer.from(bytes).toString();
    return bytes.length;
  };
  const { reader, writeEnd } = rig((bytes) => {
    note(bytes);
    return 'full';
  }, { move: (_port, pipe) => (reads ? null : note(readAvailable(pipe))) });
  for (const word of ['one', 'two', 'three']) {
    writeSync(writeEnd, word);
    await until(`${word} has gone on`, () => done.endsWith(word));
    if (reads) reader.resume();
    reads = false;
  }
});
