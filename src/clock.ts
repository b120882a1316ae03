import TinyQueue from 'tinyqueue';
import type { AnyActorRef } from 'xstate';
import type { ArmParams, ClockPort } from '../machines/ports.ts';
import { monotonicMs } from './monotonic.ts';

/**
 * The one clock of a supervisor: one queue of deadlines behind a single timer. Monotonic milliseconds, whose zero is the
 * machine's boot on Linux (clock_gettime(2), CLOCK_MONOTONIC), so they compare across supervisors of one boot.
 */
export interface Clock extends ClockPort {
  now(): number;
  /** Calls back once, not before `at`; returns a function that forgets it. */
  at(at: number, fire: () => void): () => void;
  close(): void;
}

/** Where time comes from and how it is waited for; tests script it. */
export interface TimeSource {
  now(): number;
  wait(ms: number, wake: () => void): () => void;
  /** After the input that is waiting now was read. */
  afterPoll(wake: () => void): void;
}

/** Longest wait at once: Node's timers wrap above 2^31−1 ms. */
const LONGEST_WAIT_MS = 2 ** 31 - 1;
/** Later than this, the process was paused: what waits to be read is older than the deadline. */
const LATE_MS = 500;
/** What a paused supervisor gives its services to be heard before it acts on late deadlines; less than 1 s. */
const CATCH_UP_MS = 250;

interface Entry {
  readonly at: number;
  readonly order: number;
  readonly fire: () => void;
  dropped: boolean;
}

export function createClock(source: TimeSource = systemTime): Clock {
  const deadlines = new Deadlines();
  const armed = new Map<AnyActorRef, () => void>();
  let orders = 0;
  let cancelWait: (() => void) | null = null;
  let waitsUntil = Number.POSITIVE_INFINITY;
  let catchingUp = false;
  let closed = false;

  const schedule = (): void => {
    const next = deadlines.peek();
    if (closed || catchingUp || next === null) return;
    if (cancelWait !== null && waitsUntil <= next.at) return;
    cancelWait?.();
    waitsUntil = next.at;
    cancelWait = source.wait(Math.min(LONGEST_WAIT_MS, Math.max(0, Math.ceil(next.at - source.now()))), wake);
  };

  const wake = (): void => {
    cancelWait = null;
    const next = deadlines.peek();
    if (closed || next === null) return;
    if (source.now() - next.at <= LATE_MS) return deliver();
    catchingUp = true;
    source.afterPoll(() => {
      cancelWait = source.wait(CATCH_UP_MS, () => {
        catchingUp = false;
        cancelWait = null;
        if (!closed) deliver();
      });
    });
  };

  const deliver = (): void => {
    const until = source.now();
    for (let next = deadlines.peek(); next !== null && next.at <= until; next = deadlines.peek()) {
      deadlines.pop();
      next.dropped = true;
      next.fire();
    }
    schedule();
  };

  const at = (moment: number, fire: () => void): (() => void) => {
    const entry: Entry = { at: moment, order: (orders += 1), fire, dropped: false };
    deadlines.push(entry);
    schedule();
    return () => deadlines.drop(entry);
  };

  return {
    now: () => source.now(),
    at,
    arm: ({ target, kind, generation, at: moment }: ArmParams) => {
      armed.get(target)?.();
      armed.set(target, at(moment, () => {
        armed.delete(target);
        target.send({ type: `deadline.${kind}`, generation, at: source.now() });
      }));
    },
    disarm: (target) => {
      armed.get(target)?.();
      armed.delete(target);
    },
    close: () => {
      closed = true;
      cancelWait?.();
      armed.clear();
    },
  };
}

const systemTime: TimeSource = {
  now: monotonicMs,
  wait: (ms, wake) => {
    const timer = setTimeout(wake, ms);
    return () => clearTimeout(timer);
  },
  afterPoll: (wake) => void setImmediate(() => setImmediate(wake)),
};

/** Dropped entries leave when they surface, or all at once when they are most of the queue. */
class Deadlines {
  #queue = new TinyQueue<Entry>([], compare);
  #dropped = 0;

  peek(): Entry | null {
    while (this.#queue.peek()?.dropped === true) this.pop();
    return this.#queue.peek() ?? null;
  }

  push(entry: Entry): void {
    this.#queue.push(entry);
  }

  pop(): void {
    if (this.#queue.pop()?.dropped === true) this.#dropped -= 1;
  }

  drop(entry: Entry): void {
    if (entry.dropped) return;
    entry.dropped = true;
    this.#dropped += 1;
    if (this.#dropped < 64 || this.#dropped < this.#queue.length / 2) return;
    this.#queue = new TinyQueue(this.#queue.data.filter((kept) => !kept.dropped), compare);
    this.#dropped = 0;
  }
}

function compare(one: Entry, other: Entry): number {
  return one.at - other.at || one.order - other.order;
}
