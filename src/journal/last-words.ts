import { statSync } from 'node:fs';
import { attempt } from '../errors.ts';
import { readTail } from '../files.ts';

/** What a process said last on standard error, read back from its log file. */
export type LastWords = ReturnType<typeof openLastWords>;

const LINES = 3;
const LINE_LENGTH = 200;
const TAIL_BYTES = 16_384;

/** `file`: where the unit's standard error goes; null when nothing is known of it. */
export function openLastWords(file: (unit: string) => string | null) {
  const begun = new Map<string, { readonly what: string; readonly from: number }>();
  return {
    /** A new process of the unit begins to write. `what` tells it from others: it has begun once, however often that is said. */
    begin: (unit: string, what: string): void => {
      if (begun.get(unit)?.what === what) return;
      const path = file(unit);
      begun.set(unit, { what, from: path === null ? 0 : attempt(() => statSync(path).size, 0) });
    },
    /** The last lines. Without a number those that say most: the last three, or where they are the end of a stack trace, the line above the trace. */
    of: (unit: string, lines?: number): readonly string[] => {
      const path = file(unit);
      return path === null ? [] : tail(path, begun.get(unit)?.from ?? 0, (written) => (lines === undefined ? telling(written) : written.slice(-lines)));
    },
    forget: (unit: string): void => void begun.delete(unit),
  };
}

function tail(path: string, from: number, choose: (lines: readonly string[]) => readonly string[]): readonly string[] {
  // No such file, or not readable now: words are a courtesy.
  return attempt(() => {
    const { size } = statSync(path);
    // A file smaller than it was has been rotated or emptied since.
    const written = size < from ? size : size - from;
    const text = readTail(path, Math.min(written, TAIL_BYTES)).toString('utf8');
    const lines = choose(text.split('\n').filter((line) => !EMPTY.test(line)));
    return lines.map((line) => line.trim()).map((line) => (line.length > LINE_LENGTH ? `${line.slice(0, LINE_LENGTH)}…` : line));
  }, []);
}

function telling(lines: readonly string[]): readonly string[] {
  const head = lines.findLastIndex((line) => !TRACE.test(line));
  return head >= 0 && head < lines.length - LINES ? lines.slice(head, head + 1) : lines.slice(-LINES);
}

/** Blank, or marks alone that point at the line above, as Python's. */
const EMPTY = /^[\s~^]*$/;

/** A line below the message of an error: indented, as frames are nearly everywhere, or one of those that Node.js and Go do not indent. */
const TRACE = /^(?:\s|[\])}]+[,;]?$|Node\.js v\d|Emitted '\w+' event |goroutine \d+ \[|created by |exit status \d|[\w./*]+\S*\(.*\)$)/;
