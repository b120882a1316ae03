import { describe, expect, test } from 'vitest';
import type { Source } from '../../../src/cli/logs/sources.ts';
import displayWidth from '../../../src/width.ts';
import type { FeedLine } from '../../../src/cli/screen/log-feed.ts';
import { openLogView, paneLines } from '../../../src/cli/screen/log-view.ts';
import { preciseTime } from '../../../src/words.ts';

const at = Date.parse('2026-01-01T00:00:00Z');
const source = (unit: string, stream: 'stdout' | 'stderr'): Source => ({ unit, stream, title: unit, file: '' });
const [out, err, db] = [source('web', 'stdout'), source('web', 'stderr'), source('db', 'stdout')];
const line = (number: number, text: string, from = out): FeedLine => ({ number, text, source: from, bytes: Buffer.from(text), ended: true, at: at + number });

interface Opened {
  readonly lines: FeedLine[];
  press(...keys: readonly string[]): boolean;
  frame(columns?: number, rows?: number): string[];
  /** Without title and keys. */
  body(columns?: number, rows?: number): string[];
}

/** Twelve rows of forty columns unless other sizes are asked for. */
function opened(lines: FeedLine[], sources: readonly Source[] = [out, err]): Opened {
  const view = openLogView({ title: () => 'web', color: false });
  const frame = (columns = 40, rows = 12): string[] => view.frame({ sources, lines, problem: '' }, columns, rows);
  frame();
  return {
    lines, frame, body: (columns, rows) => frame(columns, rows).slice(1, -1).filter((row) => row !== ''),
    press(...keys) {
      let stays = true;
      for (const key of keys) {
        stays = view.press(key);
        frame();
      }
      return stays;
    },
  };
}

const many = (): FeedLine[] => Array.from({ length: 50 }, (_, index) => line(index, `line ${index}`, index % 10 === 0 ? err : out));

describe('the log view', () => {
  test('shows the newest lines, each behind its stream, and those that come, until a key scrolls away', () => {
    const view = opened(many());
    expect(view.body().slice(0, 2)).toEqual(['stderr | line 40', 'stdout | line 41']);
    view.lines.push(line(50, 'line 50'));
    expect(view.body().at(-1)).toBe('stdout | line 50');
    view.press('up', 'up');
    view.lines.push(line(51, 'line 51'));
    expect(view.body().at(-1)).toBe('stdout | line 48');
    expect(view.frame()[0]).toContain('paused');
    // The oldest are let go: what is read stays where it is.
    view.lines.splice(0, 20);
    expect(view.body().at(-1)).toBe('stdout | line 48');
    view.press('G');
    expect(view.body().at(-1)).toBe('stdout | line 51');
    expect(view.frame()[0]).toContain('following');
  });

  test('has the times of lines, one stream alone, and names where there are several units', () => {
    const view = opened([line(0, 'out'), line(1, 'err', err)]);
    view.press('t');
    expect(view.body(60)).toEqual([`${preciseTime(new Date(at).toISOString())} stdout | out`, `${preciseTime(new Date(at + 1).toISOString())} stderr | err`]);
    view.press('t', 's');
    expect(view.body()).toEqual(['out']);
    view.press('s');
    expect(view.body()).toEqual(['err']);
    expect(view.frame()[0]).toContain('web (stderr)');
    expect(opened([line(0, 'out'), line(1, 'query', db)], [out, err, db]).body()).toEqual(['web stdout | out', 'db  stdout | query']);
  });

  const long = `${'x'.repeat(30)}needle${'y'.repeat(30)}`;

  test('cuts long lines, scrolls sideways, or wraps', () => {
    const view = opened([line(0, 'short'), line(1, long)]);
    expect(view.body()).toEqual(['stdout | short', `stdout | ${long.slice(0, 31)}`]);
    view.press('right');
    expect(view.body()).toEqual(['stdout |', `stdout | ${long.slice(15, 46)}`].map((row) => expect.stringMatching(new RegExp(`^${row.replaceAll('|', '\\|')} ?$`)) as unknown));
    view.press('left', 'w');
    expect(view.body()).toEqual(['stdout | short', `stdout | ${long.slice(0, 31)}`, `         ${long.slice(31, 62)}`, `         ${long.slice(62)}`]);
    for (const row of view.frame()) expect(displayWidth(row)).toBeLessThanOrEqual(40);
  });

  test('finds text whatever its case, goes on with n and N, once around, and stays there', () => {
    const view = opened([line(0, 'Needle 0'), ...many().slice(1, 30), line(30, long), ...many().slice(31)]);
    view.press('/', 'n', 'E', 'e', 'd', 'l', 'e', 'enter');
    expect(view.body().some((row) => row.includes('Needle 0'))).toBe(true);
    view.press('n');
    expect(view.body().join('\n')).toContain('needle');
    view.press('N');
    expect(view.body().join('\n')).toContain('Needle 0');
    expect(view.frame()[0]).toContain('/nEedle');
    const before = view.body();
    view.lines.push(line(99, 'more'));
    expect(view.body()).toEqual(before);
    view.press('/', 'z', 'z', 'enter');
    expect(view.frame()[0]).toContain("'zz' is not in them");
  });

  test('a hit in the last lines stays, though the newest lines were followed', () => {
    const view = opened(many());
    view.press('/', '4', '9', 'enter');
    const before = view.body();
    for (let number = 50; number < 70; number += 1) view.lines.push(line(number, `line ${number}`));
    expect(view.body()).toEqual(before);
  });

  test('q leaves, Escape takes the search back first, and both are letters of what is typed', () => {
    const view = opened(many());
    expect(view.press('/', 'q', 'enter', 'escape')).toBe(true);
    expect(view.press('escape')).toBe(false);
    expect(opened([]).press('q')).toBe(false);
    expect(opened([]).body()).toEqual(['(nothing yet)']);
  });

  test.each([[80, 24], [120, 40], [200, 50], [20, 5]])('is %i by %i', (columns, rows) => {
    const view = opened([...many(), line(50, 'x'.repeat(500))]);
    for (const keys of [[], ['w'], ['t'], ['w', 'right']]) {
      view.press(...keys);
      const frame = view.frame(columns, rows);
      expect(frame).toHaveLength(rows);
      if (columns >= 80) for (const row of frame) expect(displayWidth(row)).toBeLessThanOrEqual(columns);
    }
  });
});

test('the pane has the newest lines below a line that says whose they are', () => {
  const look = { columns: 30, rows: 4, color: false };
  expect(paneLines('web', { sources: [out, err], lines: [...many(), line(50, 'x'.repeat(40))], problem: '' }, look))
    .toEqual(['── logs of web ───────────────', 'stdout | line 48', 'stdout | line 49', `stdout | ${'x'.repeat(20)}…`]);
  expect(paneLines('web', { sources: [], lines: [], problem: '' }, look)).toEqual(['── logs of web ───────────────', '(nothing yet)', '', '']);
});
