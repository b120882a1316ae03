import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { HealthCheck, ServiceSpec } from '../../machines/types.ts';
import { specOf } from '../machines/rig.ts';
import { rolloutWorld } from './rollout-world.ts';

const check: HealthCheck = { probe: { kind: 'tcp', host: 'localhost', port: 1 }, intervalMs: 1000, timeoutMs: 5000, attemptTimeoutMs: null, retries: 3, startPeriodMs: 0, onUnhealthy: 'none' };
const rolling: ServiceSpec['deployment'] = { strategy: 'rolling', check, gracePeriodMs: 1000, blueGreen: null, onAddressInUse: 'replace' };
const blueGreen: ServiceSpec['deployment'] = {
  ...rolling, check: null, blueGreen: { envVar: 'PORT', slots: ['4000', '4001'], switchCommand: 'true', candidateCheck: check, switchVerify: check, statePath: null },
};

/** As it is, with another process, with another policy. */
function versions(deployment: ServiceSpec['deployment'], restart: Partial<ServiceSpec['restart']>): readonly ServiceSpec[] {
  return [['p1', 'q1'], ['p2', 'q1'], ['p1', 'q2']].map(([process = '', policy = '']) => specOf({ definition: { process, policy }, deployment, restart }));
}

const settings = [
  { title: 'rolling, on-failure', steps: 21_743, specs: versions(rolling, { mode: 'on-failure', maxRestarts: 2 }) },
  { title: 'rolling, never', steps: 21_925, specs: versions({ ...rolling, check: null, gracePeriodMs: 0 }, { mode: 'never' }) },
  { title: 'blue-green, always', steps: 21_496, specs: versions(blueGreen, { mode: 'always', maxRestarts: 2 }) },
  { title: 'blue-green without verification and grace', steps: 21_715, specs: versions({ ...blueGreen, gracePeriodMs: 0, blueGreen: { ...blueGreen.blueGreen!, switchVerify: null } }, { mode: 'on-failure' }) },
  { title: 'rolling, then immediate', steps: 21_642, specs: [...versions(rolling, { mode: 'on-failure', maxRestarts: 2 }), specOf({ definition: { process: 'p3', policy: 'q1' } })] },
];

const WALKS = 400;
const STEPS = { minLength: 30, maxLength: 90, size: 'max' } as const;
/** Of so many steps one is a command or a fault; in the others things take their course. */
const SURPRISE = 4;
/** Of so many surprises one may be a shutdown. */
const SHUTDOWN = 10;

describe('a unit that is replaced, through commands and faults at random: the whole actor system, its processes and its traffic', () => {
  test.each(settings)('$title', ({ specs, title, steps: expected }) => {
    let steps = 0;
    fc.assert(fc.property(fc.array(fc.nat(), STEPS), (choices) => {
      const world = rolloutWorld(specs);
      const script: string[] = [];
      for (const choice of choices) {
        const chosen = (choice % SURPRISE === 0 ? null : world.next()) ?? surprise(world.possible({ shutdown: choice % SHUTDOWN === 0 }), choice);
        if (chosen === undefined) break;
        script.push(chosen.name);
        chosen.happen();
        steps += 1;
        if (world.violations().length > 0) break;
      }
      if (world.violations().length === 0) world.settle();
      const problems = [...world.violations(), ...world.unrest()];
      if (problems.length > 0) throw new Error(`${problems.join('; ')}\n  after: ${script.join(' · ')}`);
    }), { numRuns: WALKS, seed: 20_261_124 });
    console.info(`model: rollout, ${title}: ${WALKS} walks, ${steps} steps`);
    expect(steps).toBe(expected);
  });
});

function surprise<Event>(possible: readonly Event[], choice: number): Event | undefined {
  return possible[Math.floor(choice / SURPRISE) % possible.length];
}
