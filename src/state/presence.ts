import { existsSync } from 'node:fs';
import { attempt, textOf } from '../errors.ts';
import { lockHolder, takeLock, type LockResult } from './lock.ts';
import { isServed } from './lock-owner.ts';
import type { RuntimePaths } from '../runtime-paths.ts';
import { isOpenToOthers, isPrepared, prepareRuntime } from './runtime.ts';

type Lock = Extract<LockResult, { ok: true }>;

export interface PresenceOptions {
  readonly paths: RuntimePaths;
  readonly lock: Lock;
  readonly socket: { isInPlace(): boolean; putBack(): Promise<void> };
  /** Puts back what is missing of the files beside the socket, and says whether anything was. Throws what the file system says. */
  restoreFiles(): boolean;
  /** Takes sentences; a trouble that lasts is reported once. */
  readonly onProblem: (text: string) => void;
  /** Another supervisor has the directory now: this one cannot be reached, and must not go on beside it. */
  onReplaced(reason: string): void;
  /** Between two looks; default 5000. */
  readonly everyMs?: number;
}

export interface Presence {
  /** Looks now. Never rejects. */
  look(): Promise<void>;
  /** Whether the directory is still this supervisor's: then it may take its files away. */
  isOurs(): boolean;
  close(): void;
  /** Frees the lock, the one that was taken in the course of time included. */
  release(): void;
}

/**
 * Sees to it that clients find the supervisor as long as it lives: somebody may remove its socket, its files or the whole directory under it. A look is
 * a handful of stat(2). A directory whose home is gone as well is not made again: that is done when the home is back.
 */
export function keepPresence(options: PresenceOptions): Presence {
  const { paths, socket, restoreFiles, onProblem, onReplaced, everyMs = 5000 } = options;
  let { lock } = options;
  // A supervisor that came back to a disk that took no socket has said so.
  let reported = attempt(() => socket.isInPlace(), true) ? '' : 'the socket could not be made';
  const aside = new Set<string>();
  let looking = false;
  let closed = false;

  const reportOnce = (text: string): void => {
    if (text !== reported && text !== '') onProblem(text);
    reported = text;
  };

  /** What cannot be set aside is met again at each look. */
  const reportAside = (text: string): void => {
    if (!aside.has(text)) onProblem(text);
    aside.add(text);
  };

  const isOurs = (): boolean => {
    // The lock file cannot be looked at: nothing in the directory is to be touched.
    return attempt(() => lock.isInPlace(), false);
  };
  const retake = (): LockResult => {
    const taken = takeLock(paths.lock);
    if (!taken.ok) return taken;
    lock.release();
    lock = taken;
    return taken;
  };

  const restore = async (): Promise<void> => {
    const isLockOurs = isOurs();
    if (isLockOurs && socket.isInPlace()) {
      if (isOpenToOthers(paths.stateDir) && prepareRuntime(paths) === null) onProblem(`${paths.stateDir}: was opened to other users by somebody and is closed to them again`);
      if (!isPrepared(paths)) prepareRuntime(paths, reportAside);
      if (restoreFiles()) onProblem(`${paths.stateDir}: files were removed or changed by somebody and have been put back`);
      return reportOnce('');
    }
    const { home } = paths;
    if (!existsSync(home)) {
      return reportOnce(`${home} is gone, and with it the socket: nobody can reach this supervisor until it is back`);
    }
    const unprepared = prepareRuntime(paths, reportAside);
    if (unprepared !== null) return reportOnce(`the state directory is gone or out of reach, and cannot be made again: ${unprepared}`);
    // What could not be looked at before may be in place by now, and is held by us: taken again it would be refused as another's.
    const taken = isOurs() ? lock : retake();
    if (!taken.ok) return taken.held ? onReplaced(taken.reason) : reportOnce(`the lock cannot be taken again: ${taken.reason}`);
    const isTaken = await isServed(paths.socket);
    // A supervisor that does not know our lock, such as systemg 0.33.0's, makes itself known by the pid file. Whatever else serves there is no supervisor.
    const named = isTaken ? lockHolder(paths.pidFile) : null;
    if (named !== null && named !== process.pid) {
      return reportOnce(`${paths.socket}: somebody else serves there; this supervisor cannot be reached until that has ended`);
    }
    if (closed) return;
    await socket.putBack();
    restoreFiles();
    const wasKnown = reported !== '';
    reported = '';
    if (isLockOurs && wasKnown) onProblem(`${paths.socket}: is there again; clients reach this supervisor`);
    else onProblem(isLockOurs
      ? `${paths.socket}: was ${isTaken ? 'taken over by another program' : 'removed by somebody'} and has been put back`
      : `${paths.stateDir}: was removed by somebody and has been put back; the output of services that run now is kept only as long as this supervisor lives, until their next start`);
  };

  const look = async (): Promise<void> => {
    if (looking || closed) return;
    looking = true;
    try {
      await restore();
    } catch (error) {
      reportOnce(`clients may not find this supervisor: ${textOf(error)}`);
    } finally {
      looking = false;
    }
  };
  // A supervisor whose disk takes no socket lives by this timer alone: without one Node would end.
  const timer = setInterval(() => void look(), everyMs);
  return {
    look,
    isOurs,
    close: () => {
      closed = true;
      clearInterval(timer);
    },
    release: () => lock.release(),
  };
}
