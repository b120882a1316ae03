import { textOf } from '../../errors.ts';
import { makeLogLookup } from '../../logs/names.ts';
import { follow } from '../../logs/tail.ts';
import type { Call } from '../call.ts';

/** Follows both streams of a unit and tells all lines so far, without anything in them that could steer the terminal. Returns the end of it. */
export function followUnit(call: Call, unit: string, units: readonly string[], onLines: (lines: readonly string[]) => void): () => void {
  const stop = new AbortController();
  const fileOf = makeLogLookup(call.paths.logDir, units);
  let lines: string[] = [];
  for (const stream of ['stdout', 'stderr'] as const) {
    let rest = '';
    const decoder = new TextDecoder('utf-8');
    follow(fileOf(unit, stream), { lines: FIRST_LINES }, (chunk) => {
      const parts = (rest + decoder.decode(chunk, { stream: true })).split('\n');
      rest = (parts.pop() ?? '').slice(-LONGEST_LINE);
      lines = [...lines, ...parts.map((line) => legible(line))].slice(-KEPT_LINES);
      onLines(lines);
      return Promise.resolve();
    }, stop.signal).catch((error: unknown) => {
      if (stop.signal.aborted) return;
      lines = [...lines, `[${stream}: ${textOf(error)}]`];
      onLines(lines);
    });
  }
  onLines(lines);
  return () => stop.abort();
}

const FIRST_LINES = 200;
const KEPT_LINES = 2000;
const LONGEST_LINE = 64 * 1024;

function legible(line: string): string {
  // eslint-disable-next-line no-control-regex
  return line.replace(/\u001b\[[0-9;?]*[A-Za-z]/g, '').replaceAll('\t', '    ').replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '');
}
