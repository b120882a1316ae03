import { attempt } from '../errors.ts';
import { firstMatch, LAST_YEAR, type CronFields } from './calendar.ts';

export interface ParsedCron {
  readonly fields: CronFields;
  /** The hour is a wildcard or has a step: it goes by what the clock shows, also when clocks are set. Else it is fixed. */
  readonly elapsedHours: boolean;
}

export type CronParse = ({ readonly ok: true } & ParsedCron) | { readonly ok: false; readonly problem: string };

interface Field {
  readonly name: string;
  readonly least: number;
  readonly most: number;
  readonly words?: readonly string[];
  /** `?` may stand for the wildcard. */
  readonly question?: true;
}

const months = ['january', 'february', 'march', 'april', 'may', 'june', 'july', 'august', 'september', 'october', 'november', 'december'];
const weekdays = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];
const shorthands: ReadonlyMap<string, string> = new Map([
  ['@yearly', '0 0 0 1 1 *'], ['@annually', '0 0 0 1 1 *'], ['@monthly', '0 0 0 1 * *'],
  ['@weekly', '0 0 0 * * 1'], ['@daily', '0 0 0 * * *'], ['@midnight', '0 0 0 * * *'], ['@hourly', '0 0 * * * *'],
]);

/**
 * Reads an expression of 5 (from minutes), 6 (from seconds) or 7 fields (with years), or a shorthand. Weekday numbers
 * keep systemg 0.33.0's meaning, 1 = Sunday … 7 = Saturday; 0 is Sunday too.
 */
export function parseCron(expression: string): CronParse {
  const refuse = (reason: string): CronParse => ({ ok: false, problem: `Invalid cron expression '${expression}': ${reason}` });
  const written = expression.trim();
  const expanded = shorthands.get(written.toLowerCase()) ?? written;
  if (expanded.startsWith('@')) return refuse(`expected one of ${[...shorthands.keys()].join(', ')}, got ${JSON.stringify(written)}`);
  const parts = expanded.split(/\s+/).filter((part) => part !== '');
  if (parts.length < 5 || parts.length > 7) return refuse(`expected 5, 6 or 7 fields, got ${parts.length}`);
  const problems: string[] = [];
  const values = (field: Field, part = '*'): readonly number[] => {
    const pieces = part.split(',').map((piece) => readPiece(field, piece));
    const wrong = pieces.find((piece) => typeof piece === 'string');
    if (wrong !== undefined) problems.push(wrong);
    return ascending(pieces.flatMap((piece) => (typeof piece === 'string' ? [] : piece)));
  };
  const [seconds, minutes, hours, days, month, week, years] = parts.length === 5 ? ['0', ...parts] : parts;
  const fields: CronFields = {
    seconds: values({ name: 'second', least: 0, most: 59 }, seconds),
    minutes: values({ name: 'minute', least: 0, most: 59 }, minutes),
    hours: values({ name: 'hour', least: 0, most: 23 }, hours),
    daysOfMonth: values({ name: 'day of month', least: 1, most: 31, question: true }, days),
    months: values({ name: 'month', least: 1, most: 12, words: months }, month),
    daysOfWeek: ascending(values({ name: 'day of week', least: 0, most: 7, words: weekdays, question: true }, week).map((day) => (day === 0 ? 1 : day))),
    years: years === undefined || years === '*' ? null : values({ name: 'year', least: 1970, most: LAST_YEAR }, years),
  };
  if (problems.length > 0) return refuse(problems.join('; '));
  if (firstMatch(fields, 0) === null) return refuse(`never due: no day from 1970 to 2100 is ${dayInWords(days, month, week, years)}`);
  return { ok: true, fields, elapsedHours: /[*/]/.test(hours ?? '') || fields.hours.length === 24 };
}

/** The weekday names that its numbers mean, `1-5 = SUN-THU`; `null` when it has none. */
export function namedWeekdays(expression: string): string | null {
  const parts = expression.trim().split(/\s+/);
  const week = parts[parts.length === 5 ? 4 : 5];
  if (week === undefined || !/^[\d,-]+(\/|$)/.test(week) || expression.startsWith('@')) return null;
  const named = week.replace(/\/.*/, '').replace(/\d+/g, (digits) => (weekdays[Math.max(0, Number(digits) - 1)] ?? '').slice(0, 3).toUpperCase());
  return `${week} = ${named}${/\/.*/.exec(week)?.[0] ?? ''}`;
}

