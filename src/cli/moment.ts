import { parseDuration } from '../config/duration.ts';

export const momentForm = 'a duration before now such as 10m, or a time such as 2026-01-31T12:00:00Z';

/** Milliseconds of the wall clock: so long before now, or an RFC 3339 time; without an offset it is local time, a date alone its midnight. Null for anything else. */
export function parseMoment(text: string, nowMs: number): number | null {
  const duration = parseDuration(text);
  if (duration.ok) return nowMs - duration.value;
  const parts = /^(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)([Zz]|[+-]\d\d:\d\d)?)?$/.exec(text.trim());
  if (parts === null) return null;
  const [, day = '', time = '00:00', offset = ''] = parts;
  const at = Date.parse(`${day}T${time}${offset.toUpperCase()}`);
  return Number.isNaN(at) || !isDay(day) ? null : at;
}

/** Date.parse takes 31 February for 3 March. */
function isDay(day: string): boolean {
  const at = Date.parse(`${day}T00:00Z`);
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(day);
}
