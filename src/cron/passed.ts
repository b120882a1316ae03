interface Span {
  readonly fromMs: number;
  untilMs: number;
}

/** The clock was stopped, or set, when two readings lie further apart: there is one a minute at least. */
const STEADY_MS = 120_000;
const SPANS_KEPT = 16;

/**
 * The readings of the wall clock that have been: a clock that is set back shows some of them again. Spans rather than the
 * highest one, so that a clock that was years ahead for a while leaves no years of silence behind.
 */
export class PassedTime {
  #spans: Span[];

  constructor(nowMs: number) {
    this.#spans = [{ fromMs: nowMs, untilMs: nowMs }];
  }

  /** Where the present span ends; a reading below it was shown before, or the clock was set back beyond what has been. */
  get latestMs(): number {
    return this.#spans.at(-1)?.untilMs ?? Number.NEGATIVE_INFINITY;
  }

  /** Notes that the clock shows `nowMs`, and that `instantMs` was told, whatever became of the time before it. */
  reach(nowMs: number, instantMs: number | null): void {
    const span = this.#spans.at(-1);
    const continues = span !== undefined && span.fromMs <= nowMs && nowMs - span.untilMs <= STEADY_MS;
    if (continues) span.untilMs = Math.max(span.untilMs, nowMs);
    else this.#spans = [...this.#spans.slice(1 - SPANS_KEPT), { fromMs: Math.min(nowMs, instantMs ?? nowMs), untilMs: nowMs }];
  }

  /** Where the span ends that this moment lies in; null: it has not been yet. */
  endOfPassed(wallMs: number): number | null {
    return this.#spans.find(({ fromMs, untilMs }) => fromMs <= wallMs && wallMs <= untilMs)?.untilMs ?? null;
  }
}
