import { palette } from '../print/palette.ts';
import { fit } from '../print/width.ts';
import type { Key } from './keys.ts';
import { scrolled } from './scroll.ts';

/** A text that is longer than the screen, and may grow. */
export interface Pager {
  /** False: the key leaves. */
  press(key: Key): boolean;
  show(lines: readonly string[]): void;
  frame(columns: number, rows: number): string[];
}

/** `follows`: begins at the end and stays there while nobody scrolls away from it. */
export function openPager(title: string, color: boolean, follows: boolean): Pager {
  let lines: readonly string[] = ['Looking…'];
  let top = 0;
  let sticks = follows;
  let height = 20;
  return {
    press(key) {
      if (key === 'q' || key === 'escape' || key === 'left') return false;
      const end = Math.max(0, lines.length - height);
      top = scrolled(sticks ? end : top, key, lines.length, height);
      sticks = follows && top === end;
      return true;
    },
    show(linesNow) {
      lines = linesNow;
    },
    frame(columns, rows) {
      height = Math.max(1, rows - 1);
      const end = Math.max(0, lines.length - height);
      top = sticks ? end : Math.min(top, end);
      const visible = lines.slice(top, top + height);
      const place = lines.length > height ? `  ${top + 1}-${top + visible.length} of ${lines.length}` : '';
      return [
        ...visible, ...Array.from({ length: height - visible.length }, () => ''),
        palette(color).faint(fit(`${title}${place}  ↑↓ scroll  q back`, columns)),
      ];
    },
  };
}
