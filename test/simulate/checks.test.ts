import fc from 'fast-check';
import { createActor, fromCallback } from 'xstate';
import { expect, test } from 'vitest';
import type { AttemptInput } from '../../machines/ports.ts';
import { provideProbe } from '../../machines/probe.ts';
import type { HealthCheck, ServiceSpec } from '../../machines/types.ts';
import { createVirtualClock } from '../../src/simulate/clock.ts';
import { emptyScenario, type Scenario } from '../../src/simulate/scenario.ts';
import { simulate } from '../../src/simulate/simulate.ts';
import { specOf } from '../machines/rig.ts';

const UNTIL_MS = 60_000;
/** A spawn takes one millisecond. */
const SPAWNED_AT = 1;

interface Script {
  readonly startsInMs: number;
  readonly checkTakesMs: number;
  readonly changes: readonly { readonly atMs: number; readonly passes: boolean }[];
}

function specWith(check: HealthCheck): ServiceSpec {
  return specOf({ name: 'db', check, restart: { mode: 'never' } });
}

function simulated(check: HealthCheck, { changes, ...behaviour }: Script, forMs: number | null = UNTIL_MS): { readonly reports: readonly string[]; readonly lastedMs: number } {
  const scenario: Scenario = {
    ...emptyScenario, forMs, services: new Map([['db', behaviour]]),
    events: changes.map((change) => ({ kind: 'check', unit: 'db', ...change })),
  };
  const { records, startWallMs, lastedMs } = simulate({ specs: [specWith(check)], scenario });
  return { lastedMs, reports: records.filter(({ event }) => event.startsWith('probe.')).map(({ event, at }) => `${Date.parse(at) - startWallMs} ${event}`) };
}

/** The probe machine alone, with each attempt made: nothing of a simulation is in it but a clock. */
function expected(check: HealthCheck, { startsInMs, checkTakesMs, changes }: Script): readonly string[] {
  const clock = createVirtualClock();
  const readyAt = SPAWNED_AT + startsInMs;
  let fails = false;
  for (const { atMs, passes } of changes) clock.at(atMs, () => void (fails = !passes));
  const attempt = fromCallback<{ type: 'never' }, AttemptInput>(({ input: { limitMs }, sendBack }) => {
    const passes = (): boolean => !fails && clock.now() >= readyAt;
    const answer = (isOk: boolean): void => sendBack(isOk ? { type: 'attempt.ok', at: clock.now() } : { type: 'attempt.failed', at: clock.now(), reason: 'failed' });
    const until = clock.now() + limitMs;
    if (check.probe.kind !== 'log') {
      const forget = clock.at(Math.min(until, clock.now() + checkTakesMs), () => answer(checkTakesMs <= limitMs && passes()));
      return forget;
    }
    const moments = [clock.now(), readyAt, ...changes.map(({ atMs }) => atMs)].filter((at) => at >= clock.now() && at <= until);
    const forgets = [...moments.map((at) => clock.at(at, () => void (passes() && answer(true)))), clock.at(until, () => answer(false))];
    return () => forgets.forEach((forget) => forget());
  });
  const reports: string[] = [];
  clock.at(SPAWNED_AT, () => {
    const probe = createActor(provideProbe({ clock, attempt }), { input: { spec: specWith(check), generation: 1, check, pid: 1, wasReady: false, mostAttempts: null, at: clock.now() } });
    probe.on('*', ({ type, at }) => void reports.push(`${at} ${type}`));
    probe.start();
  });
  while (clock.nextAt !== null && clock.nextAt <= UNTIL_MS) clock.step();
  return reports;
}

const ms = (least: number, most: number): fc.Arbitrary<number> => fc.integer({ min: least / 500, max: most / 500 }).map((halves) => halves * 500);
const checks: fc.Arbitrary<HealthCheck> = fc.record({
  probe: fc.constantFrom({ kind: 'tcp', host: 'localhost', port: 1 } as const, { kind: 'log', pattern: 'up' } as const),
  intervalMs: ms(500, 5000), timeoutMs: ms(500, 10_000), attemptTimeoutMs: fc.constantFrom(null, 700, 2000), retries: fc.integer({ min: 1, max: 4 }), startPeriodMs: ms(0, 3000), onUnhealthy: fc.constant('none'),
});
const scripts: fc.Arbitrary<Script> = fc.record({
  startsInMs: ms(0, 8000), checkTakesMs: ms(0, 3000),
  // Some changes at the very moment of an attempt, which begins a millisecond after the start.
  changes: fc.array(fc.record({ atMs: fc.tuple(ms(0, 50_000), fc.constantFrom(0, 1)).map(([at, more]) => at + more), passes: fc.boolean() }), { maxLength: 6 })
    .map((changes) => changes.toSorted((one, other) => one.atMs - other.atMs)),
});

test('a simulated check reports what the probe machine reports, at the same moments', () => {
  let reported = 0;
  fc.assert(fc.property(checks, scripts, (check, script) => {
    const reports = expected(check, script);
    reported += reports.length;
    expect(simulated(check, script).reports).toEqual(reports);
  }), { numRuns: 150, seed: 14 });
  expect(reported).toBe(179);
});

test('an attempt that takes time delays the next one: the interval is between attempts', () => {
  const check: HealthCheck = { probe: { kind: 'tcp', host: 'localhost', port: 1 }, intervalMs: 2000, timeoutMs: 10_000, attemptTimeoutMs: null, retries: 2, startPeriodMs: 0, onUnhealthy: 'none' };
  const { reports } = simulated(check, { startsInMs: 0, checkTakesMs: 1000, changes: [{ atMs: 5000, passes: false }] });
  // Attempts end at 1.001, 4.001, 7.001 and 10.001 s.
  expect(reports).toEqual(['1001 probe.ok', '10001 probe.bad']);
});

test('an announcement that the script withholds is awaited until the time is over, and heard when the script lets it pass', () => {
  const check: HealthCheck = { probe: { kind: 'log', pattern: 'up' }, intervalMs: 2000, timeoutMs: 10_000, attemptTimeoutMs: null, retries: 2, startPeriodMs: 0, onUnhealthy: 'none' };
  const silent = { startsInMs: 1000, checkTakesMs: 0, changes: [{ atMs: 0, passes: false }] };
  expect(simulated(check, silent).reports).toEqual(['10001 probe.timeout']);
  expect(simulated(check, { ...silent, changes: [...silent.changes, { atMs: 4000, passes: true }] }).reports).toEqual(['4000 probe.ok']);
});

test('a check that can only say the same again keeps no simulation going', () => {
  const check: HealthCheck = { probe: { kind: 'tcp', host: 'localhost', port: 1 }, intervalMs: 2000, timeoutMs: 10_000, attemptTimeoutMs: null, retries: 2, startPeriodMs: 0, onUnhealthy: 'none' };
  expect(simulated(check, { startsInMs: 0, checkTakesMs: 0, changes: [{ atMs: 5000, passes: false }] }, null).lastedMs).toBeLessThan(20_000);
});
