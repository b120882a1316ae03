import fc from 'fast-check';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { CronFields } from '../../src/cron/calendar.ts';
import { isTimezone, localZoneProblem, namedWeekdays, parseCron } from '../../src/cron/expression.ts';
import { loaded, refusals } from '../config/config-dir.ts';

function fields(expression: string): CronFields {
  const parsed = parseCron(expression);
  if (!parsed.ok) throw new Error(parsed.problem);
  return parsed.fields;
}

test('five fields begin with minutes, six with seconds, seven end with years', () => {
  expect(fields('5 4 3 2 1')).toEqual({ seconds: [0], minutes: [5], hours: [4], daysOfMonth: [3], months: [2], daysOfWeek: [1], years: null });
  expect(fields('6 5 4 3 2 1')).toMatchObject({ seconds: [6], minutes: [5], daysOfWeek: [1], years: null });
  expect(fields('6 5 4 3 2 1 2030-2032')).toMatchObject({ seconds: [6], years: [2030, 2031, 2032] });
});

test('weekdays: 1 is Sunday, 7 is Saturday, 0 is Sunday too, names mean themselves', () => {
  const days = (field: string): readonly number[] => fields(`0 0 * * ${field}`).daysOfWeek;
  expect([days('1'), days('7'), days('0'), days('0,1'), days('SUN'), days('sat'), days('mon-FRIDAY'), days('*'), days('?'), days('*/2')]).toEqual([
    [1], [7], [1], [1], [1], [7], [2, 3, 4, 5, 6], [1, 2, 3, 4, 5, 6, 7], [1, 2, 3, 4, 5, 6, 7], [1, 3, 5, 7],
  ]);
});

test('lists, ranges and steps', () => {
  expect(fields('*/20 1-3,5 10-20/5 JAN,Mar *')).toMatchObject({ minutes: [0, 20, 40], hours: [1, 2, 3, 5], daysOfMonth: [10, 15, 20], months: [1, 3] });
  expect(fields('50/3 * * * *').minutes).toEqual([50, 53, 56, 59]);
});

test('a step beyond the range is refused, one as long as the range is its first value', () => {
  const problem = (expression: string): string | null => {
    const parsed = parseCron(expression);
    return parsed.ok ? null : parsed.problem;
  };
  expect(problem('*/90 * * * *')).toBe(`Invalid cron expression '*/90 * * * *': minute: expected a step of at most 60, got "*/90"`);
  expect(problem('0 */25 * * *')).toContain('hour: expected a step of at most 24');
  expect(problem('5/61 * * * *')).toContain('minute: expected a step of at most 60');
  expect(problem('10-20/30 * * * *')).toContain('minute: expected a step of at most 11');
  expect([fields('*/60 * * * *').minutes, fields('5/60 * * * *').minutes, fields('0 */24 * * *').hours, fields('0 0 * */12 *').months]).toEqual([[0], [5], [0], [1]]);
});

test('a TZ that would be taken for another zone is refused', () => {
  const offset = -new Date().getTimezoneOffset() / 60;
  expect(['', 'UTC', ':Europe/Berlin', 'EST5EDT', `ABC${-offset}`].map((zone) => localZoneProblem(zone))).toEqual([null, null, null, null, null]);
  expect(localZoneProblem('CET-1CEST,M3.5.0,M10.5.0/3')).toBe(
    `the local time zone is not known, since sysg cannot read TZ="CET-1CEST,M3.5.0,M10.5.0/3"; write a timezone such as 'Europe/Paris' beside the expression, or set TZ to one`);
  expect(localZoneProblem('/usr/share/zoneinfo/Asia/Tokyo')).toContain("such as 'Asia/Tokyo'");
  expect(localZoneProblem('Nowhere/X')).not.toBeNull();
  vi.stubEnv('TZ', '<+03>-3');
  onTestFinished(() => void vi.unstubAllEnvs());
  expect(refusals('version: "1"\nservices:\n  a: {command: b, cron: "@daily"}\n  c: {command: b, cron: {expression: "@daily", timezone: UTC}}\n')).toEqual([
    expect.stringMatching(/^sysg.yaml:3:25: services.a.cron: the local time zone is not known/),
  ]);
});

