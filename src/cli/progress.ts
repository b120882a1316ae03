import type { Call } from './call.ts';
import { options } from './options.ts';
import type { ProgressOptions } from './screen/progress.ts';

/** While a command works, shows on a terminal what becomes of each unit, one line for each; elsewhere nothing. */
export async function withProgress<Outcome>(call: Call, asked: ProgressOptions, work: () => Promise<Outcome>): Promise<Outcome> {
  if (call.terminal.columns === null || call.env['TERM'] === 'dumb' || call.flags.has(options.json)) return work();
  const { openProgress } = await import('./screen/progress.ts');
  const progress = openProgress(call, asked);
  try {
    if (asked.comesUp !== true) await progress.begun;
    const outcome = await work();
    if (asked.settlesMs !== undefined) await progress.settle(asked.settlesMs);
    return outcome;
  } finally {
    await progress.close();
  }
}
