import { textOf } from '../../errors.ts';
import { makeLogLookup } from '../../logs/names.ts';
import { follow } from '../../logs/tail.ts';
import type { Call } from '../call.ts';
import { askInspect, makeReport } from '../inspection.ts';
import { inspectReport } from '../print/inspect.ts';
import { palette } from '../print/palette.ts';
import { fit, legible } from '../print/width.ts';
import { openPager, type Pager } from './pager.ts';

/** What lies over the table: one unit, until a key leaves it. */
export interface Detail {
  readonly pager: Pager;
  refresh(): Promise<void>;
  close(): void;
}

/** `draw` shows what has changed. */
interface DetailInput {
  readonly unit: string;
  readonly color: boolean;
  draw(): void;
}

/** What the charts of the inspection look back on. */
const WINDOW_MS = 60_000;

export function openInspection(call: Call, { unit, color, draw }: DetailInput, columnsNow: () => number): Detail {
  const pager = openPager({ footer: footerOf(unit, color) });
  const look = async (): Promise<readonly string[]> => {
    const answer = await askInspect(call, unit, WINDOW_MS);
    if (!answer.ok) return [answer.refusal.message];
    const { unit: seen, samples } = answer.payload;
    if (seen === null) return [`Service '${unit}' not found.`];
    const report = await makeReport(call, seen, { samples, windowMs: WINDOW_MS, ofLastRun: true });
    const first = answer.advice === null ? [] : [answer.advice, ''];
    return [...first, ...inspectReport(report, { width: columnsNow(), color, glyphs: true })];
  };
  return {
    pager,
    async refresh() {
      pager.show(await look());
      draw();
    },
    close: () => {},
  };
}

/** Both streams of a unit, from now on and a little before, without anything in them that could steer the terminal. */
export function openLogs(call: Call, { unit, color, draw }: DetailInput, units: readonly string[]): Detail {
  const pager = openPager({ footer: footerOf(`logs of ${unit}`, color), follows: true });
  const stop = new AbortController();
  const fileOf = makeLogLookup(call.paths.logDir, units);
  let lines: string[] = [];
  const add = (more: readonly string[]): void => {
    lines = [...lines, ...more].slice(-KEPT_LINES);
    pager.show(lines.length === 0 ? ['(nothing yet)'] : lines);
    draw();
  };
  for (const stream of ['stdout', 'stderr'] as const) {
    let rest = '';
    const decoder = new TextDecoder('utf-8');
    follow(fileOf(unit, stream), { lines: FIRST_LINES }, (chunk) => {
      const parts = (rest + decoder.decode(chunk, { stream: true })).split('\n');
      rest = (parts.pop() ?? '').slice(-LONGEST_LINE);
      add(parts.map(legible));
      return Promise.resolve();
    }, stop.signal).catch((error: unknown) => {
      if (!stop.signal.aborted) add([`[${stream}: ${textOf(error)}]`]);
    });
  }
  add([]);
  return { pager, refresh: () => Promise.resolve(), close: () => stop.abort() };
}

const FIRST_LINES = 200;
const KEPT_LINES = 2000;
const LONGEST_LINE = 64 * 1024;

function footerOf(title: string, color: boolean): (place: string, columns: number) => string {
  return (place, columns) => palette(color).faint(fit(`${title}${place === '' ? '' : `  ${place}`}  ↑↓ scroll  q back`, columns));
}
