import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { onTestFinished } from 'vitest';
import type { LogSpec } from '../../machines/types.ts';
import { attempt } from '../../src/errors.ts';
import { listArchives } from '../../src/logs/archives.ts';
import { openLogStore, type LogStore, type LogStoreOptions } from '../../src/logs/store.ts';
import { tempDir } from '../temp-dir.ts';

export const piped: LogSpec = { via: 'pipe', rotate: { sizeBytes: 10 * 1024 * 1024, keep: 5, compress: true }, logger: null };

export interface Rig {
  readonly directory: string;
  readonly fifoDir: string;
  readonly logDir: string;
  readonly problems: string[];
  readonly store: LogStore;
  /** Another store over the same directories, as after a restart of the supervisor. */
  reopen(): LogStore;
  file(unit: string, stream?: 'stdout' | 'stderr'): string;
  text(unit: string, stream?: 'stdout' | 'stderr'): string;
  run(unit: string, script: string, store?: LogStore, cwd?: string): ChildProcess;
}

export function rig(options: Partial<LogStoreOptions> = {}, directory = tempDir()): Rig {
  const fifoDir = join(directory, 'fifo');
  const logDir = join(directory, 'logs');
  mkdirSync(fifoDir, { recursive: true });
  const problems: string[] = [];
  const open = (): LogStore => {
    const store = openLogStore({ fifoDir, logDir, onProblem: (text) => problems.push(text), ...options });
    onTestFinished(() => store.close());
    return store;
  };
  const store = open();
  const file = (unit: string, stream = 'stdout'): string => join(logDir, `${unit}_${stream}.log`);
  return {
    directory, fifoDir, logDir, problems, store, reopen: open, file,
    text: (unit, stream) => (existsSync(file(unit, stream)) ? readFileSync(file(unit, stream), 'utf8') : ''),
    run(unit, script, from = store, cwd) {
      const ends = from.openChildEnds(unit);
      const child = spawn('sh', ['-c', script], { cwd, detached: true, stdio: ['ignore', ends.stdout, ends.stderr] });
      closeSync(ends.stdout);
      closeSync(ends.stderr);
      onTestFinished(() => endGroup(child));
      return child;
    },
  };
}

/** What a log holds in all, archives first, oldest first. */
export function everything(file: string): string {
  const archives = listArchives(file).toReversed().map(({ path, compressed }) => {
    const bytes = readFileSync(path);
    return compressed ? gunzipSync(bytes).toString('latin1') : bytes.toString('latin1');
  });
  return archives.join('') + (existsSync(file) ? readFileSync(file, 'latin1') : '');
}

function endGroup(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  } catch {
    // ESRCH: all of it has ended.
  }
}

export function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve();
    else child.once('exit', () => resolve());
  });
}

/** How many descriptors of this process lead to the file. Of Linux. */
export function descriptorsOf(path: string): number {
  return readdirSync('/proc/self/fd').filter((fd) => attempt(() => readlinkSync(`/proc/self/fd/${fd}`), null) === path).length;
}

export function numbered(from: number, to: number): string {
  return Array.from({ length: to - from + 1 }, (_, index) => `line ${from + index}\n`).join('');
}
