// How durations, sizes, moments and addresses are written and read, here and in the browser. Nothing else in the program spells them out.

export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly expected: string; readonly hint?: string };

const unitsMs = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** The longest duration that is accepted: a hundred years. */
export const maxDurationMs = 36_500 * unitsMs.d;

export const durationForm = 'a duration such as 500ms, 5s, 2m, 1h or 1d';
export const durationPattern = String.raw`^\s*\d+(\.\d+)?\s*(ms|s|m|h|d)?\s*$`;

/** Milliseconds of `500ms`, `5s`, `2m`, `1h`, `1d`, `0.5s`; a bare number is seconds. */
export function parseDuration(text: string): Parsed<number> {
  const [, number, unit = 's'] = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?$/.exec(text.trim()) ?? [];
  if (number === undefined) return { ok: false, expected: durationForm };
  const value = Number(number) * unitsMs[unit as keyof typeof unitsMs];
  const rounded = Math.round(value);
  if (value > maxDurationMs) return { ok: false, expected: 'a duration of at most 36500d' };
  if (Math.abs(value - rounded) > 1e-6) return { ok: false, expected: 'a duration of whole milliseconds' };
  return { ok: true, value: rounded };
}

/** The shortest exact text: `90s`, `2m`, `1500ms`. */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0s';
  const unit = (['d', 'h', 'm', 's'] as const).find((name) => ms % unitsMs[name] === 0) ?? 'ms';
  return `${ms / unitsMs[unit]}${unit}`;
}

/** Whole seconds in two units at most: `12s`, `5m 3s`, `2h 5m`, `3d 4h`. */
export function span(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const [large, size, small, part] = spanUnits.find(([, least]) => whole >= least) ?? ['s', 1, '', 1];
  const rest = Math.floor((whole % size) / part);
  return `${Math.floor(whole / size)}${large}${rest === 0 ? '' : ` ${rest}${small}`}`;
}

const spanUnits = [['d', 86_400, 'h', 3600], ['h', 3600, 'm', 60], ['m', 60, 's', 1]] as const;

/** How long ago a time on the wire is. */
export function spanSince(time: { readonly secs_since_epoch: number; readonly nanos_since_epoch: number }, nowMs: number): string {
  return span(nowMs / 1000 - time.secs_since_epoch - time.nanos_since_epoch / 1e9);
}

/** As `span`, and exact below a minute: `500ms`, `3.05s`, `1h 12m`. */
export function fineSpan(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)}ms`;
  return ms < 60_000 ? `${Math.round(ms / 10) / 100}s` : span(ms / 1000);
}

/** For sentences: `0.8 s`, `42 s`, `3 min 5 s`, `2 h 10 min`, `4 days`. */
export function spanInProse(ms: number): string {
  if (Number.isNaN(ms)) return 'an unknown time';
  // Less than nothing where the clock was set back.
  const seconds = Math.max(0, ms / 1000);
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 60) return `${Math.min(59, Math.round(seconds))} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  return counted(Math.floor(seconds / 86_400), 'day');
}

type StreamDuration = { readonly ok: true; readonly ms: number } | { readonly ok: false; readonly problem: string };

/**
 * systemg 0.33.0's grammar of `--stream`, with its sentences for what is wrong. Unlike there, fractions count, and nothing is refreshed more often than
 * every 100 ms.
 */
export function parseStreamDuration(input: string): StreamDuration {
  const text = input.trim();
  const refuse = (reason: string): StreamDuration => ({ ok: false, problem: `Invalid stream duration '${input}': ${reason}` });
  if (text === '') return refuse('Stream duration cannot be empty');
  const letters = /[a-z]/i.exec(text)?.index ?? text.length;
  const [number, unit] = [text.slice(0, letters).trim(), text.slice(letters).trim().toLowerCase()];
  if (unit === '' && !/^[0-9]+$/.test(number)) return refuse(`Invalid window format: ${text}`);
  if (!/^[0-9]+(\.[0-9]+)?$|^\.[0-9]+$/.test(number)) return refuse(`Invalid number in window: ${number}`);
  const unitMs = unit === '' ? 1000 : streamUnits.find(([words]) => words.test(unit))?.[1];
  if (unitMs === undefined) return refuse(`Unknown time unit: ${unit}`);
  const ms = Number(number) * unitMs;
  if (ms <= 0) return refuse(unit === '' ? 'Stream duration must be positive' : 'Window duration must be positive');
  // Node's timers wrap above this.
  if (ms > 2 ** 31 - 1) return refuse(`Invalid stream duration: ${text}`);
  return { ok: true, ms: Math.max(100, Math.round(ms)) };
}

const streamUnits = [
  [/^s(ecs?|econds?)?$/, 1000], [/^m(ins?|inutes?)?$/, 60_000], [/^h(rs?|ours?)?$/, 3_600_000], [/^d(ays?)?$/, 86_400_000], [/^w(eeks?)?$/, 604_800_000],
] as const;

