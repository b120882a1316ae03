import { execFileSync } from 'node:child_process';
import { buildSync } from 'esbuild';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseCron, type ParsedCron } from '../../src/cron/expression.ts';
import { instantsBetween, lastInstant, nextInstant } from '../../src/cron/instants.ts';
import { Timeline } from '../../src/cron/timeline.ts';
import { readings, readingsOfUtc, walk } from './by-walking.ts';

const DAY_MS = 86_400_000;

function parsed(expression: string): ParsedCron {
  const read = parseCron(expression);
  if (!read.ok) throw new Error(read.problem);
  return read;
}

/** The next `count` instants as the clock of UTC shows them, to the second. */
function nexts(expression: string, zone: string | null, after: string, count: number): readonly string[] {
  const found: string[] = [];
  for (let wallMs: number | null = Date.parse(after); found.length < count;) {
    wallMs = nextInstant(parsed(expression), zone, wallMs);
    if (wallMs === null) return found;
    found.push(new Date(wallMs).toISOString().slice(0, 19));
  }
  return found;
}

describe('the rules, walked through minute by minute', () => {
  const expressions = [
    '*/5 * * * *', '0 * * * *', '30 */2 * * *', '0 0 * * *', '30 0 * * *', '30 1 * * *', '15,45 2 * * *', '0 3 * * *', '0,30 0-3 * * *', '30 23 * * *',
    '59 1-23/2 * * *', '0 0-23 1,15 * *', '0 2 * * 1', '30 1 * 3,4,10,11 1-3', '0 0 1 * *', '0 12 31 * *', '10 1/6 * * 7',
  ];
  const zones = [
    'America/New_York', 'Europe/London', 'Australia/Lord_Howe', 'Asia/Kathmandu', 'Asia/Kolkata', 'America/Sao_Paulo', 'Africa/Cairo', 'Africa/Casablanca',
    'America/St_Johns', 'Pacific/Apia', 'Pacific/Chatham', 'America/Santiago', 'Asia/Beirut', 'Asia/Tehran', 'Antarctica/Troll',
  ];
  /** Of ten years, some of the days on which the zone's clocks are set, and one on which they are not. */
  const sampled = (zone: string, firstYear: number): readonly number[] => {
    const format = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, hour: '2-digit', minute: '2-digit' });
    const days = Array.from({ length: 3652 }, (_, index) => Date.UTC(firstYear, 0, 1) + index * DAY_MS);
    const shown = days.map((dayMs) => format.format(dayMs));
    const set = days.filter((_, index) => index > 0 && shown[index] !== shown[index + 1] && shown[index + 1] !== undefined);
    return [...set.filter((_, index) => index % 5 === firstYear % 2).slice(0, 5), ...days.slice(40, 41)];
  };

  test.each(zones)('%s', (zone) => {
    for (const firstYear of [2008, 2021]) {
      for (const dayMs of sampled(zone, firstYear)) {
        const [fromMs, untilMs] = [dayMs - DAY_MS / 2, dayMs + 2 * DAY_MS];
        const walked = readings(zone, fromMs - DAY_MS, untilMs);
        for (const expression of expressions) {
          // A range of all hours is what a wildcard is.
          const expected = walk(expression.replace('0-23 ', '* '), walked).filter((wallMs) => wallMs > fromMs);
          const found = [...instantsBetween(parsed(expression), zone, fromMs, untilMs - 1)];
          expect(found, `${expression} from ${new Date(fromMs).toISOString()}`).toEqual(expected);
        }
      }
    }
  });

  test('ten years of UTC, minute by minute', () => {
    const [firstMs, endMs] = [Date.UTC(2020, 0, 1) - 60_000, Date.UTC(2030, 0, 1)];
    for (const expression of ['17 4 29 2 *', '0 0 31 * *', '5 6 1-7 * 2', '*/20 1,13 13 * 6']) {
      expect([...instantsBetween(parsed(expression), 'UTC', firstMs, endMs - 1)]).toEqual(walk(expression, readingsOfUtc(firstMs, endMs)));
    }
  });
});

