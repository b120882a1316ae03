import type { CronSpec } from '../../machines/types.ts';
import { DAY_MS, firstMatch } from '../cron/calendar.ts';
import { isTimezone, localZoneProblem, namedWeekdays, parseCron } from '../cron/expression.ts';
import { choice, duration, either, filled, meaning, text, type Kind } from './kind.ts';
import { below, complain, note, warn } from './place.ts';
import { defaultsOf, optional, record, required, withDefault } from './record.ts';

const expression = filled('a cron expression');

const cronKeys = {
  expression: required(expression, '5, 6 (with seconds) or 7 fields (with years), or a shorthand such as @daily. Weekdays: 1 is Sunday, or names.'),
  timezone: optional(text, 'IANA name, `UTC` or `local` (the default).'),
  overlap: withDefault(choice(['skip', 'queue', 'replace']), 'What a run does that is due while the previous one goes on.', 'skip'),
  timeout: optional(duration('positive'), 'Time a run may take.'),
  catch_up: withDefault(choice(['none', 'last']), '`last` makes up for one missed run at start.', 'none'),
};

const bare = meaning({ ...expression, schema: { type: 'string' } }, (written) => ({ ...defaultsOf(cronKeys), expression: written }));

export const cron: Kind<CronSpec> = meaning(either(bare, record(cronKeys, 'cron keys')), (values, place) => {
  const { overlap, catch_up: catchUp, timeout: timeoutMs } = values;
  const timezone = zone(values.timezone);
  const written = below(place, 'expression') ?? place;
  const parsed = parseCron(values.expression);
  if (!parsed.ok) complain(written, parsed.problem);
  else {
    // In every zone: none is a day away from UTC.
    if (firstMatch(parsed.fields, Date.now() - DAY_MS) === null) warn(written, 'never due again: its years are over');
    const days = namedWeekdays(values.expression);
    if (days !== null) note(written, `weekdays ${days}; names are recommended`);
  }
  if (timezone !== null && !isTimezone(timezone)) {
    complain(below(place, 'timezone'), `Invalid timezone '${timezone}': expected 'local', 'UTC' or an IANA name such as 'Europe/Paris'`);
  }
  const unknown = timezone === null ? localZoneProblem() : null;
  if (unknown !== null) complain(below(place, 'timezone') ?? written, unknown);
  return { expression: values.expression, timezone, overlap, timeoutMs, catchUp };
});

function zone(written: string | null): string | null {
  const name = (written ?? '').trim();
  if (name === '' || name.toLowerCase() === 'local') return null;
  return name.toLowerCase() === 'utc' ? 'UTC' : name;
}
