import { dirname } from 'node:path';
import { attempt } from '../errors.ts';
import { openWith } from './client-connection.ts';
import { ControlError } from '../wire/control-error.ts';
import type { Request } from '../wire/requests.ts';
import { readSupervisorPid } from './runtime-files.ts';

export interface HealthRule {
  readonly everyMs: number;
  readonly withinMs: number;
  /** Until the first time; default `everyMs`. */
  readonly firstMs?: number;
}

/**
 * While a command is waited for, asks on connections of their own whether the supervisor still answers this: commands
 * may take minutes, queries never do. Calls `onDead` once when it does not. Returns what ends the watching.
 */
export function watchHealth(path: string, rule: HealthRule = EVERY_FIVE_SECONDS, onDead: (error: ControlError) => void, question: Request = { kind: 'status' }): () => void {
  const stopped = new AbortController();
  const look = async (): Promise<void> => {
    const alive = await answers(path, question, rule.withinMs, stopped.signal);
    if (stopped.signal.aborted) return;
    if (alive) next = setTimeout(look, rule.everyMs);
    else {
      const message = `supervisor${pidText(path)} does not respond`;
      onDead(Object.assign(new ControlError('io', message), { message }));
    }
  };
  let next = setTimeout(look, rule.firstMs ?? rule.everyMs);
  return () => {
    clearTimeout(next);
    stopped.abort();
  };
}

/** Whether anything comes back in time. A supervisor that is gone lets the waiting connection see it by itself. */
async function answers(path: string, question: Request, withinMs: number, stopped: AbortSignal): Promise<boolean> {
  const end = AbortSignal.any([stopped, AbortSignal.timeout(withinMs)]);
  try {
    const socket = await openWith(question, path, end);
    const heard = await new Promise<boolean>((resolve) => {
      socket.once('data', () => resolve(true)).once('close', () => resolve(!end.aborted));
    });
    socket.destroy();
    return heard;
  } catch (error) {
    return error instanceof ControlError;
  }
}

/** Of an unreadable pid file: the sentence does without the number. */
function pidText(path: string): string {
  const pid = attempt(() => readSupervisorPid(dirname(path)), null);
  return pid === null ? '' : ` pid ${pid}`;
}

const EVERY_FIVE_SECONDS: HealthRule = { everyMs: 5000, withinMs: 2000 };
