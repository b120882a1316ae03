import type { Key } from './keys.ts';

/**
 * A text that is longer than the screen, and may grow. `footer`: the last line of the screen; `place` is `3-22 of 40`, or empty where everything is visible.
 */
export function openPager({ footer }: { footer(place: string, columns: number): string }) {
  let lines: readonly string[] = ['Looking…'];
  let top = 0;
  let height = 20;
  let focus: number | null = null;
  let isFocused = true;
  const end = (): number => Math.max(0, lines.length - height);
  return {
    /** False: the key leaves. */
    press(key: Key): boolean {
      if (key === 'q' || key === 'escape' || key === 'left') return false;
      if (key === '.') isFocused = true;
      const before = top;
      if (key === 'g' || key === 'home') top = 0;
      else top = key === 'G' || key === 'end' ? end() : Math.min(end(), Math.max(0, top + steps(key, height)));
      if (top !== before) isFocused = false;
      return true;
    },
    show(linesNow: readonly string[]): void {
      lines = linesNow;
    },
    /** Keeps this line in sight until a key scrolls; `.` goes back to it. */
    focus(line: number): void {
      focus = line;
    },
    frame(columns: number, rows: number): string[] {
      height = Math.max(1, rows - 1);
      // What leads on from there is seen below it.
      if (focus !== null && isFocused && (focus < top || focus >= top + Math.ceil(height / 2))) top = Math.max(0, focus - Math.floor(height / 4));
      top = Math.min(top, end());
      const visible = lines.slice(top, top + height);
      const place = lines.length > height ? `${top + 1}-${top + visible.length} of ${lines.length}` : '';
      return [...visible, ...Array.from({ length: height - visible.length }, () => ''), footer(place, columns)];
    },
  };
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
