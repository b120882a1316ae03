import { describe, expect, test } from 'vitest';
import { openSchedule } from '../../src/cron/schedule.ts';
import type { SchedulePort } from '../../machines/ports.ts';
import { cronOf, makeListener, makeVirtualTime, type VirtualTime } from './virtual-time.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

function rig(start: string, lastRuns: Readonly<Record<string, string>> = {}): { readonly time: VirtualTime; readonly schedule: SchedulePort } {
  const time = makeVirtualTime(start);
  const lastRunWallMs = (unit: string): number | null => (lastRuns[unit] === undefined ? null : Date.parse(lastRuns[unit]));
  return { time, schedule: openSchedule({ clock: time.clock, wallNow: time.wallNow, lastRunWallMs }) };
}

test('the next instant is reported at once, each instant when it comes, and the one after it', () => {
  const { time, schedule } = rig('2026-11-23T10:59:30Z');
  const job = makeListener();
  schedule.watch(job.ref, 'job', cronOf('0 * * * *'));
  expect(job.heard).toEqual(['next 11-23 11:00:00']);
  time.pass(29_999);
  expect(job.heard).toHaveLength(1);
  time.pass(1);
  expect(job.heard).toEqual(['next 11-23 11:00:00', 'due 11-23 11:00:00', 'next 11-23 12:00:00']);
});

test('a year of days, with New York setting its clocks twice', () => {
  const { time, schedule } = rig('2026-01-01T00:00:00Z');
  const job = makeListener();
  schedule.watch(job.ref, 'job', cronOf('30 2 * * *', { timezone: 'America/New_York' }));
  time.pass(365 * DAY_MS);
  expect(job.dues()).toHaveLength(365);
  expect(job.dues().filter((due) => due.startsWith('03-08') || due.startsWith('11-01'))).toEqual(['03-08 07:00:00', '11-01 07:30:00']);
});

test('one timer for all, for a minute at most, and none without schedules', () => {
  const { time, schedule } = rig('2026-11-23T10:00:00Z');
  const [daily, soon] = [makeListener(), makeListener()];
  schedule.watch(daily.ref, 'daily', cronOf('@daily'));
  expect(time.pending()).toEqual([60_000]);
  schedule.watch(soon.ref, 'soon', cronOf('20 * * * * *'));
  expect(time.pending()).toEqual([20_000]);
  schedule.watch(daily.ref, 'daily', cronOf('@daily'));
  expect(time.pending()).toEqual([20_000]);
  schedule.unwatch(soon.ref);
  schedule.unwatch(daily.ref);
  expect(time.pending()).toEqual([]);
  schedule.watch(daily.ref, 'over', cronOf('0 0 0 1 1 * 2020'));
  expect([daily.heard.at(-1), time.pending()]).toEqual(['next never', []]);
  schedule.watch(soon.ref, 'once', cronOf('20 0 10 23 11 * 2026'));
  time.pass(20_000);
  expect([soon.heard.at(-1), time.pending()]).toEqual(['next never', []]);
});

test('a timer that goes off early reports nothing before it is time', () => {
  const { time, schedule } = rig('2026-11-23T10:59:50Z');
  const job = makeListener();
  schedule.watch(job.ref, 'job', cronOf('0 * * * *'));
  time.setWall(-3);
  time.pass(10_000);
  expect([job.dues(), time.pending()]).toEqual([[], [3]]);
  time.pass(3);
  expect(job.dues()).toEqual(['11-23 11:00:00']);
});

test('units whose instants fall together are all reported; one that leaves meanwhile is not', () => {
  const { time, schedule } = rig('2026-11-23T10:59:50Z');
  const last = makeListener();
  const middle = makeListener();
  const first = makeListener((report) => report.type === 'due' && schedule.unwatch(last.ref));
  for (const [unit, { ref }] of Object.entries({ first, middle, last })) schedule.watch(ref, unit, cronOf('0 * * * *'));
  time.pass(10_000);
  expect([first.dues(), middle.dues(), last.dues()]).toEqual([['11-23 11:00:00'], ['11-23 11:00:00'], []]);
});

test('who leaves when it is due hears no more', () => {
  const { time, schedule } = rig('2026-11-23T10:59:50Z');
  const job = makeListener((report) => report.type === 'due' && schedule.unwatch(job.ref));
  schedule.watch(job.ref, 'job', cronOf('0 * * * *'));
  time.pass(2 * HOUR_MS);
  expect(job.heard).toEqual(['next 11-23 11:00:00', 'due 11-23 11:00:00']);
});

