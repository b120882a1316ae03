import type { Result } from '../../errors.ts';
import { openPager } from './pager.ts';
import { openSession } from './session.ts';

/** What one look shows. `focus`: the line that matters, which is kept in sight. */
export type Shown = Result<{ readonly lines: readonly string[]; readonly complaints: readonly string[]; readonly exitCode: number; readonly focus?: number | null }>;

/** Redraws in place every so often until q or Escape; the exit code is that of the last look. */
export function repeatOnScreen(everyMs: number, look: () => Promise<Shown>): Promise<number> {
  return new Promise((finish, fail) => {
    let exitCode = 0;
    let over = false;
    let timer: NodeJS.Timeout | null = null;
    const pager = openPager({ footer: (place) => `q quit  every ${everyMs / 1000}s${place === '' ? '' : `  ${place}, ↑↓ scroll${hasFocus ? '  . active state' : ''}`}` });
    let hasFocus = false;
    const session = openSession((key) => {
      if (key === 'left' || pager.press(key)) draw();
      else end();
    });
    const draw = (): void => {
      const { columns, rows } = session.size();
      session.draw(pager.frame(columns, rows));
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
      exitCode = shown.ok ? shown.exitCode : 1;
      const focus = shown.ok ? (shown.focus ?? null) : null;
      hasFocus = focus !== null;
      if (shown.ok && focus !== null) pager.focus(shown.complaints.length + focus);
      pager.show(shown.ok ? [...shown.complaints, ...shown.lines]
        : [`Warn: ${shown.refusal.message}`, '', 'Waiting for supervisor to restart...', 'Press Ctrl+C to exit stream mode.']);
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
