import type { ProcessExit, ProcessIdentity } from '../../machines/types.ts';
import type { StartedProcess } from './native-child.ts';

/** Keeps a started process until its exit was delivered, so that an actor that comes later still learns the exit. */
export function keepChild(process: StartedProcess, identity: ProcessIdentity, token: string, isOwn = true): Child {
  const child = new Child(identity, token, isOwn);
  children.set(identity.pid, child);
  process.once('exit', (code, signal) => child.end({ code, signal }));
  process.unref();
  return child;
}

/** A process that this very program started. */
export class Child {
  readonly identity: ProcessIdentity;
  readonly token: string;
  /** Its pid is its own until `exit` is known: only then it was reaped. Otherwise its parent is ours, reaps it and ends as it did. */
  readonly isOwn: boolean;
  exit: ProcessExit | null = null;
  #watcher: ((exit: ProcessExit) => void) | null = null;

  constructor(identity: ProcessIdentity, token: string, isOwn: boolean) {
    this.identity = identity;
    this.token = token;
    this.isOwn = isOwn;
  }

  /** Calls back once, at once or later, with the exit status; a later watcher takes the place of an earlier one. Returns the end of watching. */
  watch(onExit: (exit: ProcessExit) => void): () => void {
    const { exit } = this;
    this.#watcher = onExit;
    if (exit !== null) setImmediate(() => this.#deliver(exit));
    return () => {
      if (this.#watcher === onExit) this.#watcher = null;
    };
  }

  end(exit: ProcessExit): void {
    this.exit = exit;
    this.#deliver(exit);
  }

  #deliver(exit: ProcessExit): void {
    const notify = this.#watcher;
    if (notify === null) return;
    this.#watcher = null;
    if (children.get(this.identity.pid) === this) children.delete(this.identity.pid);
    notify(exit);
  }
}

/** The child with that identity, living or with an exit that was not delivered yet. */
export function findChild(identity: ProcessIdentity): Child | null {
  const child = children.get(identity.pid);
  return child !== undefined && child.identity.startTime === identity.startTime && child.identity.bootId === identity.bootId ? child : null;
}

const children = new Map<number, Child>();
