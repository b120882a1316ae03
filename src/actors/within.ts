import { inSeconds } from '../../machines/ends.ts';
import { refuse } from '../errors.ts';
import type { CommandResult } from '../process/run-command.ts';
import type { Clock } from '../clock.ts';

/**
 * Runs something for at most `limitMs`, or until `ended` is aborted: then its own signal is, and it has to come to an end.
 * The clock decides, so that a supervisor that was itself paused hears what happened meanwhile before it gives up.
 */
export async function within(
  limitMs: number, clock: Clock, ended: AbortSignal, work: (signal: AbortSignal) => Promise<CommandResult>,
): Promise<CommandResult> {
  const controller = new AbortController();
  const leave = (): void => controller.abort();
  let tookLonger = false;
  const forget = clock.at(clock.now() + limitMs, () => {
    tookLonger = true;
    leave();
  });
  if (ended.aborted) leave();
  else ended.addEventListener('abort', leave, { once: true });
  try {
    const result = await work(controller.signal);
    return tookLonger && !result.ok ? refuse(`took longer than ${inSeconds(limitMs)}`) : result;
  } finally {
    forget();
    ended.removeEventListener('abort', leave);
  }
}

/** Waits, or until `ended` is aborted. */
export function pause(ms: number, clock: Clock, ended: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (ms <= 0 || ended.aborted) return resolve();
    const leave = (): void => {
      forget();
      ended.removeEventListener('abort', leave);
      resolve();
    };
    const forget = clock.at(clock.now() + ms, leave);
    ended.addEventListener('abort', leave, { once: true });
  });
}
