import type { UnitStatus } from '../wire/payloads.ts';
import type { Call } from './call.ts';
import { options } from './options.ts';

export interface ProgressOptions {
  /** Units that are shown before anything happens to them; others are from their first change on. */
  readonly expects: (unit: UnitStatus) => boolean;
  /** There is no supervisor yet, or the one there is may be another one in the end. */
  readonly comesUp?: boolean;
  /** The command is answered before all is done: what it began is shown for so long at most. */
  readonly settlesMs?: number;
}

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
