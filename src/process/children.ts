import type { ProcessExit, ProcessIdentity } from '../../machines/types.ts';
import type { StartedProcess } from './native-child.ts';

/** A process that this very program started. */
export interface Child {
  readonly identity: ProcessIdentity;
  readonly token: string;
  /** Its pid is its own until `exit` is known: only then it was reaped. Otherwise its parent is ours, reaps it and ends as it did. */
  readonly isOwn: boolean;
  readonly exit: ProcessExit | null;
  /** Calls back once, at once or later, with the exit status; a later watcher takes the place of an earlier one. Returns the end of watching. */
  watch(onExit: (exit: ProcessExit) => void): () => void;
}

/** Keeps a started process until its exit was delivered, so that an actor that comes later still learns the exit. */
export function keepChild(process: StartedProcess, identity: ProcessIdentity, token: string, isOwn = true): Child {
  let exit: ProcessExit | null = null;
  let watcher: ((exit: ProcessExit) => void) | null = null;
  const deliver = () => {
    if (exit === null || watcher === null) return;
    const notify = watcher;
    watcher = null;
    if (children.get(identity.pid) === child) children.delete(identity.pid);
    notify(exit);
  };
  const child: Child = {
    identity,
    token,
    isOwn,
    get exit() {
      return exit;
    },
    watch(onExit) {
      watcher = onExit;
      if (exit !== null) setImmediate(deliver);
      return () => {
        if (watcher === onExit) watcher = null;
      };
    },
  };
  children.set(identity.pid, child);
  process.once('exit', (code, signal) => {
    exit = { code, signal };
    deliver();
  });
  process.unref();
  return child;
}

/** The child with that identity, living or with an exit that was not delivered yet. */
export function findChild(identity: ProcessIdentity): Child | null {
  const child = children.get(identity.pid);
  return child !== undefined && child.identity.startTime === identity.startTime && child.identity.bootId === identity.bootId ? child : null;
}

const children = new Map<number, Child>();
