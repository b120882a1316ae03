import { closeSync, lstatSync, openSync, readdirSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { makeDirectories } from '../files.ts';
import { attempt, errorCode, textOf } from '../errors.ts';

export interface SpilloverSettings {
  /** Absolute. Created when it is missing. */
  readonly directory: string;
  readonly maxBytes: number;
  readonly segmentBytes: number;
}

/** Evicted samples as lines of files, in systemg 0.33.0's form: `metrics-<unix seconds>.jsonl`. */
export type Spillover = ReturnType<typeof openSpillover>;

export function openSpillover(settings: SpilloverSettings, onProblem: (text: string) => void) {
  const { directory, maxBytes } = settings;
  const segmentBytes = Math.min(settings.segmentBytes, maxBytes);
  let lines: string[] = [];
  let segment: { readonly descriptor: number; readonly name: string; size: number } | null = null;
  let problemTold: string | null = null;

  const close = (): void => {
    if (segment !== null) closeSync(segment.descriptor);
    segment = null;
  };
  const write = (): void => {
    for (const line of lines) {
      const bytes = Buffer.from(`${line}\n`);
      if (segment !== null && segment.size > 0 && segment.size + bytes.length > segmentBytes) close();
      segment ??= openSegment(directory);
      for (let written = 0; written < bytes.length;) written += writeSync(segment.descriptor, bytes, written);
      segment.size += bytes.length;
    }
  };

  return {
    /** Takes a line, without its newline. */
    push: (line: string): void => void lines.push(line),
    /** Writes what was taken, then deletes the oldest files while there is too much. Throws nothing. */
    flush(): void {
      if (lines.length === 0) return;
      try {
        write();
        deleteOldest(directory, maxBytes, segment?.name ?? null);
        problemTold = null;
      } catch (error) {
        // A full or missing disk costs history that nobody reads back, nothing else: said once, tried again with the next lines.
        const text = `metrics cannot be spilled to ${directory}: ${textOf(error)}`;
        if (problemTold !== (errorCode(error) ?? text)) onProblem(text);
        problemTold = errorCode(error) ?? text;
        close();
      }
      lines = [];
    },
    close,
  };
}

const OWN_FILE = /^metrics-(\d+)\.jsonl$/;

function openSegment(directory: string): { descriptor: number; name: string; size: number } {
  makeDirectories(directory);
  for (let seconds = Math.floor(Date.now() / 1000); ; seconds += 1) {
    const name = `metrics-${seconds}.jsonl`;
    const descriptor = attempt(() => openSync(join(directory, name), 'wx', 0o600), null, 'EEXIST');
    if (descriptor !== null) return { descriptor, name, size: 0 };
  }
}

/** Files of others in that directory are neither counted nor touched. */
function deleteOldest(directory: string, maxBytes: number, current: string | null): void {
  const files = readdirSync(directory).flatMap((name) => {
    const seconds = OWN_FILE.exec(name)?.[1];
    const stats = seconds === undefined ? undefined : lstatSync(join(directory, name), { throwIfNoEntry: false });
    return stats?.isFile() === true ? [{ name, seconds: Number(seconds), size: stats.size }] : [];
  }).sort((one, other) => one.seconds - other.seconds);
  let total = files.reduce((sum, { size }) => sum + size, 0);
  for (const { name, size } of files) {
    if (total <= maxBytes || name === current) return;
    unlinkSync(join(directory, name));
    total -= size;
  }
}