export const momentForm = 'a duration before now such as 10m, or a time such as 2026-01-31T12:00:00Z';

/**
 * Milliseconds of the wall clock: so long before now, or an RFC 3339 time; without an offset it is local time, a date alone its midnight. Null for
 * anything else.
 */
export function parseMoment(text: string, nowMs: number): number | null {
  const duration = parseDuration(text);
  if (duration.ok) return nowMs - duration.value;
  const parts = /^(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)([Zz]|[+-]\d\d:\d\d)?)?$/.exec(text.trim());
  if (parts === null) return null;
  const [, day = '', time = '00:00', offset = ''] = parts;
  const [at, midnight] = [Date.parse(`${day}T${time}${offset.toUpperCase()}`), Date.parse(`${day}T00:00Z`)];
  // Date.parse takes 31 February for 3 March.
  const isDay = !Number.isNaN(midnight) && new Date(midnight).toISOString().startsWith(day);
  return Number.isNaN(at) || !isDay ? null : at;
}

/** `14:03:05`, local. */
export function clockTime(time: string | number): string {
  const date = new Date(time);
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map(twoDigits).join(':');
}

/** `2026-01-01 12:00:05`, local. */
export function localTime(time: string | number): string {
  const date = new Date(time);
  return `${date.getFullYear()}-${twoDigits(date.getMonth() + 1)}-${twoDigits(date.getDate())} ${clockTime(time)}`;
}

/** `, which is 02:00:00 in Europe/Berlin`, where the clocks of the zone show another time of day; nothing for a zone that is not known here. */
export function alsoIn(zone: string | undefined, time: string): string {
  if (zone === undefined) return '';
  try {
    const there = new Date(time).toLocaleTimeString('en-GB', { timeZone: zone });
    return there === clockTime(time) ? '' : `, which is ${there} in ${zone}`;
  } catch {
    return '';
  }
}

/** As `localTime`, to the millisecond. */
export function preciseTime(time: string | number): string {
  return `${localTime(time)}.${String(new Date(time).getMilliseconds()).padStart(3, '0')}`;
}

/** In the order in which a person would put names: `web2` before `web10`. */
export function naturally<Item>(items: readonly Item[], nameOf: (item: Item) => string): Item[] {
  const keyed = items.map((item) => ({ item, key: naturalKey(nameOf(item)) }));
  return keyed.sort(({ key: one }, { key: other }) => (one < other ? -1 : one > other ? 1 : 0)).map(({ item }) => item);
}

/** Compared as a text: a number comes before other characters, a shorter one before a longer one. Of alike ones (`web2`, `web02`) the names decide. */
function naturalKey(name: string): string {
  const marked = name.replace(/\d+/g, (number) => {
    const digits = number.replace(/^0+/, '');
    return `\u0001${String.fromCharCode(digits.length)}${digits}`;
  });
  return `${marked}\0${name}`;
}

/** Of `0-2,5`, a list of CPUs as in cpuset(7): a range has no more of them than a kernel can have. */
export function numbersIn(list: string): readonly number[] {
  return list.split(',').filter((part) => part !== '').flatMap((part) => {
    const [from = NaN, to = from] = part.split('-').map(Number);
    const count = Number.isInteger(from) && Number.isInteger(to) ? Math.min(8192, Math.max(0, to - from + 1)) : 0;
    return Array.from({ length: count }, (_, index) => from + index);
  });
}

export function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}

const powers = ['', 'K', 'M', 'G', 'T'] as const;

export const sizeForm = 'a size such as 512M, 1G or a number of bytes';
export const limitForm = "a non-negative integer, an optional size suffix (e.g. 512M), or 'unlimited'";
export const sizePattern = String.raw`^\s*\d[\d_]*\s*[KMGTkmgt]?[Bb]?\s*$`;

/** Bytes of `512M`, `1G`, `4096`, `1_000_000`; suffixes are powers of 1024. */
export function parseSize(text: string): Parsed<number> {
  const match = /^(\d[\d_]*)\s*([KMGT])?B?$/i.exec(text.trim());
  if (match === null) return { ok: false, expected: sizeForm, hint: withoutBinaryMark(text.trim()) };
  const power = powers.findIndex((suffix) => suffix === (match[2] ?? '').toUpperCase());
  const value = Number((match[1] ?? '').replaceAll('_', '')) * 1024 ** power;
  return Number.isSafeInteger(value) ? { ok: true, value } : { ok: false, expected: 'a size below 8192T' };
}

/** `, did you mean '256M'?` of the `256Mi` and `256MiB` of other programs. */
function withoutBinaryMark(text: string): string {
  const [, size, isBytes] = /^(\d+\s*[KMGT])i(B)?$/.exec(text) ?? [];
  return size === undefined ? '' : `, did you mean '${size}${isBytes ?? ''}'?`;
}

