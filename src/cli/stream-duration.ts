export type StreamDuration = { readonly ok: true; readonly ms: number } | { readonly ok: false; readonly problem: string };

/** systemg 0.33.0's grammar of `--stream` with its words for what is wrong; fractions count, and nothing is refreshed more often than every 100 ms. */
export function parseStreamDuration(input: string): StreamDuration {
  const text = input.trim();
  const refuse = (reason: string): StreamDuration => ({ ok: false, problem: `Invalid stream duration '${input}': ${reason}` });
  if (text === '') return refuse('Stream duration cannot be empty');
  const letters = /[a-z]/i.exec(text)?.index ?? text.length;
  const [number, unit] = [text.slice(0, letters).trim(), text.slice(letters).trim().toLowerCase()];
  if (unit === '' && !/^[0-9]+$/.test(number)) return refuse(`Invalid window format: ${text}`);
  if (!/^[0-9]+(\.[0-9]+)?$|^\.[0-9]+$/.test(number)) return refuse(`Invalid number in window: ${number}`);
  const unitMs = unit === '' ? 1000 : UNITS_MS.get(unit);
  if (unitMs === undefined) return refuse(`Unknown time unit: ${unit}`);
  const ms = Number(number) * unitMs;
  if (ms <= 0) return refuse(unit === '' ? 'Stream duration must be positive' : 'Window duration must be positive');
  if (ms > LONGEST_MS) return refuse(`Invalid stream duration: ${text}`);
  return { ok: true, ms: Math.max(100, Math.round(ms)) };
}

const UNITS_MS: ReadonlyMap<string, number> = new Map(Object.entries({
  s: 1000, sec: 1000, secs: 1000, second: 1000, seconds: 1000,
  m: 60_000, min: 60_000, mins: 60_000, minute: 60_000, minutes: 60_000,
  h: 3_600_000, hr: 3_600_000, hrs: 3_600_000, hour: 3_600_000, hours: 3_600_000,
  d: 86_400_000, day: 86_400_000, days: 86_400_000, w: 604_800_000, week: 604_800_000, weeks: 604_800_000,
}));
/** Node's timers wrap above this. */
const LONGEST_MS = 2 ** 31 - 1;
