import { loadFfi, openLibc } from './libc-bun.ts';

/** As in `monotonic.ts`: the clocks of Bun's own begin with the process. */
export function monotonicMs(): number {
  read ??= clockOf(CLOCK_MONOTONIC);
  return read();
}

let read: (() => number) | null = null;

function clockOf(clock: number): () => number {
  const ffi = loadFfi();
  const { clock_gettime: getTime } = openLibc<{ clock_gettime(clock: number, time: number): number }>(ffi, { clock_gettime: { args: ['i32', 'ptr'], returns: 'i32' } });
  const time = new BigInt64Array(2);
  return () => {
    getTime(clock, ffi.ptr(time));
    return Number(time[0]) * 1000 + Number((time[1] ?? 0n) / 1000n) / 1000;
  };
}

const CLOCK_MONOTONIC = 1;
