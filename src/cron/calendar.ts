/** The instants of a cron expression, field by field, each ascending. Weekdays: 1 is Sunday … 7 is Saturday. */
export interface CronFields {
  readonly seconds: readonly number[];
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  readonly daysOfMonth: readonly number[];
  readonly months: readonly number[];
  readonly daysOfWeek: readonly number[];
  /** `null` is every year. */
  readonly years: readonly number[] | null;
}

/** The last year that an expression can name. */
export const LAST_YEAR = 2100;
const DAY_MS = 86_400_000;

/**
 * The first moment not before `fromMs` that the fields name, on a calendar without time zones; `null` when there is none
 * up to the end of the year 2100. Both are milliseconds as `Date.UTC` counts them, of a wall clock's reading.
 */
export function firstMatch(fields: CronFields, fromMs: number): number | null {
  const fromSecond = Math.ceil(fromMs / 1000) * 1000;
  const dayMs = Math.floor(fromSecond / DAY_MS) * DAY_MS;
  const date = new Date(dayMs);
  if (namesDay(fields, date)) {
    const timeMs = firstTime(fields, fromSecond - dayMs);
    if (timeMs !== null) return dayMs + timeMs;
  }
  const laterMs = firstDayAfter(fields, date);
  return laterMs === null ? null : laterMs + timeOf(fields.hours[0], fields.minutes[0], fields.seconds[0]);
}

function namesDay(fields: CronFields, date: Date): boolean {
  const year = date.getUTCFullYear();
  return fields.daysOfWeek.includes(date.getUTCDay() + 1) && fields.daysOfMonth.includes(date.getUTCDate())
    && fields.months.includes(date.getUTCMonth() + 1) && year <= LAST_YEAR && (fields.years === null || fields.years.includes(year));
}

function firstTime({ hours, minutes, seconds }: CronFields, fromMs: number): number | null {
  const [hour, minute, second] = [Math.floor(fromMs / 3_600_000), Math.floor(fromMs / 60_000) % 60, Math.floor(fromMs / 1000) % 60];
  if (hours.includes(hour)) {
    const secondNow = minutes.includes(minute) ? seconds.find((value) => value >= second) : undefined;
    if (secondNow !== undefined) return timeOf(hour, minute, secondNow);
    const minuteNow = minutes.find((value) => value > minute);
    if (minuteNow !== undefined) return timeOf(hour, minuteNow, seconds[0]);
  }
  const laterHour = hours.find((value) => value > hour);
  return laterHour === undefined ? null : timeOf(laterHour, minutes[0], seconds[0]);
}

function timeOf(hour = 0, minute = 0, second = 0): number {
  return ((hour * 60 + minute) * 60 + second) * 1000;
}

function firstDayAfter(fields: CronFields, date: Date): number | null {
  const thisYear = date.getUTCFullYear();
  const thisMonth = date.getUTCMonth() + 1;
  for (let year = thisYear; year <= LAST_YEAR; year += 1) {
    if (fields.years !== null && !fields.years.includes(year)) continue;
    for (const month of fields.months) {
      if (year === thisYear && month < thisMonth) continue;
      const after = year === thisYear && month === thisMonth ? date.getUTCDate() : 0;
      const firstMs = Date.UTC(year, month - 1, 1);
      const length = (Date.UTC(year, month, 1) - firstMs) / DAY_MS;
      const firstWeekday = new Date(firstMs).getUTCDay();
      for (const day of fields.daysOfMonth) {
        if (day > length) break;
        if (day > after && fields.daysOfWeek.includes(((firstWeekday + day - 1) % 7) + 1)) return firstMs + (day - 1) * DAY_MS;
      }
    }
  }
  return null;
}
