import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { CronRun } from '../../src/cron/summary.ts';
import { cronHealth, cronStatus, timezoneLabel, withRun } from '../../src/cron/summary.ts';
import type { MetricSample } from '../../src/wire/payloads.ts';

const nowMs = Date.parse('2026-11-23T02:20:00Z');

function runOf(id: string, changes: Partial<CronRun> = {}): CronRun {
  const startedWallMs = Date.parse('2026-11-23T02:15:00Z');
  return {
    id, scheduledWallMs: startedWallMs, startedWallMs, completedWallMs: startedWallMs + 1000, status: 'Success', exitCode: 0, pid: 77, user: 'nobody', command: 'echo never',
    ...changes,
  };
}

const overlap: Partial<CronRun> = { status: 'OverlapError', exitCode: null, pid: null, user: null, command: null };
const without = { samplesBetween: (): readonly MetricSample[] => [] };

function golden(name: string): unknown {
  const lines = readFileSync(join(import.meta.dirname, '../fixtures/wire/cron.jsonl'), 'utf8').trim().split('\n');
  const exchange: { response: string } = JSON.parse(lines.find((line) => line.includes(`"${name}"`)) ?? '{}');
  return JSON.parse(exchange.response).Status.units[0].cron;
}

describe('the cron block', () => {
  test('is that of systemg for the same runs, to the order of the keys', () => {
    const runs = [
      runOf('1', { completedWallMs: Date.parse('2026-11-23T02:15:01.900Z') }),
      runOf('2', {
        startedWallMs: Date.parse('2026-11-23T02:16:40.250Z'), completedWallMs: Date.parse('2026-11-23T02:16:43Z'), status: { Failed: 'Process exited with code 4' },
        exitCode: 4, pid: 78,
      }),
      runOf('3', { ...overlap, startedWallMs: Date.parse('2026-11-23T02:18:20Z'), completedWallMs: Date.parse('2026-11-23T02:18:20Z') }),
    ];
    const block = cronStatus({ timezone: 'America/New_York', runs, ...without }, nowMs);
    expect(JSON.stringify(block)).toBe(JSON.stringify(golden('cron-status-failed-and-overlap-from-prepared-state-file')));
  });

  test('of a unit that never ran has neither runs nor keys for them', () => {
    expect(cronStatus({ timezone: 'UTC', runs: [], ...without }, nowMs)).toEqual(golden('cron-status-before-first-run'));
  });

  test('a run that goes on has no end and no status', () => {
    const { last_run: last } = cronStatus({ timezone: null, runs: [runOf('1', { completedWallMs: null, status: null, exitCode: null })], ...without }, nowMs);
    expect(last).toEqual({ started_at: '2026-11-23T02:15:00Z', pid: 77, user: 'nobody', command: 'echo never' });
  });

  test('a run shows the samples of its own time, one that goes on those up to now, an overlap none', () => {
    const asked: unknown[] = [];
    const sample = { timestamp: 'then', cpu_percent: 1, rss_bytes: 2, io_read_bytes: 3, io_write_bytes: 4, net_rx_bytes: 0, net_tx_bytes: 0 };
    const runs = [runOf('1'), runOf('2', { ...overlap }), runOf('3', { completedWallMs: null, status: null })];
    const block = cronStatus({
      timezone: 'UTC', runs, samplesBetween: (...span) => {
        asked.push(span);
        return span[1] === nowMs ? [sample] : [];
      },
    }, nowMs);
    const { startedWallMs } = runOf('1');
    expect(asked).toEqual([[startedWallMs, nowMs, 60], [startedWallMs, startedWallMs + 1000, 60]]);
    expect(block.recent_runs?.map(({ metrics }) => metrics)).toEqual([[sample], undefined, undefined]);
  });
});

describe('what is kept', () => {
  const ids = (runs: readonly CronRun[]): string => runs.map(({ id }) => id).join(' ');

  test('ten runs, the oldest go', () => {
    const runs = Array.from({ length: 13 }, (_, index) => runOf(String(index))).reduce(withRun, []);
    expect(ids(runs)).toBe('3 4 5 6 7 8 9 10 11 12');
  });

  test('a run keeps its place when it ends, however many overlaps came meanwhile', () => {
    const long = runOf('long', { completedWallMs: null, status: null, exitCode: null });
    const runs = [long, ...Array.from({ length: 20 }, (_, index) => runOf(`over${index}`, overlap))].reduce(withRun, [runOf('before')]);
    expect(ids(runs)).toBe('long over11 over12 over13 over14 over15 over16 over17 over18 over19');
    expect(withRun(runs, { ...long, completedWallMs: nowMs, status: 'Success' })[0]).toMatchObject({ id: 'long', status: 'Success' });
  });
});

describe('health', () => {
  const healthOf = (failed: number, good: number, failure: Partial<CronRun> = { status: { Failed: 'Process exited with code 1' }, exitCode: 1 }): string =>
    cronHealth([...Array.from({ length: failed }, (_, index) => runOf(`bad${index}`, failure)), ...Array.from({ length: good }, (_, index) => runOf(`good${index}`))]);

  test('a fifth of the runs decides', () => {
    expect([healthOf(0, 1), healthOf(1, 5), healthOf(1, 4), healthOf(2, 8), healthOf(1, 9), healthOf(1, 0)]).toEqual([
      'healthy', 'healthy', 'degraded', 'degraded', 'healthy', 'degraded',
    ]);
  });

  test('before its first run has ended it is healthy; the one that goes on does not count', () => {
    expect(cronHealth([])).toBe('healthy');
    expect(cronHealth([runOf('1', { completedWallMs: null, status: null, exitCode: null })])).toBe('healthy');
    expect(cronHealth([runOf('1'), runOf('2', { completedWallMs: null, status: null, exitCode: null })])).toBe('healthy');
  });

  test('overlaps and failures without an exit code count', () => {
    expect([healthOf(1, 2, overlap), healthOf(1, 2, { status: { Failed: 'Terminated by signal SIGKILL' }, exitCode: null })]).toEqual(['degraded', 'degraded']);
  });

  test('only the newest ten count', () => {
    expect(healthOf(3, 10)).toBe('healthy');
  });
});

test('a zone is called by its name, the local one by its offset twice', () => {
  expect([timezoneLabel('UTC', nowMs), timezoneLabel('Asia/Kathmandu', nowMs)]).toEqual(['UTC', 'Asia/Kathmandu']);
  const minutes = -new Date(nowMs).getTimezoneOffset();
  const offset = `${minutes < 0 ? '-' : '+'}${String(Math.floor(Math.abs(minutes) / 60)).padStart(2, '0')}:${String(Math.abs(minutes) % 60).padStart(2, '0')}`;
  expect(timezoneLabel(null, nowMs)).toBe(`local (${offset}${offset})`);
});
