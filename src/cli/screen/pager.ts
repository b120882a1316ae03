import type { Key } from './keys.ts';

/** A text that is longer than the screen, and may grow. */
export interface Pager {
  /** False: the key leaves. */
  press(key: Key): boolean;
  show(lines: readonly string[]): void;
  /** Keeps this line in sight until a key scrolls; `.` goes back to it. */
  focus(line: number): void;
  frame(columns: number, rows: number): string[];
}

export interface PagerLook {
  /** The last line of the screen. `place` is `3-22 of 40`; empty: everything is visible. */
  footer(place: string, columns: number): string;
  /** Begins at the end and stays there unless a key scrolls away from it. */
  readonly follows?: boolean;
}

export function openPager({ footer, follows = false }: PagerLook): Pager {
  let lines: readonly string[] = ['Looking…'];
  let top = 0;
  let sticks = follows;
  let height = 20;
  let focus: number | null = null;
  let isFocused = true;
  const end = (): number => Math.max(0, lines.length - height);
  return {
    press(key) {
      if (key === 'q' || key === 'escape' || key === 'left') return false;
      if (key === '.') isFocused = true;
      const before = sticks ? end() : top;
      top = scrolled(sticks ? end() : top, key, lines.length, height);
      if (top !== before) isFocused = false;
      sticks = follows && top === end();
      return true;
    },
    show(linesNow) {
      lines = linesNow;
    },
    focus(line) {
      focus = line;
    },
    frame(columns, rows) {
      height = Math.max(1, rows - 1);
      // What leads on from there is seen below it.
      if (focus !== null && isFocused && (focus < top || focus >= top + Math.ceil(height / 2))) top = Math.max(0, focus - Math.floor(height / 4));
      top = sticks ? end() : Math.min(top, end());
      const visible = lines.slice(top, top + height);
      const place = lines.length > height ? `${top + 1}-${top + visible.length} of ${lines.length}` : '';
      return [...visible, ...Array.from({ length: height - visible.length }, () => ''), footer(place, columns)];
    },
  };
}

/** The first visible line after a key, in a text of `length` lines of which `height` are visible. */
function scrolled(top: number, key: Key, length: number, height: number): number {
  const most = Math.max(0, length - height);
  if (key === 'g' || key === 'home') return 0;
  if (key === 'G' || key === 'end') return most;
  return Math.min(most, Math.max(0, top + steps(key, height)));
}

/** How far a key moves, down being positive; 0 for keys that do not move. */
export function steps(key: Key, height: number): number {
  const half = Math.max(1, Math.floor(height / 2));
  switch (key) {
    case 'down': case 'j': case 'tab': return 1;
    case 'up': case 'k': case 'shift-tab': return -1;
    case 'page-down': return Math.max(1, height - 1);
    case 'page-up': return -Math.max(1, height - 1);
    case 'ctrl-d': return half;
    case 'ctrl-u': return -half;
    default: return 0;
  }
}
