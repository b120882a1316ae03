import { describe, expect, test } from 'vitest';
import type { ServiceSpec, SupervisorCommand } from '../../machines/types.ts';
import { specOf } from '../machines/rig.ts';
import { counted } from './counts.ts';
import { crash } from './crash.ts';
import { explore } from './explore.ts';
import { openSystem, describeSystemEvent, isOver, type System, type SystemEvent, type SystemState } from './system.ts';
import { begunWatch, contextOf, note } from './system-watch.ts';
import { brokenInSystem, keyOfSystem, makeSystemRestFinder } from './system-invariants.ts';

const restart = { mode: 'on-failure', maxRestarts: 1 } as const;
const at = 0;
const specs: readonly ServiceSpec[] = [specOf({ name: 'a', restart }), specOf({ name: 'b', restart, dependsOn: [{ service: 'a', condition: 'started', onRestart: 'restart' }] })];

const order = (command: SupervisorCommand): SystemEvent => ({ kind: 'command', command });
const boot = order({ type: 'boot', at, adopt: [], start: ['a', 'b'] });
const ordinary = (ticket: number | null): readonly SystemEvent[] => [['a'], ['b'], ['a', 'b']].flatMap((units) => [
  order({ type: 'start', at, units, ticket }), order({ type: 'stop', at, units, ticket }), order({ type: 'restart', at, units, ticket, specs: null }),
]);

function reportsIn({ units }: SystemState, { names }: System): readonly SystemEvent[] {
  return units.flatMap((node, index): readonly SystemEvent[] => (node?.reports ?? []).map((event) => ({ kind: 'report', unit: names[index] ?? '', event })));
}

/** States of two units that serve, some steps from the boot. */
function livesOf(system: System, depth: number, tickets: boolean) {
  return explore<SystemState, SystemEvent>({
    begin: [system.step(system.first, boot)], keyOf: keyOfSystem, describe: describeSystemEvent, step: system.step, depth,
    events: (state) => [...ordinary(tickets && state.watch.owed.length === 0 ? 1 : null), ...reportsIn(state, system)],
    wrong: (state) => brokenInSystem(state, system.names),
  });
}

describe('the end of the supervisor, from every state of two units', () => {
  test('everything ends in the reverse order of the dependencies, every ticket is answered and no process is left, whatever else happens', () => {
    const system = openSystem(specs);
    const lives = livesOf(system, 4, true);
    const unrestOf = makeSystemRestFinder(system);
    const late = [order({ type: 'start', at, units: ['b'], ticket: 2 }), order({ type: 'stop', at, units: ['a'], ticket: null }), order({ type: 'shutdown', at, ticket: 8, exitCode: 0 })];
    const explored = explore<SystemState, SystemEvent>({
      begin: lives.states.map((state) => system.step(state, order({ type: 'shutdown', at, ticket: 9, exitCode: 0 }))),
      beforeBegin: (index) => [...lives.way(index), 'shutdown'],
      keyOf: keyOfSystem, describe: describeSystemEvent, step: system.step,
      events: (state) => (!isOver(state) ? [...(state.watch.owed.some((due) => /^[28] /.test(due)) ? [] : late), ...reportsIn(state, system)] : []),
      wrong: (state) => brokenInSystem(state, system.names) ?? unrestOf(state),
    });
    console.info(`model: shutdown: from ${lives.states.length} states`);
    counted('shutdown: two units', explored);
    expect(explored.complete).toBe(true);
  });

  test('a supervisor that is killed in any of them is followed by one that wants the same, and gets there', () => {
    const system = openSystem(specs);
    const lives = livesOf(system, 5, false);
    const unrestOf = makeSystemRestFinder(system);
    const ways: (readonly string[])[] = [];
    const begin = lives.states.flatMap((state, index) => {
      // A command that a unit had not been given yet is lost with the supervisor, and was not answered.
      const turns = [...state.root.snapshot.context.units.values()].filter(({ turn }) => turn !== null).map(({ name }) => name);
      const up = system.names.filter((name) => (turns.includes(name) ? contextOf(state.units, name)?.wanted === 'up' : state.watch.up.includes(name)));
      const [ofA = [], ofB = []] = state.units.map((node) => (node === null ? [] : crash(node.state)));
      return ofA.flatMap((a) => ofB.map((b): SystemState => {
        ways.push([...lives.way(index), `the supervisor is killed, a is ${a.adopt.verdict}, b is ${b.adopt.verdict}`]);
        const before: SystemState = { root: system.first.root, units: [a, b].map((found) => system.atlas.enter(found.state)), operations: new Map(), watch: note({ ...begunWatch(), up }) };
        return system.step(before, order({ type: 'boot', at, adopt: [a.adopt, b.adopt], start: [] }));
      }));
    });
    const explored = explore<SystemState, SystemEvent>({
      begin, beforeBegin: (index) => ways[index] ?? [], keyOf: keyOfSystem, describe: describeSystemEvent, step: system.step, depth: 2,
      events: (state) => reportsIn(state, system), wrong: (state) => brokenInSystem(state, system.names) ?? unrestOf(state),
    });
    console.info(`model: boot after a crash: ${ways.length} ways to be found`);
    counted('boot after a crash: two units', explored);
    expect(ways.length).toBe(6017);
  });
});
