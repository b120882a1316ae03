import { describe, expect, test } from 'vitest';
import type { HealthCheck, ServiceSpec } from '../../machines/types.ts';
import { specOf } from '../machines/rig.ts';
import { counted } from './counts.ts';
import { crash, unwanted, wantedAgain } from './crash.ts';
import { explore } from './explore.ts';
import { nameOf, possibleEvents } from './os-events.ts';
import { beginModel, stepModel, type ModelState } from './os.ts';
import { brokenIn, keyOf, makeRestFinder } from './unit-invariants.ts';

const CHECK: HealthCheck = {
  probe: { kind: 'command', command: 'true' }, intervalMs: 2000, timeoutMs: 30_000, attemptTimeoutMs: null, retries: 3, startPeriodMs: 0, onUnhealthy: 'restart',
};
const budget = { maxRestarts: 1 } as const;

const settings: readonly { readonly title: string; readonly spec: ServiceSpec }[] = [
  { title: 'restart_policy on-failure', spec: specOf({ restart: { mode: 'on-failure', ...budget } }) },
  { title: 'restart_policy always and a check', spec: specOf({ check: CHECK, restart: { mode: 'always', ...budget } }) },
  { title: 'restart_policy never', spec: specOf({ restart: { mode: 'never' } }) },
  { title: 'a one-shot', spec: specOf({ restart: { mode: 'on-failure', oneshot: true, ...budget } }) },
  { title: 'skip and pre_start', spec: specOf({ skip: 'test -f x', preStart: 'prepare', restart: { mode: 'on-failure', ...budget } }) },
];

describe('every state that a unit can be in when its supervisor is killed, every end of what it owned, and all that may follow', () => {
  test.each(settings)('$title', ({ title, spec }) => {
    const changed: ServiceSpec = { ...spec, definition: { process: 'p2', policy: 'q1' } };
    const wrong = (unrestOf: (state: ModelState) => string | null) => (state: ModelState) => brokenIn(state) ?? unrestOf(state);
    const step = (state: ModelState, event: Parameters<typeof stepModel>[1]): ModelState => stepModel(state, event).state;
    const lives = explore({
      begin: [beginModel(spec)], keyOf, describe: nameOf, step, wrong: () => null,
      events: (state) => possibleEvents(state, { specs: [changed], dependencies: [], tickets: 0 }),
    });
    const aftermaths = lives.states.flatMap((state, index) => [state.newestSpec, changed].flatMap((next) => crash(state, next).flatMap((found) => [found, unwanted(found), ...wantedAgain(found)]).map((found) => ({ ...found, index }))));
    const begin = aftermaths.map(({ state, adopt }) => step(state, { type: 'adopt', at: 0, ...adopt }));
    const explored = explore({
      begin, keyOf, describe: nameOf, step,
      beforeBegin: (index) => [...lives.way(aftermaths[index]?.index ?? 0), `the supervisor is killed: ${aftermaths[index]?.adopt.verdict}`], wrong: wrong(makeRestFinder()),
      events: (state) => possibleEvents(state, { specs: [], dependencies: [], tickets: 1 }),
    });
    console.info(`model: adoption: ${title}: ${aftermaths.length} ways to be found`);
    counted(`adoption: ${title}`, explored);
    expect(explored.complete).toBe(true);
    expect(new Set(aftermaths.map(({ adopt }) => adopt.verdict))).toEqual(new Set(['alive', 'dead', 'unborn', 'rest']));
  });
});
