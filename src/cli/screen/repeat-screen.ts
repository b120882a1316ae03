import type { Shown } from '../repeat.ts';
import { scrolled } from './scroll.ts';
import { openSession } from './session.ts';

/** Redraws in place every so often until q or Escape; the exit code is that of the last look. */
export function repeatOnScreen(everyMs: number, look: () => Promise<Shown>): Promise<number> {
  return new Promise((finish, fail) => {
    let exitCode = 0;
    let lines: readonly string[] = ['Looking…'];
    let top = 0;
    let over = false;
    let timer: NodeJS.Timeout | null = null;
    const session = openSession((key) => {
      if (key === 'q' || key === 'escape') return end();
      top = scrolled(top, key, lines.length, session.size().rows - 1);
      draw();
    });
    const draw = (): void => {
      const { rows } = session.size();
      top = Math.min(top, Math.max(0, lines.length - (rows - 1)));
      const visible = lines.slice(top, top + rows - 1);
      const more = lines.length > rows - 1 ? `  ${top + 1}-${top + visible.length} of ${lines.length}, ↑↓ scroll` : '';
      session.draw([...visible, ...Array.from({ length: rows - 1 - visible.length }, () => ''), `q quit  every ${everyMs / 1000}s${more}`]);
    };
    const end = (): void => {
      over = true;
      if (timer !== null) clearTimeout(timer);
      session.close();
      finish(exitCode);
    };
    const refresh = async (): Promise<void> => {
      const startedMs = performance.now();
      const shown = await look();
      if (over) return;
      if (shown.ok) {
        exitCode = shown.exitCode;
        lines = [...shown.complaints, ...shown.lines];
      } else {
        exitCode = 1;
        lines = [`Warn: ${shown.refusal.message}`, '', 'Waiting for supervisor to restart...', 'Press Ctrl+C to exit stream mode.'];
      }
      draw();
      timer = setTimeout(again, Math.max(0, everyMs - (performance.now() - startedMs)));
    };
    const again = (): void => {
      refresh().catch((error: unknown) => {
        session.close();
        fail(error instanceof Error ? error : new Error(String(error)));
      });
    };
    session.onRedraw(draw);
    draw();
    again();
  });
}
