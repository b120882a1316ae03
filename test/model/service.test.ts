import { describe, expect, test } from 'vitest';
import type { HealthCheck, ServiceSpec } from '../../machines/types.ts';
import { specOf } from '../machines/rig.ts';
import { counted } from './counts.ts';
import { explore } from './explore.ts';
import { nameOf, possibleEvents } from './os-events.ts';
import { beginModel, stepModel } from './os.ts';
import { brokenIn, keyOf, makeRestFinder } from './unit-invariants.ts';

const CHECK: HealthCheck = {
  probe: { kind: 'command', command: 'true' }, intervalMs: 2000, timeoutMs: 30_000, attemptTimeoutMs: null, retries: 3, startPeriodMs: 0, onUnhealthy: 'restart',
};

interface Setting {
  readonly title: string;
  readonly spec: ServiceSpec;
  readonly specs?: readonly ServiceSpec[];
  readonly dependencies?: readonly string[];
  readonly tickets?: number;
}

const budget = { maxRestarts: 2 } as const;
const settings: readonly Setting[] = [
  { title: 'restart_policy on-failure, reloads', spec: specOf({ restart: { mode: 'on-failure', ...budget } }), specs: changed({ mode: 'on-failure', ...budget }) },
  { title: 'restart_policy always, reloads', spec: specOf({ restart: { mode: 'always', ...budget } }), specs: changed({ mode: 'always', ...budget }) },
  { title: 'restart_policy never, reloads', spec: specOf({ restart: { mode: 'never' } }), specs: changed({ mode: 'never' }) },
  { title: 'a one-shot', spec: specOf({ restart: { mode: 'on-failure', oneshot: true, ...budget } }), tickets: 2 },
  { title: 'a check', spec: specOf({ check: CHECK, restart: { mode: 'on-failure', ...budget } }), tickets: 2 },
  {
    title: 'hooks',
    spec: specOf({
      hooks: [{ stage: 'on_start', outcome: 'success', command: 'true', timeoutMs: 1 }, { stage: 'on_stop', outcome: 'error', command: 'true', timeoutMs: 1 }],
      restart: { mode: 'on-failure', maxRestarts: 1 },
    }),
  },
  { title: 'a dependency', spec: specOf({ restart: { mode: 'on-failure', maxRestarts: 1 } }), dependencies: ['db'] },
  { title: 'skip and pre_start', spec: specOf({ skip: 'test -f x', preStart: 'prepare', restart: { mode: 'on-failure', maxRestarts: 1 } }) },
];

function changed(restart: Partial<ServiceSpec['restart']>): readonly ServiceSpec[] {
  return [specOf({ definition: { process: 'p2', policy: 'q1' }, restart }), specOf({ definition: { process: 'p1', policy: 'q2' }, restart })];
}

describe('every state the service machine can reach, with the operating system beside it', () => {
  test.each(settings)('$title', ({ title, spec, specs = [], dependencies = [], tickets = 1 }) => {
    const unrestOf = makeRestFinder();
    const explored = explore({
      begin: [beginModel(spec, dependencies)], keyOf, describe: nameOf,
      events: (state) => possibleEvents(state, { specs, dependencies, tickets }),
      step: (state, event) => stepModel(state, event).state,
      wrong: (state) => brokenIn(state) ?? unrestOf(state),
    });
    counted(`service: ${title}`, explored);
    expect(explored.complete).toBe(true);
  });
});
