import type { Call } from '../call.ts';
import { askInspect, makeReport } from '../inspection.ts';
import { inspectReport } from '../print/inspect.ts';
import { palette } from '../print/palette.ts';
import { fit, printable } from '../../width.ts';
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
