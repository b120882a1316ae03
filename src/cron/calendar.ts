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
const END_MS = Date.UTC(LAST_YEAR + 1, 0, 1);
export const DAY_MS = 86_400_000;

/**
 * The first moment not before `fromMs` that the fields name, on a calendar without time zones; `null` when there is none
 * up to the end of the year 2100. Both are milliseconds as `Date.UTC` counts them, of a wall clock's reading.
 */
export function firstMatch(fields: CronFields, fromMs: number): number | null {
  let dayMs = Math.floor(fromMs / DAY_MS) * DAY_MS;
  while (dayMs < END_MS) {
    const date = new Date(dayMs);
    const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
    if (fields.years !== null && !fields.years.includes(year)) dayMs = Date.UTC(year + 1, 0, 1);
    else if (!fields.months.includes(month + 1)) dayMs = Date.UTC(year, month + 1, 1);
    else {
      const isNamed = fields.daysOfMonth.includes(date.getUTCDate()) && fields.daysOfWeek.includes(date.getUTCDay() + 1);
      const timeMs = isNamed ? firstTime(fields, fromMs - dayMs) : null;
      if (timeMs !== null) return dayMs + timeMs;
      dayMs += DAY_MS;
    }
  }
  return null;
}

/** Milliseconds since midnight, at least `fromMs`. */
function firstTime({ hours, minutes, seconds }: CronFields, fromMs: number): number | null {
  for (const hour of hours) {
    if ((hour + 1) * 3_600_000 <= fromMs) continue;
    for (const minute of minutes) {
      const minuteMs = (hour * 60 + minute) * 60_000;
      const second = minuteMs + 60_000 <= fromMs ? undefined : seconds.find((value) => minuteMs + value * 1000 >= fromMs);
      if (second !== undefined) return minuteMs + second * 1000;
    }
  }
  return null;
}
