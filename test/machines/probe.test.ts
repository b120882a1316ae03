import { createActor, fromCallback } from 'xstate';
import { expect, test } from 'vitest';
import { attemptPort, type ArmParams, type AttemptInput } from '../../machines/ports.ts';
import { provideProbe } from '../../machines/probe.ts';
import type { AttemptReport, HealthCheck, ProbeReport } from '../../machines/types.ts';
import { specOf } from './rig.ts';

const check: HealthCheck = { probe: { kind: 'tcp', host: 'localhost', port: 1 }, intervalMs: 1000, timeoutMs: 2500, attemptTimeoutMs: null, retries: 2, startPeriodMs: 500, onUnhealthy: 'restart' };

/** Steps through a check: `ok` and `failed` end the attempt at hand, numbers let time pass to the armed deadline. */
function examined(changes: Partial<HealthCheck>, steps: readonly ('ok' | 'failed' | number)[], mostAttempts: number | null = null): { readonly reports: readonly ProbeReport[]; readonly limits: readonly number[]; readonly state: unknown } {
  let [now, armed] = [0, null as ArmParams | null];
  const limits: number[] = [];
  let answer: (report: AttemptReport) => void = () => undefined;
  const attempt: typeof attemptPort = fromCallback<{ type: 'never' }, AttemptInput>(({ input, sendBack }) => {
    limits.push(input.limitMs);
    answer = sendBack;
  });
  const probe = createActor(provideProbe({ attempt, clock: { arm: (params) => void (armed = params), disarm: () => undefined } }), {
    input: { spec: specOf(), generation: 4, check: { ...check, ...changes }, pid: 1, wasReady: false, mostAttempts, at: now },
  });
  const reports: ProbeReport[] = [];
  probe.on('*', (report) => void reports.push(report));
  probe.start();
  for (const step of steps) {
    if (step === 'ok') answer({ type: 'attempt.ok', at: now });
    else if (step === 'failed') answer({ type: 'attempt.failed', at: now, reason: 'was refused' });
    else {
      expect(armed?.at).toBe(now + step);
      now += step;
      probe.send({ type: 'deadline.probe', generation: 4, at: now });
    }
  }
  return { reports, limits, state: probe.getSnapshot().value };
}

test('readiness: after the start period, every interval, a last time when the time is over', () => {
  const { reports, limits } = examined({}, [500, 'failed', 1000, 'failed', 1000, 'failed', 500, 'failed']);
  expect(reports).toEqual([{ type: 'probe.timeout', generation: 4, at: 3000, reason: 'not ready within 2.5 s: the check was refused', attempts: 4, finding: 'was refused' }]);
  expect(limits).toEqual([2500, 1500, 1000, 1000]);
});

test('liveness: `retries` failures in a row are bad, once; the next success is good again', () => {
  const { reports, limits, state } = examined({}, [500, 'ok', 1000, 'failed', 1000, 'ok', 1000, 'failed', 1000, 'failed', 1000, 'failed', 1000, 'ok']);
  expect(reports.map(({ type, at }) => [type, at])).toEqual([['probe.ok', 500], ['probe.bad', 4500], ['probe.ok', 6500]]);
  // An attempt may take longer than the interval, which is the pause between two of them.
  expect(limits.slice(1)).toEqual(Array.from({ length: 6 }, () => 2500));
  expect(state).toEqual({ ready: 'resting' });
});

test('a bound on the attempts ends readiness before its time is over', () => {
  const { reports } = examined({}, [500, 'failed', 1000, 'failed'], 2);
  expect(reports).toMatchObject([{ type: 'probe.timeout', at: 1500, attempts: 2 }]);
});

test('attempt_timeout limits each attempt, before and after the service is ready', () => {
  const { limits } = examined({ attemptTimeoutMs: 300 }, [500, 'failed', 1000, 'ok', 1000, 'failed']);
  expect(limits).toEqual([300, 300, 300]);
});

test('what a process says of itself it says once, within the start period and the timeout together', () => {
  const told = examined({ probe: { kind: 'log', pattern: 'up' } }, ['ok']);
  expect([told.reports[0]?.type, told.limits, told.state]).toEqual(['probe.ok', [3000], 'said']);
  expect(examined({ probe: { kind: 'notify', fd: 3 } }, ['failed']).reports[0]).toMatchObject({ reason: 'not ready within 3 s: it wrote no newline to descriptor 3' });
});