describe('clocks that are set', () => {
  test('a fixed hour runs once when the clock shows it twice, in the first pass', () => {
    expect(nexts('30 1 * * *', 'America/New_York', '2026-10-31T12:00:00Z', 2)).toEqual(['2026-11-01T05:30:00', '2026-11-02T06:30:00']);
  });

  test('a fixed hour that is swallowed runs once, when the clock is set', () => {
    expect(nexts('30 2 * * *', 'America/New_York', '2026-03-07T12:00:00Z', 2)).toEqual(['2026-03-08T07:00:00', '2026-03-09T06:30:00']);
    expect(nexts('*/10 2 * * *', 'America/New_York', '2026-03-08T06:50:00Z', 2)).toEqual(['2026-03-08T07:00:00', '2026-03-09T06:00:00']);
  });

  test('one instant at the end of a gap stands for what was swallowed and for what is due there anyway', () => {
    expect(nexts('0 2,3 * * *', 'America/New_York', '2026-03-08T06:00:00Z', 2)).toEqual(['2026-03-08T07:00:00', '2026-03-09T06:00:00']);
  });

  test('a wildcard hour runs in both passes, and leaves nothing out', () => {
    expect(nexts('30 * * * *', 'America/New_York', '2026-11-01T05:00:00Z', 3)).toEqual(['2026-11-01T05:30:00', '2026-11-01T06:30:00', '2026-11-01T07:30:00']);
    expect(nexts('30 * * * *', 'America/New_York', '2026-03-08T06:00:00Z', 2)).toEqual(['2026-03-08T06:30:00', '2026-03-08T07:30:00']);
  });

  test('midnight that does not exist', () => {
    expect(nexts('@daily', 'America/Sao_Paulo', '2018-11-03T12:00:00Z', 2)).toEqual(['2018-11-04T03:00:00', '2018-11-05T02:00:00']);
  });

  test('a day that does not exist', () => {
    expect(nexts('0 12 30 12 *', 'Pacific/Apia', '2011-12-01T00:00:00Z', 1)).toEqual(['2011-12-30T10:00:00']);
  });

  test('half an hour', () => {
    expect(nexts('15 2 * * *', 'Australia/Lord_Howe', '2026-10-03T00:00:00Z', 2)).toEqual(['2026-10-03T15:30:00', '2026-10-04T15:15:00']);
    expect(nexts('45 1 * * *', 'Australia/Lord_Howe', '2026-04-04T00:00:00Z', 2)).toEqual(['2026-04-04T14:45:00', '2026-04-05T15:15:00']);
  });

  test('midnight that is shown twice', () => {
    expect(nexts('30 23 * * *', 'America/Santiago', '2026-04-04T12:00:00Z', 2)).toEqual(['2026-04-05T02:30:00', '2026-04-06T03:30:00']);
  });

  test('a second pass that goes beyond midnight of UTC', () => {
    // Clocks at UTC+1 that go back by two hours at 23:00 UTC: midnight to 22:00.
    const timeline = new Timeline((wallMs) => (wallMs < Date.UTC(2026, 0, 1, 23) ? 3_600_000 : -3_600_000));
    expect(timeline.pieceAt(Date.UTC(2026, 0, 1, 23, 30)).repeatedUntilMs).toBe(Date.UTC(2026, 0, 2));
    expect(timeline.pieceAt(Date.UTC(2026, 0, 2, 0, 30))).toEqual({
      startMs: Date.UTC(2026, 0, 2), endMs: Date.UTC(2026, 0, 3), offsetMs: -3_600_000, swallowedFromMs: null, repeatedUntilMs: Date.UTC(2026, 0, 2),
    });
  });

  test('clocks set at midnight of UTC', () => {
    const timeline = new Timeline((wallMs) => (wallMs < Date.UTC(2026, 0, 2) ? 0 : 3_600_000));
    expect(timeline.pieceAt(Date.UTC(2026, 0, 2))).toMatchObject({ startMs: Date.UTC(2026, 0, 2), offsetMs: 3_600_000, swallowedFromMs: Date.UTC(2026, 0, 2) });
    expect(timeline.pieceAt(Date.UTC(2026, 0, 2) - 1)).toMatchObject({ endMs: Date.UTC(2026, 0, 2), offsetMs: 0, swallowedFromMs: null });
  });
});

