import type { CronSpec } from '../../machines/types.ts';
import { firstMatch } from '../cron/calendar.ts';
import { checkCron, namedWeekdays, parseCron } from '../cron/expression.ts';
import { choice, duration, filled, text, type Kind } from './kind.ts';
import { below, complain, note, warn, type Place } from './place.ts';
import { optional, record, required, withDefault } from './record.ts';

const expression = filled('a cron expression');

const block = record({
  expression: required(expression, '5, 6 (with seconds) or 7 fields (with years), or a shorthand such as @daily. Weekdays: 1 is Sunday, or names.'),
  timezone: optional(text, 'IANA name, `UTC` or `local` (the default).'),
  overlap: withDefault(choice(['skip', 'queue', 'replace']), 'What a run does that is due while the previous one goes on.', 'skip'),
  timeout: optional(duration('positive'), 'Time a run may take.'),
  catch_up: withDefault(choice(['none', 'last']), '`last` makes up for one missed run at start.', 'none'),
}, 'cron keys');

export const cron: Kind<CronSpec> = {
  schema: { anyOf: [{ type: 'string' }, block.schema] },
  read(place) {
    if (place.node.kind === 'scalar') {
      const written = expression.read(place);
      return written === undefined ? undefined : checked(place, { expression: written, timezone: null, overlap: 'skip', timeoutMs: null, catchUp: 'none' });
    }
    const values = block.read(place);
    if (values === undefined) return undefined;
    const { overlap, catch_up: catchUp, timeout: timeoutMs } = values;
    return checked(place, { expression: values.expression, timezone: zone(values.timezone), overlap, timeoutMs, catchUp });
  },
};

function checked(place: Place, spec: CronSpec): CronSpec {
  const written = below(place, 'expression') ?? place;
  const wrong = checkCron(spec.expression, null);
  if (wrong !== null) complain(written, wrong);
  if (wrong === null && isPast(spec.expression)) warn(written, 'never due again: its years are over');
  const days = wrong === null ? namedWeekdays(spec.expression) : null;
  if (days !== null) note(written, `weekdays ${days}; names are recommended`);
  const wrongZone = spec.timezone === null ? null : checkCron('* * * * *', spec.timezone);
  if (wrongZone !== null) complain(below(place, 'timezone') ?? place, wrongZone);
  return spec;
}

/** In every zone: none is a day away from UTC. */
function isPast(expression: string): boolean {
  const parsed = parseCron(expression);
  return parsed.ok && firstMatch(parsed.fields, Date.now() - 86_400_000) === null;
}

function zone(written: string | null): string | null {
  const name = (written ?? '').trim();
  if (name === '' || name.toLowerCase() === 'local') return null;
  return name.toLowerCase() === 'utc' ? 'UTC' : name;
}
