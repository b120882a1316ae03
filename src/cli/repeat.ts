import { setTimeout as pause } from 'node:timers/promises';
import type { Call } from './call.ts';
import { options } from './options.ts';
import type { Shown } from './screen/repeat-screen.ts';

/**
 * Shows the same again and again until the user ends it: one below the other into a pipe, over itself on a terminal. A supervisor that is gone is
 * waited for.
 */
export async function repeat(call: Call, everyMs: number, look: () => Promise<Shown>): Promise<number> {
  const { terminal } = call;
  const isJson = call.flags.has(options.json);
  if (terminal.isInteractive === true && !isJson) {
    const { repeatOnScreen } = await import('./screen/repeat-screen.ts');
    return repeatOnScreen(everyMs, look);
  }
  let said = '';
  for (;;) {
    const startedMs = performance.now();
    const shown = await look();
    if (shown.ok) {
      said = '';
      for (const line of shown.lines) terminal.print(line);
      if (shown.lines.length > 0 && !isJson) terminal.print('');
      for (const line of shown.complaints) terminal.complain(line);
    } else if (shown.refusal.message !== said) {
      said = shown.refusal.message;
      terminal.refuse(shown.refusal);
      terminal.complain('Waiting for supervisor to restart... Press Ctrl+C to exit stream mode.');
    }
    await pause(Math.max(0, everyMs - (performance.now() - startedMs)));
  }
}
