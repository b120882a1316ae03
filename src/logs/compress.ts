import { closeSync, existsSync, fchownSync, fsync, futimesSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { textOf } from '../errors.ts';
import { syncDirectory } from '../files.ts';
import { pipeTool } from '../process/tools.ts';
import { listArchives, type Archive } from './archives.ts';
import { originMember } from './gzip.ts';

export interface Compressor {
  /** Compresses the raw archives of a log file, in a while. Asking again while it is at it is fine. */
  compress(file: string): void;
  /** When nothing is left to compress. */
  settled(): Promise<void>;
}

/** One gzip(1) at a time for all logs, beside the event loop. What cannot be compressed stays raw, and the first failure is reported. */
export function makeCompressor(onProblem: (text: string) => void): Compressor {
  const wanted = new Set<string>();
  let running: Promise<void> | null = null;
  let complained = false;

  const work = async (): Promise<void> => {
    for (const file of wanted) {
      wanted.delete(file);
      try {
        for (let raw = oldestRaw(file); raw !== undefined; raw = oldestRaw(file)) await compressOne(file, raw);
      } catch (error) {
        if (!complained) onProblem(`${file}: archives stay uncompressed: ${textOf(error)}`);
        complained = true;
      }
    }
    running = null;
  };

  return {
    compress(file) {
      wanted.add(file);
      running ??= work();
    },
    async settled() {
      while (running !== null) await running;
    },
  };
}

function oldestRaw(file: string): Archive | undefined {
  const archives = listArchives(file);
  // In both forms: a crash came between the two last steps of compressing it.
  for (const { path, compressed } of archives) if (compressed) rmSync(path.slice(0, -'.gz'.length), { force: true });
  return archives.filter((archive) => !archive.compressed).at(-1);
}

async function compressOne(file: string, raw: Archive): Promise<void> {
  const temporary = `${file}.gz.tmp`;
  rmSync(temporary, { force: true });
  const input = openSync(raw.path, 'r');
  try {
    const output = openSync(temporary, 'wx', raw.stat.mode & 0o777);
    try {
      writeSync(output, originMember(raw.stat.ino));
      const done = await pipeTool('gzip', ['-c'], input, output);
      if (!done.ok) throw new Error(done.missing ? 'gzip was not found on PATH' : done.reason);
      if (process.geteuid?.() === 0) fchownSync(output, raw.stat.uid, raw.stat.gid);
      // When it was last written to belongs to what it holds.
      futimesSync(output, raw.stat.atimeMs / 1000, raw.stat.mtimeMs / 1000);
      // The raw one is removed after this: a power cut must not leave neither.
      await promisify(fsync)(output);
    } finally {
      closeSync(output);
    }
    // A rotation may have moved it up meanwhile, or out.
    const moved = listArchives(file).find((archive) => !archive.compressed && archive.stat.ino === raw.stat.ino);
    if (moved === undefined) return;
    renameSync(temporary, `${moved.path}.gz`);
    syncDirectory(dirname(file));
    rmSync(moved.path, { force: true });
  } finally {
    closeSync(input);
    if (existsSync(temporary)) rmSync(temporary, { force: true });
  }
}