/** A resource limit: a size, or `unlimited` (any case), which is `null`. */
export function parseLimit(text: string): Parsed<number | null> {
  if (text.trim().toLowerCase() === 'unlimited') return { ok: true, value: null };
  const size = parseSize(text);
  return size.ok ? size : { ok: false, expected: limitForm };
}

/** The shortest exact text: `10M`, `1500`. */
export function formatSize(bytes: number): string {
  const power = bytes === 0 ? 0 : powers.findLastIndex((_, index) => bytes % 1024 ** index === 0);
  return `${bytes / 1024 ** power}${powers[power]}`;
}

/** Rounded, in steps of 1024: `512B`, `1.5MB`; with a blank before the unit, and with `i`, `1.5 MiB`. */
export function bytes(count: number, style: 'short' | 'iec' = 'short'): string {
  const power = Math.min(powers.length - 1, Math.max(0, Math.floor(Math.log2(Math.max(1, count)) / 10)));
  const value = power === 0 ? count : (count / 1024 ** power).toFixed(1);
  return style === 'short' ? `${value}${powers[power]}B` : `${value} ${powers[power]}${power === 0 ? '' : 'i'}B`;
}

/** A regular expression of JavaScript. */
export function parsePattern(text: string, flags = ''): Parsed<RegExp> {
  try {
    return { ok: true, value: new RegExp(text, flags) };
  } catch (error) {
    return { ok: false, expected: 'a regular expression', hint: ` (${(error instanceof Error ? error.message : String(error)).replace(/^Invalid regular expression: /, '')})` };
  }
}

/**
 * Whether a word fits a pattern of a shell: `*` any text, `?` one character, `[ab]` one of these, `[!ab]` none of them (glob(7)). A range whose end comes before
 * its beginning fits nothing.
 */
export function globbed(pattern: string): (word: string) => boolean {
  const source = pattern.replaceAll(/\[(!?)([^\]]+)\]|[*?]|[\\^$.|+(){}[\]]/g, (found, not: string | undefined, set: string | undefined) => {
    if (found === '*') return '.*';
    if (found === '?') return '.';
    return set === undefined ? `\\${found}` : `[${not === '!' ? '^' : ''}${set.replaceAll(/[\\^[]/g, '\\$&')}]`;
  });
  const parsed = parsePattern(`^${source}$`, 'su');
  return (word) => parsed.ok && parsed.value.test(word);
}

/** `1 line`, `2 lines`. */
export function counted(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}

/** As in a URL: an address of IPv6 in brackets. */
export function urlHost({ host, port }: { readonly host: string; readonly port: number }): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** The candidate that `word` is most likely a misspelling of. */
export function nearMiss(word: string, candidates: readonly string[]): string | null {
  const folded = fold(word);
  const begun = candidates.filter((candidate) => folded.length >= 4 && fold(candidate).startsWith(folded));
  // Half a word that can only become one is more likely that than a misspelling.
  if (begun.length === 1 && begun[0] !== undefined) return begun[0];
  const limit = Math.min(3, Math.max(1, Math.floor(folded.length / 3)));
  let best: { readonly candidate: string; readonly distance: number } | null = null;
  for (const candidate of candidates) {
    const distance = editDistance(folded, fold(candidate), limit);
    // Of one sign, another one is no misspelling.
    const isAlike = distance < Math.max(folded.length, candidate.length);
    if (isAlike && distance <= limit && (best === null || distance < best.distance)) best = { candidate, distance };
  }
  return best?.candidate ?? begun[0] ?? null;
}

/** `, did you mean 'restart_policy'?`, or nothing. */
export function didYouMean(word: string, candidates: readonly string[]): string {
  const candidate = nearMiss(word, candidates);
  return candidate === null ? '' : `, did you mean '${candidate}'?`;
}

function fold(word: string): string {
  return word.toLowerCase().replaceAll('-', '_').slice(0, 64);
}

/** Optimal string alignment: insertions, deletions, substitutions and swaps of neighbours. */
function editDistance(left: string, right: string, limit: number): number {
  if (Math.abs(left.length - right.length) > limit) return limit + 1;
  let before: number[] = [];
  let above = Array.from({ length: right.length + 1 }, (_, column) => column);
  for (let row = 1; row <= left.length; row++) {
    const current = [row];
    for (let column = 1; column <= right.length; column++) {
      const same = left[row - 1] === right[column - 1];
      let cost = Math.min((above[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1, (above[column - 1] ?? 0) + (same ? 0 : 1));
      const swapped = row > 1 && column > 1 && left[row - 1] === right[column - 2] && left[row - 2] === right[column - 1];
      if (swapped) cost = Math.min(cost, (before[column - 2] ?? 0) + 1);
      current.push(cost);
    }
    before = above;
    above = current;
  }
  return above[right.length] ?? limit + 1;
}

/** As one word of a shell's command line. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${inSingleQuotes(text)}'`;
}

/** As it stands between single quotes of a POSIX shell. */
export function inSingleQuotes(text: string): string {
  return text.replaceAll("'", `'\\''`);
}

/** As content of an element of XML. */
export function inXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

export function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