describe('the calendar', () => {
  test('day of month and weekday must both match', () => {
    expect(nexts('0 9 13 * FRI', 'UTC', '2026-01-01T00:00:00Z', 3)).toEqual(['2026-02-13T09:00:00', '2026-03-13T09:00:00', '2026-11-13T09:00:00']);
  });

  test('29 February waits for a leap year, on a Monday for 28 of them, and 2100 is none', () => {
    expect(nexts('0 0 29 2 *', 'UTC', '2026-01-01T00:00:00Z', 2)).toEqual(['2028-02-29T00:00:00', '2032-02-29T00:00:00']);
    expect(nexts('0 0 29 2 MON', 'UTC', '2026-01-01T00:00:00Z', 3)).toEqual(['2044-02-29T00:00:00', '2072-02-29T00:00:00']);
    expect(nexts('0 0 29 2 *', 'UTC', '2096-03-01T00:00:00Z', 1)).toEqual([]);
  });

  test('a day that a month does not have is left out there', () => {
    expect(nexts('0 0 31 * *', 'UTC', '2026-01-31T00:00:00Z', 3)).toEqual(['2026-03-31T00:00:00', '2026-05-31T00:00:00', '2026-07-31T00:00:00']);
  });

  test('years that are listed, and none after them', () => {
    expect(nexts('0 0 12 1 1 * 2027,2030', 'UTC', '2026-06-01T00:00:00Z', 5)).toEqual(['2027-01-01T12:00:00', '2030-01-01T12:00:00']);
    expect(nexts('0 0 0 1 1 * 1970', 'Asia/Tokyo', '1900-01-01T00:00:00Z', 2)).toEqual(['1969-12-31T15:00:00']);
  });

  test('seconds, and the instant itself is not after itself', () => {
    expect(nexts('*/20 59 23 31 12 *', 'UTC', '2026-12-31T23:59:20Z', 3)).toEqual(['2026-12-31T23:59:40', '2027-12-31T23:59:00', '2027-12-31T23:59:20']);
    expect(nexts('* * * * * *', 'UTC', '2026-01-01T00:00:00.250Z', 1)).toEqual(['2026-01-01T00:00:01']);
  });

  test('shorthands', () => {
    const after = '2026-11-25T10:20:30Z';
    expect(['@hourly', '@daily', '@weekly', '@monthly', '@yearly'].map((shorthand) => nexts(shorthand, 'UTC', after, 1)[0])).toEqual([
      '2026-11-25T11:00:00', '2026-11-26T00:00:00', '2026-11-29T00:00:00', '2026-12-01T00:00:00', '2027-01-01T00:00:00',
    ]);
  });
});

test('the last of many instants is the last one of a walk', () => {
  const expressions = ['* * * * * *', '*/7 * * * *', '30 2 * * *', '0 0 1 1 *', '0 0 29 2 *'];
  fc.assert(fc.property(fc.constantFrom(...expressions), fc.integer({ min: 0, max: 20_000 }), fc.integer({ min: 0, max: 4_000_000 }), (expression, day, seconds) => {
    const afterMs = day * DAY_MS + 12_345;
    const untilMs = afterMs + Math.min(seconds, expression.startsWith('* ') ? 500 : seconds) * 1000;
    const all = [...instantsBetween(parsed(expression), 'Europe/Berlin', afterMs, untilMs)];
    expect(lastInstant(parsed(expression), 'Europe/Berlin', afterMs, untilMs)).toBe(all.at(-1) ?? null);
    expect(all.every((instant, index) => instant > (all[index - 1] ?? afterMs) && instant <= untilMs)).toBe(true);
  }), { numRuns: 60 });
});

test('the last of a year of seconds does not take a walk through them', () => {
  expect(lastInstant(parsed('* * * * * *'), 'UTC', 0, Date.UTC(2026, 0, 1))).toBe(Date.UTC(2026, 0, 1));
});

test('without a zone the clock of the system is meant', () => {
  const { outputFiles } = buildSync({
    stdin: {
      contents: `import { nextInstant } from './src/cron/instants.ts'; import { parseCron } from './src/cron/expression.ts';
        console.log(nextInstant(parseCron('30 2 * * *'), null, ${Date.UTC(2026, 2, 8, 6)}));`,
      resolveDir: process.cwd(),
    },
    bundle: true, platform: 'node', write: false,
  });
  const next = (zone: string): number => Number(execFileSync(process.execPath, ['-e', outputFiles[0]?.text ?? ''], { env: { TZ: zone }, encoding: 'utf8' }));
  expect([next('America/New_York'), next('UTC')]).toEqual([Date.UTC(2026, 2, 8, 7), Date.UTC(2026, 2, 9, 2, 30)]);
});
