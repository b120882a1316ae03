import fc from 'fast-check';
import { expect, test } from 'vitest';
import { consequenceOf } from '../../machines/consequence.ts';
import { leafOf } from '../../machines/service-facts.ts';
import type { CronSpec, ServiceSpec } from '../../machines/types.ts';
import { rig, specOf, type Rig } from './rig.ts';

const cron: CronSpec = { expression: '0 * * * * *', timezone: 'UTC', overlap: 'skip', timeoutMs: null, catchUp: 'none' };
const FAILS = { mode: 'on-failure', maxRestarts: 1 } as const;

/** How a unit comes into each state that a new definition can find it in. */
const conditions: Readonly<Record<string, { readonly spec?: Parameters<typeof specOf>[0]; readonly held?: readonly string[]; reach(unit: Rig): void }>> = {
  'never started': { reach: () => undefined },
  'stopped by a person': { reach: (unit) => { unit.run(); unit.send({ type: 'stop' }); end(unit, 0); } },
  'completed one-shot': { spec: { restart: { oneshot: true } }, reach: (unit) => { unit.run(); end(unit, 0); } },
  waiting: { held: ['db'], reach: (unit) => unit.send({ type: 'start' }) },
  preparing: { spec: { preStart: 'prepare' }, reach: (unit) => unit.send({ type: 'start' }) },
  spawning: { reach: (unit) => unit.send({ type: 'start' }) },
  starting: { reach: (unit) => { unit.send({ type: 'start' }); unit.report('process.spawned'); } },
  running: { reach: (unit) => unit.run() },
  backoff: { spec: { restart: FAILS }, reach: (unit) => { unit.run(); end(unit, 1); } },
  failed: { spec: { restart: { mode: 'never' } }, reach: (unit) => { unit.run(); end(unit, 1); } },
  'being stopped': { reach: (unit) => { unit.run(); unit.send({ type: 'stop' }); } },
  'being restarted': { reach: (unit) => { unit.run(); unit.send({ type: 'restart' }); } },
};

const changes: Readonly<Record<string, (spec: ServiceSpec) => ServiceSpec | null>> = {
  nothing: (spec) => ({ ...spec }),
  policy: (spec) => ({ ...spec, definition: { ...spec.definition, policy: 'q2' } }),
  process: (spec) => ({ ...spec, definition: { ...spec.definition, process: 'p2' } }),
  both: (spec) => ({ ...spec, definition: { process: 'p2', policy: 'q2' } }),
  'process, rolling': (spec) => ({ ...spec, definition: { process: 'p2', policy: 'q2' }, deployment: { ...spec.deployment, strategy: 'rolling' } }),
  removed: () => null,
  'becomes a cron unit': (spec) => ({ ...spec, cron, definition: { process: 'p2', policy: 'q2' } }),
};

function end(unit: Rig, code: number): void {
  unit.report('process.exited', { exit: { code, signal: null } });
  unit.report('process.gone');
}

test('what a new definition does to a unit is what `consequenceOf` says, in every state', () => {
  const seen = new Map<string, number>();
  fc.assert(fc.property(fc.constantFrom(...Object.keys(conditions)), fc.constantFrom(...Object.keys(changes)), (condition, change) => {
    const { spec: more = {}, held = [], reach } = conditions[condition] ?? { reach: () => undefined };
    const spec = specOf(more);
    const next = changes[change]?.(spec) ?? null;
    const unit = rig(spec, { held });
    reach(unit);
    const before = unit.actor.getSnapshot();
    const [effects, state] = [unit.effects.length, unit.state()];
    const consequence = consequenceOf({ state: leafOf(before.value), wanted: before.context.wanted, spec: before.context.spec }, next);
    seen.set(consequence, (seen.get(consequence) ?? 0) + 1);
    // That a service becomes a cron unit is the root's to carry out: it removes the one and makes the other.
    if (consequence === 'remake') return;
    unit.send({ type: 'reload', spec: next });
    const after = unit.actor.getSnapshot();
    const done = unit.effects.slice(effects).filter((effect) => !effect.startsWith('forget'));
    const taken = after.context.nextSpec ?? after.context.spec;
    switch (consequence) {
      case 'unchanged': case 'update':
        expect([condition, change, done, unit.state(), taken.definition]).toEqual([condition, change, [], state, next?.definition]);
        break;
      // Of two instances the root makes the second; the unit alone restarts.
      case 'restart': case 'replace':
        expect([condition, change, after.context.removed, taken.definition]).toEqual([condition, change, false, next?.definition]);
        expect(unit.state(), `${condition}, ${change}`).not.toBe(state);
        break;
      case 'remove':
        expect([condition, after.context.removed, after.context.wanted]).toEqual([condition, true, 'down']);
    }
  }), { numRuns: 1500, seed: 5 });
  expect([...seen.keys()].toSorted()).toEqual(['remake', 'remove', 'replace', 'restart', 'unchanged', 'update']);
});