describe('watching again', () => {
  test('the same expression reports the next instant again, and no instant twice', () => {
    const { time, schedule } = rig('2026-11-23T10:59:50Z', { job: '2026-11-01T00:00:00Z' });
    const job = makeListener((report) => report.type === 'due' && schedule.watch(job.ref, 'job', cronOf('0 * * * *', { overlap: 'queue' })));
    schedule.watch(job.ref, 'job', cronOf('0 * * * *'));
    time.pass(HOUR_MS);
    expect(job.dues()).toEqual(['11-23 11:00:00']);
    expect(job.heard.at(-1)).toBe('next 11-23 12:00:00');
  });

  test('another expression or zone takes the place of the one before', () => {
    const { time, schedule } = rig('2026-11-23T10:59:50Z');
    const job = makeListener();
    schedule.watch(job.ref, 'job', cronOf('0 * * * *'));
    schedule.watch(job.ref, 'job', cronOf('30 * * * *'));
    time.pass(HOUR_MS);
    expect(job.dues()).toEqual(['11-23 11:30:00']);
    schedule.watch(job.ref, 'job', cronOf('30 12 * * *', { timezone: 'Asia/Kathmandu' }));
    expect(job.heard.at(-1)).toBe('next 11-24 06:45:00');
  });
});

describe('instants that passed while nobody supervised', () => {
  const lastRuns = { job: '2026-11-23T02:00:00Z' };

  test('are left alone', () => {
    const { schedule } = rig('2026-11-23T10:59:50Z', lastRuns);
    const job = makeListener();
    schedule.watch(job.ref, 'job', cronOf('0 * * * *'));
    expect(job.heard).toEqual(['next 11-23 11:00:00']);
  });

  test('with `last`: the last of them, once', () => {
    const { time, schedule } = rig('2026-11-23T10:59:50Z', lastRuns);
    const job = makeListener();
    const cron = cronOf('0 * * * *', { catchUp: 'last' });
    schedule.watch(job.ref, 'job', cron);
    expect(job.heard).toEqual(['next 11-23 11:00:00', 'due 11-23 10:00:00']);
    schedule.unwatch(job.ref);
    schedule.watch(job.ref, 'job', cron);
    time.pass(5000);
    expect(job.dues()).toEqual(['11-23 10:00:00']);
  });

  test.each(['queue', 'replace'] as const)('while a run went on that goes on still, with `%s`: the last of them, once, since it waited for that run', (overlap) => {
    const { time, schedule } = rig('2026-11-23T03:59:50Z', lastRuns);
    const job = makeListener();
    const cron = cronOf('0 * * * *', { overlap });
    schedule.watch(job.ref, 'job', cron, true);
    schedule.watch(job.ref, 'job', cron, true);
    expect(job.dues()).toEqual(['11-23 03:00:00']);
    time.pass(10_000);
    expect(job.dues()).toEqual(['11-23 03:00:00', '11-23 04:00:00']);
  });

  test('while a run went on, with `skip`: nothing', () => {
    const { schedule } = rig('2026-11-23T03:59:50Z', lastRuns);
    const job = makeListener();
    schedule.watch(job.ref, 'job', cronOf('0 * * * *', { overlap: 'skip' }), true);
    expect(job.dues()).toEqual([]);
  });

  test('with `last`, when there was none, or never a run: nothing', () => {
    const { schedule } = rig('2026-11-23T02:59:50Z', lastRuns);
    const [job, fresh] = [makeListener(), makeListener()];
    schedule.watch(job.ref, 'job', cronOf('0 * * * *', { catchUp: 'last' }));
    schedule.watch(fresh.ref, 'fresh', cronOf('0 * * * *', { catchUp: 'last' }));
    expect([job.dues(), fresh.dues()]).toEqual([[], []]);
  });
});

