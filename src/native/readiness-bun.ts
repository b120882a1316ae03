import { loadFfi, openLibc, type Ffi } from '../libc-bun.ts';

/**
 * Bun's event loop watches sockets and what it reads itself, and no descriptor of ours: a `net.Socket` of Bun's reads nothing from a FIFO, and a stream of Bun's
 * reads ahead of who takes. So descriptors are watched by an epoll(7) of our own, that by one asynchronous poll of the kernel (io_submit(2)), and
 * that reports to an eventfd(2), which Bun's loop reads. Where the kernel has none of that, each descriptor is tried every few milliseconds.
 */

/** What a descriptor is waited for; `none` for the moment. */
export type Interest = 'read' | 'write' | 'none';

export interface Watch {
  change(interest: Interest): void;
  /** To be called before the descriptor is closed. */
  end(): void;
}

/** Calls back in each turn of the event loop in which the descriptor can be read or written, or has an end to report; without a poll of the kernel also when it has not. */
export function watch(descriptor: number, interest: Interest, onReady: () => void): Watch {
  if (add === null) {
    const kernel = openKernelPoll();
    add = kernel === null ? makeTrying() : makeWatching(kernel);
  }
  return add(descriptor, interest, onReady);
}

let add: typeof watch | null = null;

interface KernelPoll {
  control(operation: 'add' | 'change' | 'remove', descriptor: number, interest: Interest, key: number): void;
  /** The keys of what is ready now, a few at a time. */
  ready(): number[];
  /** Has `onReady` called once, when something is ready. */
  arm(): void;
  onReady: () => void;
}

function makeWatching(kernel: KernelPoll): typeof watch {
  const watched = new Map<number, () => void>();
  let lastKey = 0;
  let isTurning = false;

  // What is still ready is looked for in the next turn, without a detour through the kernel's poll.
  const turn = (): void => {
    const keys = kernel.ready();
    for (const key of keys) watched.get(key)?.();
    isTurning = keys.length > 0;
    if (isTurning) setImmediate(turn);
    else kernel.arm();
  };
  kernel.onReady = turn;
  kernel.arm();
  return (descriptor, interest, onReady) => {
    lastKey += 1;
    const key = lastKey;
    watched.set(key, onReady);
    kernel.control('add', descriptor, interest, key);
    return {
      change: (next) => kernel.control('change', descriptor, next, key),
      end() {
        if (watched.delete(key)) kernel.control('remove', descriptor, 'none', key);
      },
    };
  };
}

/** As seldom as it may be at rest, and often while something comes. */
function makeTrying(): typeof watch {
  const tried = new Set<{ interest: Interest; readonly onReady: () => void }>();
  const round = (): void => {
    for (const entry of tried) if (entry.interest !== 'none') entry.onReady();
    if (tried.size > 0) setTimeout(round, TRY_MS).unref();
  };
  return (_descriptor, interest, onReady) => {
    const entry = { interest, onReady };
    if (tried.size === 0) setTimeout(round, TRY_MS).unref();
    tried.add(entry);
    return { change: (next) => void (entry.interest = next), end: () => void tried.delete(entry) };
  };
}

const TRY_MS = 20;

interface Libc {
  syscall(number: number, one: number | bigint, two: number, three: number, four: number, five: number): bigint;
  epoll_create1(flags: number): number;
  epoll_ctl(epoll: number, operation: number, descriptor: number, event: number): number;
  epoll_wait(epoll: number, events: number, most: number, timeoutMs: number): number;
  eventfd(initial: number, flags: number): number;
}

declare const Bun: { file(descriptor: number): { stream(): ReadableStream<Uint8Array> } };

/** Null where the kernel, or a filter of system calls as containers have it, does not provide all of it. */
function openKernelPoll(): KernelPoll | null {
  // With SYSG_NATIVE=0 the tests go the other way.
  const calls = process.platform === 'linux' && process.env['SYSG_NATIVE'] !== '0' ? systemCalls[process.arch] : undefined;
  if (calls === undefined) return null;
  try {
    const ffi = loadFfi();
    const libc = openLibc<Libc>(ffi, symbols);
    const context = new BigUint64Array(1);
    if (libc.syscall(calls.setup, 1, ffi.ptr(context), 0, 0, 0) !== 0n) return null;
    return pollOf(ffi, libc, calls, context[0] ?? 0n);
  } catch {
    // No bun:ffi in this Bun, or no such C library.
    return null;
  }
}

