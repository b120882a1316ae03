/** Waits that one call can end early. */
export interface Pauses {
  /** Resolves after `forMs`, or at the next `wake`. */
  pause(forMs: number): Promise<void>;
  wake(): void;
}

export function makePauses(): Pauses {
  const wakers = new Set<() => void>();
  return {
    pause: (forMs) => new Promise((resolve) => {
      const end = () => {
        clearTimeout(timer);
        wakers.delete(end);
        resolve();
      };
      const timer = setTimeout(end, forMs);
      wakers.add(end);
    }),
    wake() {
      for (const end of wakers) end();
    },
  };
}
