import { setTimeout as pause } from 'node:timers/promises';
import type { Refusal } from '../errors.ts';
import type { Call } from './call.ts';
import { options } from './options.ts';

export type Shown =
  | { readonly ok: true; readonly lines: readonly string[]; readonly complaints: readonly string[]; readonly exitCode: number }
  | { readonly ok: false; readonly refusal: Refusal };

/**
 * Shows the same again and again until somebody ends it: one below the other into a pipe, over itself on a terminal. A supervisor that is gone is
 * waited for.
 */
export async function repeat(call: Call, everyMs: number, look: () => Promise<Shown>): Promise<number> {
  if (call.terminal.isInteractive === true && !call.flags.has(options.json)) {
    const { repeatOnScreen } = await import('./screen/repeat-screen.ts');
    return repeatOnScreen(everyMs, look);
  }
  let told = '';
  for (;;) {
    const startedMs = performance.now();
    const shown = await look();
    if (shown.ok) {
      told = '';
      for (const line of shown.lines) call.terminal.print(line);
      if (shown.lines.length > 0 && !call.flags.has(options.json)) call.terminal.print('');
      for (const line of shown.complaints) call.terminal.complain(line);
    } else if (shown.refusal.message !== told) {
      told = shown.refusal.message;
      call.terminal.refuse(shown.refusal);
      call.terminal.complain('Waiting for supervisor to restart... Press Ctrl+C to exit stream mode.');
    }
    await pause(Math.max(0, everyMs - (performance.now() - startedMs)));
  }
}
