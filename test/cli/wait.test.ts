import { expect, test } from 'vitest';
import { hasFailedRun, isAtRest, isThere } from '../../src/cli/commands/wait.ts';
import type { Goal } from '../../src/cli/options.ts';
import type { UnitStatus } from '../../src/wire/payloads.ts';

type Facts = Pick<UnitStatus, 'phase' | 'ready' | 'lifecycle' | 'kind'>;
const there = (facts: Omit<Facts, 'kind'>): readonly Goal[] =>
  (['running', 'ready', 'stopped', 'failed', 'completed'] as const).filter((goal) => isThere({ kind: 'service', ...facts }, goal));

test.each<[string, Omit<Facts, 'kind'>, readonly Goal[]]>([
  ['starting', { phase: 'starting' }, []],
  ['running without a check', { phase: 'running', lifecycle: 'running' }, ['running', 'ready']],
  ['running and not ready', { phase: 'running', ready: false, lifecycle: 'running' }, ['running']],
  ['stopping', { phase: 'stopping', lifecycle: 'running' }, []],
  ['in backoff', { phase: 'backoff', lifecycle: 'exited_with_error' }, []],
  ['failed', { phase: 'failed', lifecycle: 'exited_with_error' }, ['failed']],
  ['stopped', { phase: 'stopped', lifecycle: 'stopped' }, ['stopped']],
  ['completed', { phase: 'stopped', lifecycle: 'exited_successfully' }, ['stopped', 'completed']],
])('a unit that is %s', (_what, facts, goals) => {
  expect(there(facts)).toEqual(goals);
});

test('a cron unit is completed when its last run succeeded and none goes on', () => {
  const cron = (status: 'Success' | 'OverlapError') => ({ timezone_label: 'UTC', last_run: { started_at: '2026-01-01T00:00:00Z', status } });
  expect(isThere({ kind: 'cron', phase: 'waiting', cron: cron('Success') }, 'completed')).toBe(true);
  expect(isThere({ kind: 'cron', phase: 'waiting', cron: cron('OverlapError') }, 'completed')).toBe(false);
  expect(isThere({ kind: 'cron', phase: 'running', cron: cron('Success') }, 'completed')).toBe(false);
});

test('a cron unit has failed to complete when its newest run has failed and none goes on', () => {
  const run = (status: 'Success' | 'OverlapError' | { Failed: string } | undefined) => ({ timezone_label: 'UTC', last_run: { started_at: '2026-01-01T00:00:00Z', ...(status !== undefined && { status }) } });
  expect(hasFailedRun({ phase: 'waiting', cron: run({ Failed: 'x' }) })).toBe(true);
  expect(hasFailedRun({ phase: 'running', cron: run({ Failed: 'x' }) })).toBe(false);
  expect(([undefined, 'Success', 'OverlapError'] as const).map((status) => hasFailedRun({ phase: 'waiting', cron: run(status) }))).toEqual([false, false, false]);
  expect(hasFailedRun({ phase: 'waiting', cron: { timezone_label: 'UTC' } })).toBe(false);
});

test('a run that was left out since the one before went on is not the newest run of a cron unit', () => {
  const overlap = { started_at: '2026-01-01T00:00:02Z', status: 'OverlapError' as const };
  const after = (status: 'Success' | { Failed: string }) => ({ timezone_label: 'UTC', last_run: overlap, recent_runs: [overlap, { started_at: '2026-01-01T00:00:00Z', status }] });
  expect(isThere({ kind: 'cron', phase: 'waiting', cron: after('Success') }, 'completed')).toBe(true);
  expect(hasFailedRun({ phase: 'waiting', cron: after({ Failed: 'x' }) })).toBe(true);
});

test.each<[string, Parameters<typeof isAtRest>[0], boolean]>([
  ['stopped', { phase: 'stopped', wanted: 'down' }, true],
  ['completed', { phase: 'stopped', wanted: 'up' }, true],
  ['stopped and gets an order when others have made way', { phase: 'stopped', wanted: 'down', ordered: 'start' }, false],
  ['failed for good', { phase: 'failed', wanted: 'up' }, true],
  ['in backoff', { phase: 'backoff', wanted: 'up' }, false],
  ['running', { phase: 'running', wanted: 'up' }, false],
  ['starting', { phase: 'starting', wanted: 'up' }, false],
  ['waiting for a dependency that is coming up', { phase: 'starting', wanted: 'up', waits_for: [{ unit: 'db' }] }, false],
  ['waiting for a dependency that has failed', { phase: 'starting', wanted: 'up', waits_for: [{ unit: 'db' }, { unit: 'cache', lost: 'failed' }] }, true],
  ['a cron unit with a next run', { phase: 'waiting', wanted: 'up', next_at: '2026-01-01T00:00:00Z' }, false],
  ['a cron unit that is suspended', { phase: 'waiting', wanted: 'down' }, true],
  ['of a supervisor that reports no phase', {}, false],
])('a unit that is %s', (_what, facts, isSo) => {
  expect(isAtRest(facts)).toBe(isSo);
});
