import type { LogStream } from '../../logs/names.ts';
import { headings } from '../logs/lines.ts';
import { palette } from '../print/palette.ts';
import displayWidth, { fit, plainText, sliced } from '../../width.ts';
import { edited, type Key } from './keys.ts';
import type { FeedLine, LogFeed } from './log-feed.ts';
import { steps } from './pager.ts';

type Shown = Omit<LogFeed, 'close'>;

/** A line of the screen, and which line of the log it is a part of. */
interface Row { readonly number: number; readonly part: number; readonly head: string; readonly text: string }

/** What of the logs is looked at, and how. */
export function openLogView({ title, color }: { title(): string; readonly color: boolean }) {
  const paints = palette(color);
  let isWrapped = false;
  let hasTimes = false;
  let stream: LogStream | null = null;
  /** Columns that have gone out at the left. */
  let left = 0;
  /** The first row; null: the newest lines are shown, and those that come. */
  let top: { readonly number: number; readonly part: number } | null = null;
  let search = '';
  let typed: string | null = null;
  /** The line that the search has found last. */
  let found: number | null = null;
  let missed = false;

  let lines: readonly FeedLine[] = [];
  let rows: readonly Row[] = [];
  let first = 0;
  let height = 20;
  let width = 80;

  /** It stays there, whatever comes. */
  const stayAt = (index: number): void => {
    const row = rows[Math.max(0, index)];
    top = row === undefined ? null : { number: row.number, part: row.part };
  };
  const moveTo = (index: number): void => {
    if (index >= rows.length - height) top = null;
    else stayAt(index);
  };

  const find = (direction: 1 | -1): void => {
    const from = found ?? (direction === 1 ? (rows[first]?.number ?? 0) - 1 : (rows[first + height]?.number ?? Infinity));
    const hits = search === '' ? [] : lines.filter(({ text }) => columnOf(text, search) >= 0);
    // Once around.
    const next = (direction === 1 ? hits.find(({ number }) => number > from) : hits.findLast(({ number }) => number < from)) ?? hits.at(direction === 1 ? 0 : -1);
    missed = next === undefined;
    if (next === undefined) return;
    found = next.number;
    const column = columnOf(next.text, search);
    if (!isWrapped && (column < left || column + search.length > left + width)) left = Math.max(0, column - Math.floor(width / 4));
    const index = rows.findIndex(({ number }) => number === next.number);
    stayAt(index < first || index >= first + height ? Math.min(index - Math.floor(height / 3), rows.length - height) : first);
  };

  const pressInLine = (key: Key, sofar: string): void => {
    if (key === 'escape') typed = null;
    else if (key === 'enter') {
      [search, typed, found] = [sofar, null, null];
      find(1);
    } else typed = edited(sofar, key);
  };

  return {
    /** False: the key leaves. */
    press(key: Key): boolean {
      if (typed !== null) {
        pressInLine(key, typed);
        return true;
      }
      missed = false;
      const move = steps(key, height);
      if (move !== 0) {
        moveTo(first + move);
        return true;
      }
      switch (key) {
        case 'q': return false;
        // One thing at a time is taken back.
        case 'escape':
          if (search === '') return false;
          [search, found] = ['', null];
          return true;
        case 'g': case 'home': moveTo(0); break;
        case 'G': case 'end': top = null; break;
        case 'right': left += isWrapped ? 0 : sideways(width); break;
        case 'left': left = Math.max(0, left - sideways(width)); break;
        case '0': left = 0; break;
        case 'w': [isWrapped, left] = [!isWrapped, 0]; break;
        case 't': hasTimes = !hasTimes; break;
        case 's': stream = stream === null ? 'stdout' : stream === 'stdout' ? 'stderr' : null; break;
        case '/': typed = ''; break;
        case 'n': find(1); break;
        case 'N': find(-1); break;
      }
      return true;
    },
    /** Keys are letters of what is looked for. */
    get isTyping(): boolean {
      return typed !== null;
    },
    frame(shown: Shown, columns: number, screenRows: number): string[] {
      height = Math.max(1, screenRows - 2);
      const sources = shown.sources.filter((source) => stream === null || source.stream === stream);
      lines = stream === null ? shown.lines : shown.lines.filter(({ source }) => source.stream === stream);
      const headOf = headings(sources, { timestamps: hasTimes, color });
      // Labels are all of one width, and so are times.
      const headWidth = lines[0] === undefined ? 0 : displayWidth(headOf(lines[0]));
      width = Math.max(10, columns - headWidth);
      rows = lines.flatMap((line) => rowsOf(line, headOf, isWrapped ? width : null));
      const { number, part } = top ?? { number: Infinity, part: 0 };
      const at = rows.findIndex((row) => row.number > number || (row.number === number && row.part >= part));
      const end = Math.max(0, rows.length - height);
      first = at < 0 ? end : Math.min(at, end);
      // Further out there is nothing to be seen.
      left = Math.min(left, Math.max(0, Math.max(0, ...lines.map(({ text }) => displayWidth(text))) - Math.floor(width / 2)));
      const visible = rows.slice(first, first + height).map(({ head, text, number: of }) => {
        const seen = isWrapped ? text : sliced(text, left, width);
        return head + marked(seen, search, (hit) => (of === found ? paints.title(paints.inverse(hit)) : paints.inverse(hit)));
      });
      const body = visible.length > 0 ? visible : [shown.problem !== '' ? shown.problem : stream === null ? '(nothing yet)' : `(nothing on ${stream} yet)`];
      const place = rows.length > height ? `${first + 1}-${first + visible.length} of ${rows.length}` : '';
      const about = [
        `logs of ${title()}${stream === null ? '' : ` (${stream})`}`, ...(search === '' ? [] : [missed ? `'${search}' is not in them` : `/${search}`]),
        place, top === null ? 'following' : 'paused (G follows)', ...(left > 0 ? [`column ${left + 1}`] : []),
      ].filter((text) => text !== '').join('  ');
      return [
        paints.heading(fit(about, columns)), ...body, ...Array.from({ length: height - body.length }, () => ''),
        typed === null ? paints.faint(fit(KEYS, columns)) : paints.title(fit(`/${typed}▏`, columns)),
      ];
    },
  };
}

