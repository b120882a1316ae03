import { parseCron } from '../cron/expression.ts';
import { refuse, type Refused } from '../errors.ts';

const days = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

export type ImportedCron = { readonly ok: true; readonly expression: string; readonly changed: string | null } | Refused;

/** A crontab's expression, 0 and 7 being Sunday, as one of ours, where 1 is Sunday: with the names of the days. */
export function importCron(written: string): ImportedCron {
  const fields = written.trim().split(/\s+/);
  const weekday = fields.length === 5 ? 4 : 5;
  const named = written.startsWith('@') ? written.trim() : fields.map((field, index) => (index === weekday ? namedDays(field) : field)).join(' ');
  const parsed = parseCron(named);
  if (!parsed.ok) return refuse(parsed.problem);
  const both = fields.length >= 5 && isLimited(fields[weekday - 2]) && isLimited(fields[weekday]);
  return { ok: true, expression: named, changed: both ? 'day of month and weekday must both match here; cron runs where one of them does' : null };
}

function isLimited(field: string | undefined): boolean {
  return field !== undefined && field !== '*' && field !== '?';
}

function namedDays(field: string): string {
  return field.split(',').map((part) => {
    const [range = '', step] = part.split('/');
    const [from = null, to = null] = range.split('-').map((day) => (/^\d+$/.test(day) ? Number(day) : null));
    if (from === null || from > 7) return part;
    if (step !== undefined || to === 7 || (to !== null && to <= from)) return listed(from, to ?? (step === undefined ? from : 6), Number(step ?? 1));
    return (to === null ? [from] : [from, to]).map((day) => days[day % 7]).join('-');
  }).join(',');
}

/** Each day by its name: Sunday as 7 ends a week there and begins one here. */
function listed(from: number, to: number, step: number): string {
  const found: string[] = [];
  for (let day = from; day <= (to < from ? to + 7 : to) && step > 0; day += step) found.push(days[day % 7] ?? '');
  return [...new Set(found)].join(',');
}
