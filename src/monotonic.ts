/** Milliseconds of CLOCK_MONOTONIC (clock_gettime(2)), to the microsecond: on Linux since boot, so they compare across processes of one boot. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1000n) / 1000;
}
