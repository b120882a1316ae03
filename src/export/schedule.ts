import type { CronSpec } from '../../machines/types.ts';
import { parseCron } from '../cron/expression.ts';
import { twoDigits } from '../words.ts';

const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

/** `OnCalendar` of a timer: systemd.time(7). Day of month and weekday must both match there, too. */
export function calendarOf({ expression, timezone }: CronSpec): string | null {
  const parsed = parseCron(expression);
  if (!parsed.ok) return null;
  const { fields } = parsed;
  const list = (values: readonly number[], count: number): string => (values.length === count ? '*' : values.map(twoDigits).join(','));
  const weekdays = fields.daysOfWeek.length === 7 ? '' : `${fields.daysOfWeek.map((day) => days[day - 1]).join(',')} `;
  const years = fields.years === null ? '*' : fields.years.join(',');
  const date = `${years}-${list(fields.months, 12)}-${list(fields.daysOfMonth, 31)}`;
  const time = `${list(fields.hours, 24)}:${list(fields.minutes, 60)}:${list(fields.seconds, 60)}`;
  return `${weekdays}${date} ${time}${timezone === null ? '' : ` ${timezone}`}`;
}

/** Five fields of a crontab, 0 being Sunday, and what is not the same there; null where they cannot say it. */
export function crontabOf({ expression }: CronSpec): { readonly schedule: string; readonly changed: string | null } | null {
  const parsed = parseCron(expression);
  if (!parsed.ok) return null;
  const { seconds, minutes, hours, daysOfMonth, months, daysOfWeek, years } = parsed.fields;
  if (seconds.length !== 1 || seconds[0] !== 0 || years !== null) return null;
  const field = (values: readonly number[], count: number): string => (values.length === count ? '*' : ranges(values));
  const schedule = [field(minutes, 60), field(hours, 24), field(daysOfMonth, 31), field(months, 12), field(daysOfWeek.map((day) => day - 1), 7)].join(' ');
  const both = daysOfMonth.length < 31 && daysOfWeek.length < 7;
  return { schedule, changed: both ? 'a crontab runs where the day of the month or the weekday matches; here both must' : null };
}

/** `1-5,7` */
function ranges(values: readonly number[]): string {
  const parts: string[] = [];
  for (let from = 0; from < values.length;) {
    let to = from;
    while (values[to + 1] === (values[to] ?? 0) + 1) to += 1;
    parts.push(to > from + 1 ? `${values[from]}-${values[to]}` : values.slice(from, to + 1).join(','));
    from = to + 1;
  }
  return parts.join(',');
}
