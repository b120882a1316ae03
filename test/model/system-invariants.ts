import { describeSystemEvent, isOver, type System, type SystemEvent, type SystemState } from './system.ts';
import { contextOf, isMet, type Context } from './system-watch.ts';
import { quietEvent, restsWhereItIsWanted } from './unit-invariants.ts';

export function keyOfSystem({ root, units, operations, watch }: SystemState): string {
  return `${root.id} ${units.map((node) => node?.id ?? '').join(' ')}|${[...operations.values()].map(({ id }) => id).join(' ')}|${watch.id}`;
}

/** What must hold between any two events from outside. Rollouts add theirs here: never the old stopped before the new is ready. */
export const systemInvariants: readonly { readonly name: string; readonly holds: (state: SystemState, names: readonly string[]) => boolean }[] = [
  { name: 'nothing forbidden happened on the way', holds: ({ watch }) => watch.violations.length === 0 },
  { name: 'every unit keeps the rules of one unit', holds: ({ units }) => units.every((node) => node === null || node.broken === null) },
  {
    name: 'a unit whose turn has come wants what the last accepted command wants',
    holds: ({ root, units, watch }, names) => names.every((name, index) => {
      const context = units[index]?.context;
      const waits = root.snapshot.context.units.get(name)?.turn != null;
      return context === undefined || waits || context.removed || (context.wanted === 'up') === watch.up.includes(name);
    }),
  },
  {
    name: 'whoever owes an answer knows of it',
    holds: (state) => {
      if (isOver(state)) return true;
      const { root, operations, watch } = state;
      const known = [
        ...[...operations.values()].flatMap(({ snapshot: { context: { ticket, parts } } }) => [...parts.values()].flatMap(({ part: { unit, owes }, stage }) => (
          owes && stage !== 'settled' && stage !== 'superseded' ? [`${ticket} ${unit}`] : []
        ))),
        ...root.snapshot.context.endTickets.map((ticket) => `${ticket} `),
      ];
      return known.sort().join() === [...watch.owed].sort().join();
    },
  },
  {
    name: 'the root knows where its units are',
    holds: (state, names) => isOver(state) || names.every((name, index) => {
      const { root, units } = state;
      const facts = root.snapshot.context.units.get(name)?.facts;
      const context = units[index]?.context;
      return facts?.state === context?.leaf && facts?.wanted === context?.wanted && (facts?.ready ?? null) === (context?.ready ?? null);
    }),
  },
  {
    name: 'what a unit is held for is what is missing',
    holds: ({ root, units }) => units.every((node) => {
      const context = node?.context;
      if (context === undefined) return true;
      return context.spec.dependsOn.every((edge) => {
        const told = root.snapshot.context.units.get(context.spec.name)?.informed[edge.service];
        return told === undefined || told.met === !Object.hasOwn(context.held, edge.service);
      });
    }),
  },
  {
    name: 'the end of the supervisor leaves no process',
    holds: ({ root, units }) => root.snapshot.status === 'active' || units.every((node) => node === null || node.state.process === null || node.state.snapshot.context.killsOrdered > 1),
  },
];

export function brokenInSystem(state: SystemState, names: readonly string[]): string | null {
  const broken = systemInvariants.find(({ holds }) => !holds(state, names));
  if (broken === undefined) return null;
  const details = [...state.watch.violations, ...state.units.flatMap((node) => (node?.broken == null ? [] : [`${node.state.snapshot.context.spec.name}: ${node.broken}`]))];
  return details.length === 0 ? broken.name : `${broken.name}: ${details.join(', ')}`;
}

/** Once faults cease and commands end. */
export function quietSystemEvent({ root, units }: SystemState): SystemEvent | null {
  if (root.snapshot.status !== 'active') return null;
  for (const node of units) {
    const event = node === null ? null : quietEvent(node.state, 'kept');
    if (node !== null && event !== null) return { kind: 'report', unit: node.state.snapshot.context.spec.name, event };
  }
  return null;
}

/** Tells what is wrong with the rest that a system comes to by itself; null: nothing. */
export function makeSystemRestFinder(system: System): (from: SystemState) => string | null {
  const known = new Map<string, string | null>();
  return (from) => {
    const passed: string[] = [];
    let state = from;
    let problem: string | null = 'does not come to rest';
    for (let step = 0; step < 120; step += 1) {
      const key = keyOfSystem(state);
      const before = known.get(key);
      if (before !== undefined) {
        problem = before;
        break;
      }
      passed.push(key);
      const next = quietSystemEvent(state);
      if (next === null) {
        problem = unrest(state, system.names);
        break;
      }
      state = system.step(state, next);
      problem = brokenInSystem(state, system.names);
      if (problem !== null) {
        problem = `${problem}, after ${describeSystemEvent(next)}`;
        break;
      }
      problem = 'does not come to rest';
    }
    for (const key of passed) known.set(key, problem);
    return problem;
  };
}

function unrest(state: SystemState, names: readonly string[]): string | null {
  const { root, units, watch } = state;
  if (watch.owed.length > 0) return `comes to rest and owes ${watch.owed.join(', ')}`;
  if (watch.ending !== isOver(state)) return 'comes to rest, told to end, and goes on';
  if (watch.ending) return null;
  if (root.snapshot.context.underOrder > 0) return 'comes to rest and somebody waits for a turn';
  for (const [index, name] of names.entries()) {
    const node = units[index] ?? null;
    if (node === null) continue;
    const { context } = node;
    if (watch.up.includes(name) !== (context.wanted === 'up')) return `${name} comes to rest and does not want what was ordered`;
    if (!restsWhereItIsWanted(node.state) && !waitsForGood(context, units)) return `${name} comes to rest in ${context.leaf}, wanted ${context.wanted}`;
  }
  return null;
}

/** It waits for a dependency that failed, was stopped by hand, or waits itself. */
function waitsForGood(context: Context, units: SystemState['units']): boolean {
  return context.leaf === 'waiting' && context.wanted === 'up' && context.spec.dependsOn.some((edge) => {
    const dependency = contextOf(units, edge.service);
    if (dependency === null) return true;
    return !isMet(edge, dependency) && (dependency.leaf === 'failed' || dependency.wanted === 'down' || waitsForGood(dependency, units));
  });
}