const symbols = {
  syscall: { args: ['i64', 'u64', 'u64', 'u64', 'u64', 'u64'], returns: 'i64' },
  epoll_create1: { args: ['i32'], returns: 'i32' },
  epoll_ctl: { args: ['i32', 'i32', 'i32', 'ptr'], returns: 'i32' },
  epoll_wait: { args: ['i32', 'ptr', 'i32', 'i32'], returns: 'i32' },
  eventfd: { args: ['u32', 'i32'], returns: 'i32' },
};

function pollOf({ ptr }: Ffi, libc: Libc, calls: SystemCalls, context: bigint): KernelPoll | null {
  const [epoll, bell] = [libc.epoll_create1(CLOSE_ON_EXEC), libc.eventfd(0, NO_WAITING | CLOSE_ON_EXEC)];
  if (epoll < 0 || bell < 0) return null;
  const event = new DataView(new ArrayBuffer(16));
  const events = new DataView(new ArrayBuffer(16 * MOST_AT_ONCE));
  const completed = new Uint8Array(32);
  const order = pollOrder(epoll, bell);
  const orders = new BigUint64Array(1);
  const submit = (): boolean => {
    // Named here, it is not collected while the kernel may read it.
    orders[0] = BigInt(ptr(order));
    return libc.syscall(calls.submit, context, 1, ptr(orders), 0, 0) === 1n;
  };
  // Kernels before 4.18 have no such poll.
  if (!submit()) return null;
  let isArmed = true;
  const poll: KernelPoll = {
    onReady: () => undefined,
    control(operation, descriptor, interest, key) {
      event.setUint32(0, interests[interest], true);
      event.setUint32(DATA_AT, key, true);
      if (libc.epoll_ctl(epoll, operations[operation], descriptor, ptr(event)) !== 0) throw new Error(`descriptor ${descriptor} cannot be watched`);
    },
    ready() {
      const count = libc.epoll_wait(epoll, ptr(events), MOST_AT_ONCE, 0);
      return Array.from({ length: Math.max(0, count) }, (_, index) => events.getUint32(index * EVENT_BYTES + DATA_AT, true));
    },
    arm() {
      if (!isArmed) isArmed = submit();
      // Cannot be refused for long: one is under way at a time.
      if (!isArmed) setTimeout(poll.onReady, TRY_MS);
    },
  };
  const listen = async (): Promise<void> => {
    const rings = Bun.file(bell).stream().getReader();
    for (;;) {
      const { done } = await rings.read();
      if (done) return;
      libc.syscall(calls.completed, context, 0, 1, ptr(completed), 0);
      isArmed = false;
      poll.onReady();
    }
  };
  void listen();
  return poll;
}

/** An `iocb` of io_submit(2): IOCB_CMD_POLL for POLLIN, with an eventfd. */
function pollOrder(epoll: number, bell: number): DataView {
  const order = new DataView(new ArrayBuffer(64));
  order.setUint16(16, 5, true);
  order.setUint32(20, epoll, true);
  order.setBigUint64(24, 1n, true);
  order.setUint32(56, 1, true);
  order.setUint32(60, bell, true);
  return order;
}

interface SystemCalls {
  readonly setup: number;
  readonly submit: number;
  /** io_getevents(2) */
  readonly completed: number;
}

const systemCalls: Readonly<Record<string, SystemCalls>> = {
  x64: { setup: 206, submit: 209, completed: 208 },
  arm64: { setup: 0, submit: 2, completed: 4 },
};

/** EPOLL_CTL_*, and EPOLLIN and EPOLLOUT of epoll_ctl(2); an end is always reported. */
const operations = { add: 1, remove: 2, change: 3 } as const;
const interests = { none: 0, read: 1, write: 4 } as const;
/** `struct epoll_event` is packed on x86-64 alone. */
const [EVENT_BYTES, DATA_AT] = process.arch === 'x64' ? [12, 4] : [16, 8];
const CLOSE_ON_EXEC = 0o2000000;
const NO_WAITING = 0o4000;
const MOST_AT_ONCE = 64;
