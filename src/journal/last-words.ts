import { statSync } from 'node:fs';
import { attempt } from '../errors.ts';
import { readTail } from '../files.ts';

/** What a process said last on standard error, read back from its log file. */
export interface LastWords {
  /** A new process of the unit begins to write. */
  begin(unit: string): void;
  /** The last lines; three by default. */
  of(unit: string, lines?: number): readonly string[];
  forget(unit: string): void;
}

const LINES = 3;
const LINE_LENGTH = 200;
const TAIL_BYTES = 16_384;

/** `file`: where the unit's standard error goes; null when nothing is known of it. */
export function openLastWords(file: (unit: string) => string | null): LastWords {
  const begun = new Map<string, number>();
  return {
    begin: (unit) => {
      const path = file(unit);
      begun.set(unit, path === null ? 0 : attempt(() => statSync(path).size, 0));
    },
    of: (unit, lines = LINES) => {
      const path = file(unit);
      return path === null ? [] : tail(path, begun.get(unit) ?? 0, lines);
    },
    forget: (unit) => void begun.delete(unit),
  };
}

function tail(path: string, from: number, most: number): readonly string[] {
  try {
    const { size } = statSync(path);
    // A file smaller than it was has been rotated or emptied since.
    const written = size < from ? size : size - from;
    const text = readTail(path, Math.min(written, TAIL_BYTES)).toString('utf8');
    const lines = text.split('\n').map((line) => line.trim()).filter((line) => line !== '');
    return lines.slice(-most).map((line) => (line.length > LINE_LENGTH ? `${line.slice(0, LINE_LENGTH)}…` : line));
  } catch {
    // No such file, or not readable now: words are a courtesy.
    return [];
  }
}