const KEYS = '↑↓←→ move  g G ends  / n N search  w wrap  t times  s streams  a all  q back';

/** The newest of these lines, cut at the right, below a line that says whose they are. */
export function paneLines(title: string, { sources, lines, problem }: Shown, { columns, rows, color }: { readonly columns: number; readonly rows: number; readonly color: boolean }): string[] {
  if (rows < 2) return [];
  const paints = palette(color);
  const headOf = headings(sources, { timestamps: false, color });
  const head = `── logs of ${title} `;
  const newest = lines.slice(1 - rows).map((line) => fit(headOf(line) + line.text, columns));
  const body = newest.length > 0 ? newest : [problem === '' ? '(nothing yet)' : problem];
  return [paints.faint(fit(head + '─'.repeat(Math.max(0, columns - displayWidth(head))), columns)), ...body, ...Array.from({ length: rows - 1 - body.length }, () => '')];
}

function rowsOf(line: FeedLine, headOf: (line: FeedLine) => string, width: number | null): Row[] {
  const head = headOf(line);
  const { number, text } = line;
  if (width === null || displayWidth(text) <= width) return [{ number, part: 0, head, text }];
  const blanks = ' '.repeat(displayWidth(plainText(head)));
  const parts: Row[] = [];
  for (let from = 0; from < displayWidth(text); from += width) parts.push({ number, part: parts.length, head: from === 0 ? head : blanks, text: sliced(text, from, width) });
  return parts;
}

function sideways(width: number): number {
  return Math.max(4, Math.floor(width / 2));
}

/** Where the text holds what is looked for, in columns; -1: nowhere. */
function columnOf(text: string, search: string): number {
  const index = text.toLowerCase().indexOf(search.toLowerCase());
  return index < 0 ? -1 : displayWidth(text.slice(0, index));
}

function marked(text: string, search: string, paint: (hit: string) => string): string {
  if (search === '') return text;
  const [folded, wanted] = [text.toLowerCase(), search.toLowerCase()];
  // Where folding changes the length, places in one are none in the other.
  if (folded.length !== text.length) return text;
  let out = '';
  let from = 0;
  for (let at = folded.indexOf(wanted); at >= 0; at = folded.indexOf(wanted, from)) {
    out += text.slice(from, at) + paint(text.slice(at, at + wanted.length));
    from = at + wanted.length;
  }
  return out + text.slice(from);
}
