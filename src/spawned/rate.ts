export interface Rate {
  /** Whether this one would be too many. */
  isExceeded(parentPid: number): boolean;
  count(parentPid: number): void;
}

/** Successful requests of each parent within the last second, of children too that have ended since. */
export function openRate(now: () => number, { most, windowMs } = { most: 10, windowMs: 1000 }): Rate {
  const moments = new Map<number, readonly number[]>();
  const recent = (parentPid: number): readonly number[] => {
    for (const [pid, times] of moments) {
      const kept = times.filter((at) => at > now() - windowMs);
      if (kept.length === 0) moments.delete(pid);
      else moments.set(pid, kept);
    }
    return moments.get(parentPid) ?? [];
  };
  return {
    isExceeded: (parentPid) => recent(parentPid).length >= most,
    count: (parentPid) => void moments.set(parentPid, [...recent(parentPid), now()]),
  };
}