test('shorthands', () => {
  expect(fields('@weekly')).toEqual(fields('0 0 0 * * SUN'));
  expect(fields('@HOURLY')).toEqual(fields('0 0 * * * *'));
});

describe('what is no expression is refused', () => {
  test.each(['', '* * * *', '* * * * * * * *', '@noon', '60 * * * *', '* 24 * * *', '* * 0 * *', '* * * 13 *', '* * * * 8', '? * * * *', '5-1 * * * *', '*/0 * * * *', 'a * * * *', '1- * * * *', '-1 * * * *', '1,,2 * * * *', '* * * foo *', '0 0 30 feb *', '1/2/3 * * * *'])('%s', (expression) => {
    expect(parseCron(expression).ok).toBe(false);
  });
});

test('a field is never empty, out of range or out of order', () => {
  const field = fc.oneof(fc.constant('*'), fc.integer({ min: 0, max: 80 }).map(String), fc.tuple(fc.nat(60), fc.nat(60), fc.nat(9)).map(([from, to, step]) => `${from}-${to}/${step}`));
  fc.assert(fc.property(fc.array(field, { minLength: 5, maxLength: 7 }), (parts) => {
    const parsed = parseCron(parts.join(' '));
    if (!parsed.ok) return;
    for (const values of Object.values(parsed.fields)) expect(values === null || (values.length > 0 && values.every((value: number, index: number) => index === 0 || value > values[index - 1]))).toBe(true);
    expect(parsed.fields.hours.every((hour) => hour <= 23) && parsed.fields.daysOfWeek.every((day) => day >= 1 && day <= 7)).toBe(true);
  }));
});

test('zones are names of the database', () => {
  expect(['UTC', 'America/New_York', '+02:00', 'Atlantis'].map(isTimezone)).toEqual([true, true, false, false]);
  expect(refusals('version: "1"\nservices: {a: {command: b, cron: {expression: "@daily", timezone: "+02:00"}}}\n')).toEqual([
    expect.stringContaining("Invalid timezone '+02:00'"),
  ]);
});

test('numbered weekdays are noted with their names', () => {
  expect(['0 0 * * 1-5', '0 0 0 * * 0,7', '0 0 * * MON', '0 0 * * *', '0 0 * * 2/2'].map(namedWeekdays)).toEqual(['1-5 = SUN-THU', '0,7 = SUN,SAT', null, null, '2/2 = MON/2']);
  expect(loaded('version: "1"\nservices: {a: {command: b, cron: "0 9 * * 2-6"}}\n').notes.map(({ message }) => message)).toEqual(['weekdays 2-6 = MON-FRI; names are recommended']);
});

test('an hour with a wildcard or a step, or all hours, goes by the clock; any other is fixed', () => {
  const hours = ['*', '*/2', '0-23', '2/3', '0-12/4', '1,*/6', '2', '2,14', '9-17'];
  expect(hours.map((hour) => parseCron(`0 ${hour} * * *`)).map((parsed) => parsed.ok && parsed.elapsedHours)).toEqual([true, true, true, true, true, true, false, false, false]);
});

test('what no day of the calendar matches is refused, a weekday and a year included', () => {
  const problem = (expression: string): string | null => {
    const parsed = parseCron(expression);
    return parsed.ok ? null : parsed.problem;
  };
  expect(problem('0 0 30 2 *')).toBe("Invalid cron expression '0 0 30 2 *': never due: no day from 1970 to 2100 is day 30, month 2");
  expect(problem('0 0 31 4,6,9,11 *')).toContain('never due');
  expect(problem('0 0 0 29 2 ? 2023,2025-2027')).toContain('never due: no day from 1970 to 2100 is day 29, month 2, year 2023,2025-2027');
  expect(problem('0 0 0 1 1 MON 2026')).toContain('never due');
  expect([problem('0 0 29 2 *'), problem('0 0 29 2 MON'), problem('0 0 0 1 1 THU 2026'), problem('0 0 0 29 2 * 2024')]).toEqual([null, null, null, null]);
});

test('an expression whose years are over is warned of', () => {
  expect(loaded('version: "1"\nservices: {a: {command: b, cron: "0 0 0 1 1 * 2020"}}\n').warnings.map(({ message }) => message)).toEqual(['never due again: its years are over']);
});