/** Whether an IANA name (or `UTC`) is in the time zone database. */
export function isTimezone(name: string): boolean {
  // RangeError: there is no such zone.
  return /^[A-Za-z]/.test(name) && attempt(() => new Intl.DateTimeFormat('en', { timeZone: name }), null) !== null;
}

/**
 * Why the zone of this system is not known, or null. Of what TZ may be (tzset(3)), Node reads names and fixed offsets; rules such as
 * `CET-1CEST,M3.5.0,M10.5.0/3`, and paths, it silently takes for another zone.
 */
export function localZoneProblem(written = process.env['TZ'] ?? ''): string | null {
  const name = written.replace(/^:/, '');
  const hours = /^(?:UTC|GMT)$|^[A-Za-z]{3,}([+-]?\d{1,2})$/.exec(name);
  const isFixed = hours !== null && new Date().getTimezoneOffset() === Number(hours[1] ?? 0) * 60;
  if (name === '' || isFixed || isTimezone(name)) return null;
  const meant = /zoneinfo\/(?:posix\/)?(\w.*)$/.exec(name)?.[1] ?? 'Europe/Paris';
  return `the local time zone is not known, since sysg cannot read TZ=${JSON.stringify(written)}; write a timezone such as '${meant}' beside the expression, or set TZ to one`;
}

/** The values that one piece of a list names, or what is wrong with the piece. */
function readPiece(field: Field, piece: string): readonly number[] | string {
  const expected = `${field.name}: expected ${field.least}-${field.most}${field.words !== undefined ? ' or a name' : ''}`;
  const match = /^([^/]+)(?:\/(\d+))?$/.exec(piece);
  const span = match?.[1] === undefined ? null : readSpan(field, match[1]);
  if (match === null || span === null) return `${expected}, got ${JSON.stringify(piece)}`;
  const [from, to] = span;
  if (from > to) return `${field.name}: expected an ascending range, got ${JSON.stringify(piece)}`;
  const step = match[2] === undefined ? 1 : Number(match[2]);
  if (step === 0) return `${field.name}: expected a step of at least 1, got ${JSON.stringify(piece)}`;
  const isOpen = from === to && !piece.includes('-');
  const count = isOpen ? field.most - field.least + 1 : to - from + 1;
  if (step > count) return `${field.name}: expected a step of at most ${count}, got ${JSON.stringify(piece)}`;
  const last = match[2] !== undefined && isOpen ? field.most : to;
  return Array.from({ length: Math.floor((last - from) / step) + 1 }, (_, index) => from + index * step);
}

function readSpan(field: Field, text: string): readonly [number, number] | null {
  const first = field.words === weekdays ? 1 : field.least;
  if (text === '*' || (text === '?' && field.question === true)) return [first, field.most];
  const [from, to, ...more] = text.split('-').map((word) => readNumber(field, word));
  if (from === undefined || from === null || to === null || more.length > 0) return null;
  return [from, to ?? from];
}

function readNumber(field: Field, word: string): number | null {
  if (/^\d{1,4}$/.test(word)) {
    const value = Number(word);
    return value >= field.least && value <= field.most ? value : null;
  }
  const lower = word.toLowerCase();
  if (field.words === undefined || lower.length < 3) return null;
  const index = field.words.findIndex((full) => full === lower || (full.startsWith(lower) && lower.length < 6));
  return index < 0 ? null : index + 1;
}

function ascending(values: readonly number[]): readonly number[] {
  return [...new Set(values)].toSorted((left, right) => left - right);
}

function dayInWords(days = '*', month = '*', week = '*', years = '*'): string {
  const said = [['day', days], ['month', month], ['weekday', week], ['year', years]].filter(([, part]) => part !== '*' && part !== '?');
  return said.map((words) => words.join(' ')).join(', ');
}
