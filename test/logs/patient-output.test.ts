import { buildSync } from 'esbuild';
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { makePatientOutput } from '../../src/logs/patient-output.ts';
import { kill } from '../kill.ts';
import { tempDir } from '../temp-dir.ts';
import { until } from '../until.ts';

/** A pipe that takes 64 KiB, and what is read from it. */
function pipe(): { readonly writeEnd: number; readonly path: string; read(): string } {
  const path = join(tempDir(), 'pipe');
  spawnSync('mkfifo', [path]);
  const readEnd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  onTestFinished(() => closeSync(readEnd));
  const buffer = Buffer.alloc(1024 * 1024);
  return {
    path, writeEnd: openSync(path, constants.O_WRONLY | constants.O_NONBLOCK),
    read() {
      let text = '';
      for (;;) {
        try {
          const length = readSync(readEnd, buffer);
          if (length === 0) return text;
          text += buffer.toString('latin1', 0, length);
        } catch {
          // EAGAIN: that was all.
          return text;
        }
      }
    },
  };
}

const line = (number: number): string => `${String(number).padStart(9, '0')}\n`;
const lines = (count: number, from = 0): string => Array.from({ length: count }, (_, index) => line(from + index)).join('');

test('what nobody takes waits, is left out beyond the queue, and how much is reported when there is room', async () => {
  const { writeEnd, read } = pipe();
  const output = makePatientOutput(writeEnd, 10_000);
  // 65,536 bytes in the pipe and 10,000 in the queue: this returns, which is the point.
  for (let number = 0; number < 20_000; number += 1) output.write(line(number));
  let text = '';
  await until('it was said', () => (text += read()).includes('not shown here'));
  const [notice = '', missing] = /sysg: ([0-9]+) lines were not shown here: .*\n$/.exec(text) ?? [];
  const whole = text.slice(0, text.length - notice.length);
  expect(whole).toBe(lines(20_000 - Number(missing)));
  expect(whole.length).toBeGreaterThanOrEqual(65_536 + 9_000);
  output.write('and on\n');
  expect(read()).toBe('and on\n');
  output.end();
});

test('all of it comes in order when it is only slow', async () => {
  const { writeEnd, read } = pipe();
  const output = makePatientOutput(writeEnd);
  output.write(lines(15_000));
  let text = '';
  await until('the rest came', () => (text += read()).length === 150_000);
  expect(text).toBe(lines(15_000));
  output.end();
});

test('nobody there is no failure', () => {
  const { path } = pipe();
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const output = makePatientOutput(openSync(path, constants.O_WRONLY | constants.O_NONBLOCK));
  closeSync(reader);
  output.write('x\n');
  output.end();
  const alone = join(tempDir(), 'alone');
  spawnSync('mkfifo', [alone]);
  const only = openSync(alone, constants.O_RDONLY | constants.O_NONBLOCK);
  const broken = makePatientOutput(openSync(alone, constants.O_WRONLY | constants.O_NONBLOCK));
  closeSync(only);
  expect(() => {
    broken.write('x\n');
    broken.write('y\n');
    broken.end();
  }).not.toThrow();
});

test('the end gives up what is held, at once', () => {
  const { writeEnd } = pipe();
  const output = makePatientOutput(writeEnd);
  output.write(lines(20_000));
  output.end();
  output.write('late\n');
});

test('a supervisor whose standard output is a full pipe goes on: its own timers come', async () => {
  const directory = tempDir();
  const program = join(directory, 'program.mjs');
  buildSync({ entryPoints: [join(import.meta.dirname, 'fixtures/floods-stdout.ts')], bundle: true, platform: 'node', format: 'esm', outfile: program, logLevel: 'error' });
  // Who reads the pipe never does.
  const child = spawn('sh', ['-c', '"$0" "$1" | exec sleep 600', process.execPath, program], { detached: true, stdio: ['ignore', 'ignore', 'pipe'] });
  onTestFinished(() => void kill(child.pid, 'SIGKILL', { group: true }));
  let told = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (told += text));
  await until('its timer came', () => told.includes('alive'));
  expect(told).toBe('alive\n');
});
