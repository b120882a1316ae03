/** Lines of several logs as one sequence in the order of their times. */
export interface Merger<Line> {
  /** A log to come; to be called for all that are there at the beginning before the first line. */
  add(): MergerInput<Line>;
  /** Hands out what is left. */
  end(): Promise<void>;
}

export interface MergerInput<Line> {
  /** Resolves when there is room for more. */
  push(line: Line): Promise<void>;
  /** All that was there is in; what comes from now on comes as it happens. */
  begun(): void;
  /** Nothing more comes. */
  end(): void;
}

interface Input<Line> {
  readonly lines: { readonly line: Line; readonly key: number }[];
  latest: number;
  isLive: boolean;
  isOver: boolean;
  resume: (() => void)[];
}

/**
 * What was there at the beginning is merged exactly; what comes later is put in order within a tenth of a second. A line without a time
 * (null) stays behind the one before it. A log that is read too far ahead waits.
 */
export function openMerger<Line extends { readonly at: number | null }>(print: (lines: readonly Line[]) => Promise<void>): Merger<Line> {
  let inputs: Input<Line>[] = [];
  let printing: Promise<void> = Promise.resolve();
  let timer: NodeJS.Timeout | null = null;
  let failure: { readonly error: unknown } | null = null;

  const collect = (): Line[] => {
    const out: Line[] = [];
    for (;;) {
      let first: Input<Line> | null = null;
      for (const input of inputs) {
        const head = input.lines[0];
        if (head === undefined && !input.isLive) return out;
        if (head !== undefined && head.key < (first?.lines[0]?.key ?? Infinity)) first = input;
      }
      const taken = first?.lines.shift();
      if (taken === undefined) return out;
      out.push(taken.line);
    }
  };

  const flush = (): Promise<void> => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    const lines = collect();
    if (lines.length > 0) {
      printing = printing.then(() => print(lines)).catch((error: unknown) => {
        failure ??= { error };
      });
    }
    return printing.then(() => {
      inputs = inputs.filter(({ isOver, lines: left }) => !isOver || left.length > 0);
      for (const input of inputs) {
        if (input.lines.length >= mostAhead) continue;
        for (const resume of input.resume.splice(0)) resume();
      }
    });
  };

  return {
    add() {
      const input: Input<Line> = { lines: [], latest: -Infinity, isLive: false, isOver: false, resume: [] };
      inputs.push(input);
      return {
        async push(line) {
          if (failure !== null) throw failure.error;
          // What the same log holds later was written later, even if the clock was set back.
          input.latest = Math.max(input.latest, line.at ?? -Infinity);
          input.lines.push({ line, key: input.latest });
          if (input.lines.length < mostAhead) {
            timer ??= setTimeout(() => void flush(), gatherMs);
            return;
          }
          const room = new Promise<void>((resolve) => input.resume.push(resolve));
          await flush();
          await room;
        },
        begun() {
          input.isLive = true;
          timer ??= setTimeout(() => void flush(), gatherMs);
        },
        end() {
          input.isOver = true;
          this.begun();
        },
      };
    },
    async end() {
      for (const input of inputs) input.isLive = true;
      await flush();
      if (failure !== null) throw failure.error;
    },
  };
}

const mostAhead = 1000;
const gatherMs = 100;
