import type { Call } from '../call.ts';
import { askInspect, makeReport } from '../inspection.ts';
import { inspectReport } from '../print/inspect.ts';
import { palette } from '../print/palette.ts';
import { broken, fit, printable } from '../../width.ts';
import type { Key } from './keys.ts';
import { openFeed, type LogFeed } from './log-feed.ts';
import { openLogView } from './log-view.ts';
import { openPager } from './pager.ts';

/** What lies over the table: one unit, until a key leaves it. */
export interface Detail {
  /** False: the key leaves. */
  press(key: Key): boolean;
  frame(columns: number, rows: number): string[];
  /** Absent: it changes by itself, or not at all. */
  refresh?(): Promise<void>;
  close?(): void;
}

/** `draw` shows what has changed. */
interface DetailInput<Unit = string> { readonly unit: Unit; readonly color: boolean; draw(): void }

/** What the charts of the inspection look back on. */
const WINDOW_MS = 60_000;

export function openInspection(call: Call, { unit, color, draw }: DetailInput, columnsNow: () => number): Detail {
  const { faint } = palette(color);
  const pager = openPager({ footer: (place, columns) => faint(fit(`${unit}${place === '' ? '' : `  ${place}`}  ↑↓ scroll  q back`, columns)) });
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
    ...pager,
    async refresh() {
      pager.show(await look());
      draw();
    },
  };
}

/** Both streams of a unit, or of all units, from now on and a little before. */
export function openLogs(call: Call, { unit, color, draw }: DetailInput<string | null>, allUnits: readonly string[]): Detail {
  let isAll = unit === null;
  const open = (): LogFeed => openFeed(call, { units: isAll || unit === null ? null : [unit], allUnits, first: FIRST_LINES, kept: KEPT_LINES, onChange: draw });
  let feed = open();
  const view = openLogView({ title: () => (isAll || unit === null ? 'all units' : printable(unit)), color });
  return {
    press(key) {
      if (key !== 'a' || unit === null || view.isTyping) return view.press(key);
      isAll = !isAll;
      feed.close();
      feed = open();
      return true;
    },
    frame: (columns, rows) => view.frame(feed, columns, rows),
    close: () => feed.close(),
  };
}

const FIRST_LINES = 500;
const KEPT_LINES = 5000;

/** The keys of the table, over it until one leaves. */
export function openHelp(color: boolean): Detail {
  const { faint } = palette(color);
  const pager = openPager({ footer: (place, columns) => faint(fit(`keys${place === '' ? '' : `  ${place}  ↑↓ scroll`}  q back`, columns)) });
  return {
    press: (key) => key !== '?' && key !== 'h' && pager.press(key),
    frame(columns, rows) {
      pager.show(helpLines(columns));
      return pager.frame(columns, rows);
    },
  };
}

/** In two columns where there is room for them. */
export function helpLines(columns: number): readonly string[] {
  const lines = HELP.flatMap((row) => {
    if (typeof row === 'string') return row;
    const [keys, meaning] = row;
    return columns >= WIDE ? `  ${keys.padEnd(30)}${meaning}` : [`  ${keys}`, `      ${meaning}`];
  });
  return lines.flatMap((line) => (line === '' ? '' : broken(line, columns)));
}

const WIDE = 68;

/** Keys and what they do, and sentences. */
const HELP: readonly (string | readonly [string, string])[] = [
  ['↑ ↓   j k   Tab Shift-Tab', 'move'],
  ['PgUp PgDn   Ctrl-U Ctrl-D', 'a page up, down'],
  ['g G   Home End', 'first, last'],
  ['/   n N', 'search, next, previous'],
  ['f', 'filter; Escape removes the filter'],
  ['o >   <   O', 'next, previous order; reverse'],
  ['t', 'show or hide processes'],
  ['p', 'show or hide the newest log lines of the unit'],
  '',
  ['Enter   →   i', 'inspect'],
  ['l   L', 'logs of the unit, of all units'],
  ['S', 'start'],
  ['r   s', 'restart, stop; after a question'],
  '',
  ['Ctrl-L', 'redraw'],
  ['q   Escape', 'leave; the exit code is the health'],
  ['Ctrl-C', 'leave with exit code 130'],
  '',
  'Health: 0 healthy, 1 degraded, 2 failing. What needs attention comes first',
  'unless another order is chosen: name, state, CPU, RSS, uptime, restarts, PID.',
];
