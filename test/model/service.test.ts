import { fromTransition } from 'xstate';
import { adjacencyMapToArray, getAdjacencyMap } from 'xstate/graph';
import { describe, expect, test } from 'vitest';
import type { HealthCheck, ServiceSpec } from '../../machines/types.ts';
import { specOf } from '../machines/rig.ts';
import { beginModel, invariants, keyOf, possibleEvents, settleQuietly, stepModel, type ModelEvent, type ModelState } from './os.ts';

const CHECK: HealthCheck = {
  probe: { kind: 'command', command: 'true' }, intervalMs: 2000, timeoutMs: 30_000, retries: 3, startPeriodMs: 0, onUnhealthy: 'restart',
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
  { title: 'restart_policy on-failure', spec: specOf({ restart: { mode: 'on-failure', ...budget } }), specs: changed({ mode: 'on-failure', ...budget }) },
  { title: 'restart_policy always', spec: specOf({ restart: { mode: 'always', ...budget } }), specs: changed({ mode: 'always', ...budget }) },
  { title: 'restart_policy never', spec: specOf({ restart: { mode: 'never' } }), specs: changed({ mode: 'never' }) },
  { title: 'a one-shot', spec: specOf({ restart: { mode: 'on-failure', oneshot: true, ...budget } }) },
  { title: 'a check', spec: specOf({ check: CHECK, restart: { mode: 'on-failure', ...budget } }) },
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
  test.each(settings)('$title', ({ spec, specs = [], dependencies = [], tickets = 1, title }) => {
    const logic = fromTransition((state: ModelState, event: ModelEvent) => stepModel(state, event), beginModel(spec, dependencies));
    const edges = adjacencyMapToArray(getAdjacencyMap(logic, {
      events: (snapshot) => possibleEvents(snapshot.context, { specs, dependencies, tickets }) as ModelEvent[],
      serializeState: (snapshot) => keyOf(snapshot.context),
      limit: 500_000,
    }));
    const states = new Map(edges.flatMap(({ state, nextState }) => [state, nextState]).map(({ context }) => [keyOf(context), context]));
    console.info(`model: ${title}: ${states.size} states, ${edges.length} transitions, ${invariants.length + 2} invariants`);
    expect(states.size).toBeGreaterThan(100);
    for (const { name, holds } of invariants) {
      const broken = edges.find(({ nextState }) => !holds(nextState.context));
      expect(broken === undefined ? null : `${name}: ${JSON.stringify(broken.event)} → ${keyOf(broken.nextState.context)}`).toBeNull();
    }
    for (const state of states.values()) {
      const rest = settleQuietly(state);
      expect(restsWhereItIsWanted(rest) ? null : `from ${keyOf(state)} to ${keyOf(rest)}`).toBeNull();
      expect(rest.owed).toEqual([]);
    }
  });
});

/** Up and running, or down and gone; or an end that nobody may undo by itself. */
function restsWhereItIsWanted({ snapshot, process }: ModelState): boolean {
  const { leaf, wanted, outcome } = snapshot.context;
  if (leaf === 'removed') return process === null;
  if (wanted === 'down') return leaf === 'stopped' && process === null;
  return leaf === 'running' || leaf === 'failed' || (leaf === 'stopped' && (outcome === 'completed' || outcome === 'skipped'));
}
