import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { createActor, createMachine, spawnChild } from 'xstate';
import type { CheckProbe, HealthCheck, ProbeReport, ServiceSpec } from '../../machines/types.ts';
import type { Announcements } from '../../src/actors/checks/announcements.ts';
import type { Clock } from '../../src/clock.ts';
import { makeProbeActor } from '../../src/actors/probe.ts';
import { serviceSpec } from '../process/spec.ts';
import { until } from '../until.ts';

export function checkOf(probe: CheckProbe, changes: Partial<HealthCheck> = {}): HealthCheck {
  return { probe, intervalMs: 500, timeoutMs: 5000, attemptTimeoutMs: null, retries: 3, startPeriodMs: 0, onUnhealthy: 'restart', ...changes };
}

export interface ProbeRun {
  readonly reports: ProbeReport[];
  /** Waits for the n-th report. */
  report(count: number): Promise<ProbeReport>;
  end(): void;
}

export interface ProbeRigOptions {
  readonly dir: string;
  readonly check: HealthCheck;
  readonly clock: Clock;
  readonly spec?: Partial<ServiceSpec>;
  readonly environment?: NodeJS.ProcessEnv;
  readonly announcements?: Pick<Announcements, 'heard'>;
  readonly wasReady?: boolean;
}

/** A probe of generation 1 under a parent that keeps what it reports. */
export function probe({ dir, check, clock, spec = {}, environment = process.env, announcements, wasReady = false }: ProbeRigOptions): ProbeRun {
  const reports: ProbeReport[] = [];
  const logic = makeProbeActor({
    clock, environment, wasReady: () => wasReady,
    announcements: announcements ?? { heard: () => Promise.reject(new Error('nothing is announced here')) },
    onProblem: (text) => { throw new Error(text); },
  });
  const input = { spec: serviceSpec(['forever'], dir, { name: 'web', check, ...spec }), generation: 1, check, pid: 1 };
  const parent = createActor(createMachine({
    entry: spawnChild(logic, { id: 'probe', input }),
    on: { '*': { actions: ({ event }) => void reports.push(event as ProbeReport) } },
  }));
  parent.start();
  onTestFinished(() => void parent.stop());
  return {
    reports,
    report: (count) => until(`report ${count}, got ${JSON.stringify(reports)}`, () => reports[count - 1]),
    end: () => void parent.stop(),
  };
}

/** Waits for a file that a command makes. */
export function made(dir: string, name: string): Promise<true> {
  return until(`file ${name}`, () => existsSync(join(dir, name)));
}
