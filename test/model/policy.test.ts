import { expect, test } from 'vitest';
import { rig, specOf, type Rig } from '../machines/rig.ts';
import { documentedPolicies, nameOfPath, pathsOf, type PolicyStep } from './policy-paths.ts';
import type { DocumentedPolicy } from './policy-chart.ts';

const WINDOW_MS = 60_000;
const STABLE_MS = 600_000;

/** The paths are made from what the manual says; the machine that runs is driven along each of them. */
test('along every path of the documented restart policy the service machine does what is written', () => {
  let paths = 0;
  let steps = 0;
  for (const policy of documentedPolicies) {
    for (const path of pathsOf(policy)) {
      paths += 1;
      steps += path.length;
      const unit = rig(specOf({
        restart: {
          mode: policy.restart_policy, oneshot: policy.oneshot, maxRestarts: policy.max_restarts, windowMs: policy.restart_window ? WINDOW_MS : null,
          stableAfterMs: STABLE_MS, successExitCodes: [0, 3], noRestartExitCodes: [42], backoff: { ...policy.backoff, jitter: 0 },
        },
      }));
      unit.run();
      for (const step of path) {
        happen(unit, step.event);
        const seen = pictureOf(unit, step);
        const written = { state: step.state, restarts: step.context.restarts, delayMs: step.state === 'backoff' ? step.context.delayMs : null };
        if (JSON.stringify(seen) !== JSON.stringify(written)) expect({ ...told(policy, path), at: step.event, ...seen }).toEqual({ ...told(policy, path), at: step.event, ...written });
      }
    }
  }
  console.info(`model: documented restart policy: ${documentedPolicies.length} policies, ${paths} paths, ${steps} steps`);
  expect(paths).toBe(1777);
});

function told(policy: DocumentedPolicy, path: readonly PolicyStep[]): object {
  return { policy, path: nameOfPath(path) };
}

function happen(unit: Rig, event: PolicyStep['event']): void {
  const end = (code: number | null, signal: string | null = null): void => {
    unit.report('process.exited', { exit: { code, signal } });
    unit.report('process.gone');
  };
  switch (event) {
    case 'succeeds': return end(3);
    case 'fails': return end(1);
    case 'is killed': return end(null, 'SIGKILL');
    case 'ends for good': return end(42);
    case 'is stable': return expect(unit.elapse()).toBe('stable');
    case 'outlives the window': return unit.advance(WINDOW_MS);
    case 'runs again': {
      expect(unit.elapse()).toBe('backoff');
      unit.report('process.spawned');
      return expect(unit.elapse()).toBe('alive');
    }
  }
}

function pictureOf(unit: Rig, { state }: PolicyStep): object {
  const { outcome, restarts } = unit.actor.getSnapshot().context;
  const leaf = unit.state();
  return { state: leaf === 'stopped' && outcome === 'completed' ? 'completed' : leaf, restarts, delayMs: state === 'backoff' ? unit.deadlineIn() : null };
}