describe('the wall clock', () => {
  test('stopped for hours: one instant is reported, the last that passed, and the next in time', () => {
    const { time, schedule } = rig('2026-11-23T10:30:00Z');
    const job = makeListener();
    schedule.watch(job.ref, 'job', cronOf('0 * * * *'));
    time.freeze(3 * HOUR_MS);
    expect(job.dues()).toEqual(['11-23 13:00:00']);
    time.pass(30 * MINUTE_MS);
    expect(job.dues()).toEqual(['11-23 13:00:00', '11-23 14:00:00']);
  });

  test('set forward: noticed within a minute, reported once', () => {
    const { time, schedule } = rig('2026-11-23T10:30:00Z');
    const job = makeListener();
    schedule.watch(job.ref, 'job', cronOf('0 * * * *'));
    time.setWall(2 * HOUR_MS);
    time.pass(MINUTE_MS);
    expect(job.dues()).toEqual(['11-23 12:00:00']);
    time.pass(29 * MINUTE_MS);
    expect(job.dues()).toEqual(['11-23 12:00:00', '11-23 13:00:00']);
  });

  test('set forward by half a minute over an instant: it is reported', () => {
    const { time, schedule } = rig('2026-11-23T10:59:10Z');
    const job = makeListener();
    schedule.watch(job.ref, 'job', cronOf('0 * * * *'));
    time.setWall(55_000);
    time.pass(50_000);
    expect(job.dues()).toEqual(['11-23 11:00:00']);
  });

  test('set back: what it shows again is not reported again', () => {
    const { time, schedule } = rig('2026-11-23T08:30:00Z');
    const job = makeListener();
    schedule.watch(job.ref, 'job', cronOf('0 * * * *'));
    time.pass(2 * HOUR_MS);
    time.setWall(-90 * MINUTE_MS);
    time.pass(2 * HOUR_MS + 30 * MINUTE_MS);
    expect(job.dues()).toEqual(['11-23 09:00:00', '11-23 10:00:00', '11-23 11:00:00']);
  });

  test('set back by a second just after an instant: it is not reported again', () => {
    const { time, schedule } = rig('2026-11-23T10:59:50Z');
    const job = makeListener();
    schedule.watch(job.ref, 'job', cronOf('0 * * * *'));
    time.pass(10_000);
    time.setWall(-1000);
    time.pass(HOUR_MS - 1);
    expect(job.dues()).toEqual(['11-23 11:00:00']);
  });

  test('set back to before the watch began: what has not been yet is reported, with the new next instant', () => {
    const { time, schedule } = rig('2027-06-01T10:30:00Z');
    const job = makeListener();
    schedule.watch(job.ref, 'job', cronOf('0 12 * * *'));
    time.setWall(Date.parse('2026-11-23T10:30:00Z') - Date.parse('2027-06-01T10:30:00Z'));
    time.pass(2 * HOUR_MS);
    expect(job.heard).toEqual(['next 06-01 12:00:00', 'next 11-23 12:00:00', 'due 11-23 12:00:00', 'next 11-24 12:00:00']);
  });

  test('set back twice, beyond the beginning of the watch: no instant twice', () => {
    const { time, schedule } = rig('2026-11-23T20:30:00Z');
    const job = makeListener();
    schedule.watch(job.ref, 'job', cronOf('0 * * * *'));
    time.setWall(-10 * HOUR_MS);
    time.pass(2 * HOUR_MS);
    time.setWall(-1 * HOUR_MS);
    time.pass(3 * HOUR_MS);
    expect(job.dues()).toEqual(['11-23 11:00:00', '11-23 12:00:00', '11-23 13:00:00', '11-23 14:00:00']);
  });

  test('set forward onto hours that it showed before: what was reported then is not reported again', () => {
    const { time, schedule } = rig('2026-11-23T10:30:00Z');
    const job = makeListener();
    schedule.watch(job.ref, 'job', cronOf('0 * * * *'));
    time.setWall(5 * HOUR_MS);
    time.pass(HOUR_MS);
    time.setWall(-5 * HOUR_MS);
    time.pass(40 * MINUTE_MS);
    expect(job.dues()).toEqual(['11-23 15:00:00', '11-23 16:00:00', '11-23 12:00:00']);
    time.setWall(3.5 * HOUR_MS);
    time.pass(90 * MINUTE_MS);
    expect(job.dues().slice(3)).toEqual(['11-23 13:00:00', '11-23 17:00:00']);
  });

  test('ahead by a year for a while: no year of silence follows, and what ran ahead does not run again', () => {
    const { time, schedule } = rig('2026-11-23T10:30:00Z');
    const job = makeListener();
    schedule.watch(job.ref, 'job', cronOf('0 12 * * *'));
    time.setWall(365 * DAY_MS);
    time.pass(2 * HOUR_MS);
    time.setWall(-365 * DAY_MS);
    expect(job.dues()).toEqual(['11-22 12:00:00', '11-23 12:00:00']);
    time.pass(364 * DAY_MS);
    // The last of the 364 days is the one that was reported while the clock was ahead.
    const reported = job.dues().slice(2);
    expect([reported[0], reported.length, new Set(reported).size]).toEqual(['11-24 12:00:00', 363, 363]);
    expect(reported).not.toContain('11-23 12:00:00');
  });

  test('slewed back by milliseconds all day: each instant once', () => {
    const { time, schedule } = rig('2026-11-23T00:00:30Z');
    const job = makeListener();
    schedule.watch(job.ref, 'job', cronOf('*/10 * * * *'));
    for (let step = 0; step < 24 * 60; step += 1) {
      time.pass(MINUTE_MS);
      time.setWall(-5);
    }
    expect(job.dues()).toHaveLength(24 * 6);
    expect(new Set(job.dues()).size).toBe(24 * 6);
  });
});
