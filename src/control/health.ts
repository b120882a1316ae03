import { dirname } from 'node:path';
import { attempt } from '../errors.ts';
import { isHalted, readStatText, statFields } from '../process/proc.ts';
import { ControlError } from '../wire/control-error.ts';
import type { Request } from '../wire/requests.ts';
import { openWith } from './client-connection.ts';
import { readSupervisorPid } from './runtime-files.ts';

export interface HealthRule {
  readonly everyMs: number;
  readonly withinMs: number;
  /** How long one may be silent that has work to do and gets too little of the processors for it; default 30 s. */
  readonly busyMs?: number;
  /** Until the first time; default `everyMs`. */
  readonly firstMs?: number;
}

/**
 * While a command is waited for, asks on connections of their own whether the supervisor still answers this: commands
 * may take minutes, queries never do. Calls `onDead` once when it does not. Returns what ends the watching.
 */
export function watchHealth(path: string, rule: HealthRule = EVERY_FIVE_SECONDS, onDead: (error: ControlError) => void, question: Request = { kind: 'status' }): () => void {
  const stopped = new AbortController();
  let silentSince: number | null = null;
  const look = async (): Promise<void> => {
    const began = performance.now();
    const work = workOf(path);
    const alive = await answers(path, question, rule.withinMs, stopped.signal);
    if (stopped.signal.aborted) return;
    silentSince = alive ? null : (silentSince ?? began);
    if (silentSince === null) next = setTimeout(look, rule.everyMs);
    else if (work !== null && workOf(path) !== work && performance.now() - silentSince < (rule.busyMs ?? BUSY_MS)) return look();
    else onDead(unresponsive(path));
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

/** Changes while the supervisor runs, or waits for a processor; null: it is halted, or cannot be seen. */
function workOf(path: string): string | null {
  const pid = supervisorPid(path);
  const field = attempt(() => statFields((pid === null ? null : readStatText(pid)) ?? ''), null);
  if (field === null || isHalted({ state: field(3) })) return null;
  // utime and stime of proc_pid_stat(5).
  return `${field(14)} ${field(15)}`;
}

/** Of an unreadable pid file: the sentence does without the number. */
function unresponsive(path: string): ControlError {
  const pid = supervisorPid(path);
  const message = `supervisor${pid === null ? '' : ` pid ${pid}`} does not respond`;
  return Object.assign(new ControlError('io', message), { message });
}

function supervisorPid(path: string): number | null {
  return attempt(() => readSupervisorPid(dirname(path)), null);
}

const BUSY_MS = 30_000;
const EVERY_FIVE_SECONDS: HealthRule = { everyMs: 5000, withinMs: 2000 };
