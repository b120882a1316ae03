export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly expected: string; readonly hint?: string };

const unitsMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
type Unit = keyof typeof unitsMs;

/** The longest duration that is accepted: a hundred years. */
export const maxDurationMs = 36_500 * unitsMs.d;

export const durationForm = 'a duration such as 500ms, 5s, 2m, 1h or 1d';
export const durationPattern = String.raw`^\s*\d+(\.\d+)?\s*(ms|s|m|h|d)?\s*$`;
const grammar = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?$/;

/** Milliseconds of `500ms`, `5s`, `2m`, `1h`, `1d`, `0.5s`; a bare number is seconds. */
export function parseDuration(text: string): Parsed<number> {
  const match = grammar.exec(text.trim());
  if (match === null) return { ok: false, expected: durationForm };
  const value = Number(match[1]) * unitsMs[unit(match[2])];
  const rounded = Math.round(value);
  if (value > maxDurationMs) return { ok: false, expected: 'a duration of at most 36500d' };
  if (Math.abs(value - rounded) > 1e-6) return { ok: false, expected: 'a duration of whole milliseconds' };
  return { ok: true, value: rounded };
}

/** The shortest exact text: `90s`, `2m`, `1500ms`. */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0s';
  for (const name of ['d', 'h', 'm', 's'] as const) {
    if (ms % unitsMs[name] === 0) return `${ms / unitsMs[name]}${name}`;
  }
  return `${ms}ms`;
}

function unit(text: string | undefined): Unit {
  return text === 'ms' || text === 'm' || text === 'h' || text === 'd' ? text : 's';
}
