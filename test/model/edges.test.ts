import fc from 'fast-check';
import { expect, onTestFinished, test, vi } from 'vitest';
import { availability } from '../../machines/order.ts';
import type { Dependency, ServiceSpec } from '../../machines/types.ts';
import { attempt } from '../../src/errors.ts';
import { specOf } from '../machines/rig.ts';
import { happen, world, type World } from '../machines/supervisor-rig.ts';

/** `WALKS=20000` for longer; the seed is printed by what fails. */
const numRuns = Number(process.env['WALKS'] ?? 300);
const seed = process.env['WALKS'] === undefined ? 20 : Date.now();

const names = ['a', 'b', 'c', 'd'] as const;
type Name = (typeof names)[number];
/** What a definition needs of the units before it. */
interface Definition {
  readonly needs: Readonly<Partial<Record<Name, Omit<Dependency, 'service'>>>>;
  readonly process: string;
  readonly kind: 'service' | 'oneshot' | 'rolling';
}
type Definitions = Readonly<Record<Name, Definition | null>>;
type Move =
  | { readonly command: 'start' | 'stop'; readonly units: readonly Name[] }
  /** `as`: with these definitions, as the file says by then. */
  | { readonly restart: readonly Name[]; readonly as: Definitions }
  | { readonly reload: Definitions }
  /** What the process of a unit does next. */
  | { readonly happens: string; readonly code: number | null }
  /** Everything under way goes on until nothing is. */
  | { readonly settles: true };

const edge = fc.record({ condition: fc.constantFrom('started', 'started', 'started', 'completed'), onRestart: fc.constantFrom('restart', 'ignore') } as const);
const definition: fc.Arbitrary<Definition> = fc.record({
  needs: fc.record({ a: edge, b: edge, c: edge }, { requiredKeys: [] }), process: fc.constantFrom('p1', 'p2'), kind: fc.constantFrom('service', 'oneshot', 'rolling', 'rolling'),
});
const definitions: fc.Arbitrary<Definitions> = fc.record({ a: fc.option(definition), b: fc.option(definition), c: fc.option(definition), d: fc.option(definition) });
const some = fc.subarray([...names], { minLength: 1 });
const move: fc.Arbitrary<Move> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ command: fc.constantFrom('start', 'stop'), units: some } as const) },
  { weight: 2, arbitrary: fc.record({ restart: some, as: definitions }) },
  { weight: 1, arbitrary: fc.record({ reload: definitions }) },
  { weight: 3, arbitrary: fc.record({ settles: fc.constant(true as const) }) },
  { weight: 5, arbitrary: fc.record({ happens: fc.constantFrom(...names, ...names.map((name) => `${name}/aside`)), code: fc.constantFrom(null, 0, 1) }) },
);

/** `present`: what an edge may lead to. */
function specFor(name: Name, { needs, process, kind }: Definition, present: readonly string[]): ServiceSpec {
  const dependsOn = names.slice(0, names.indexOf(name)).flatMap((service): Dependency[] => {
    const found = needs[service];
    return found === undefined || !present.includes(service) ? [] : [{ service, ...found }];
  });
  return specOf({
    name, dependsOn, definition: { process, policy: JSON.stringify([dependsOn, kind]) }, restart: { mode: kind === 'oneshot' ? 'on-failure' : 'always', oneshot: kind === 'oneshot' },
    deployment: { strategy: kind === 'rolling' ? 'rolling' : 'immediate', check: null, gracePeriodMs: 0, blueGreen: null, onAddressInUse: 'replace' },
  });
}

function specsOf(file: Definitions): readonly ServiceSpec[] {
  const present = names.filter((name) => file[name] !== null);
  return present.flatMap((name) => (file[name] === null ? [] : [specFor(name, file[name], present)]));
}

const unitsOf = ({ root }: World) => root.getSnapshot().context.units;

/** Everything that is under way goes on until nothing is; one-shots end well. */
function settle(it: World): void {
  const isOneshot = (name: string): boolean => unitsOf(it).get(name)?.ref?.getSnapshot().context.spec.restart.oneshot === true;
  const places = names.flatMap((name) => [name, `${name}/aside`]);
  const rollout = (): boolean => {
    const [task] = it.tasks;
    task?.report({ type: 'task.done' });
    return task !== undefined || [...it.root.getSnapshot().context.rollouts.keys()].some((name) => attempt(() => it.elapse(`${name}/rollout`), null) !== null);
  };
  // Longer than any of these histories has steps left.
  for (let round = 0; places.some((name) => happen(it, name, it.state(name), isOneshot(name) ? 0 : null)) || rollout(); round += 1) if (round > 200) throw new Error('it does not come to rest');
}

/** The unit, or the instance that is to replace it, waits for what is not there; or the turn of the unit waits for such a one. */
function lacks(it: World, name: string): boolean {
  const { spec, turn } = unitsOf(it).get(name) ?? {};
  if (spec === undefined) return false;
  if (turn != null) return spec.dependsOn.some(({ service }) => lacks(it, service));
  return [name, `${name}/aside`].some((place) => it.state(place) === 'waiting') && spec.dependsOn.some((need) => !availability(need, unitsOf(it).get(need.service)).met);
}

test('units whose definitions and edges change under every sort of command: none waits for nothing, and each client has its answers', () => {
  // XState says so where a unit that ends in a step was sent something else in that step.
  const warned = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
  onTestFinished(() => warned.mockRestore());
  let replacements = 0;
  fc.assert(fc.property(definitions, fc.array(move, { maxLength: 14 }), (begun, moves) => {
    const it = world(specsOf(begun), { start: names.filter((name) => begun[name] !== null) });
    const owed: string[] = [];
    let ticket = 0;
    const order = (units: readonly Name[], command: Parameters<World['send']>[0]): void => {
      ticket += 1;
      const present = units.filter((name) => unitsOf(it).has(name));
      owed.push(...present.map((name) => `${ticket} ${name}`));
      if (present.length > 0) it.send({ ...command, ticket, units: present });
    };
    for (const each of moves) {
      if ('settles' in each) settle(it);
      else if ('happens' in each) happen(it, each.happens, it.state(each.happens), each.code);
      else if ('reload' in each) it.send({ type: 'reload', specs: specsOf(each.reload) });
      else if ('command' in each) order(each.units, { type: each.command });
      else {
        const present = [...unitsOf(it).keys()];
        order(each.restart, { type: 'restart', specs: each.restart.flatMap((name) => (each.as[name] === null || !present.includes(name) ? [] : [specFor(name, each.as[name], present)])) });
      }
    }
    settle(it);
    replacements += it.facts.filter(({ type }) => type === 'rollout.changed').length;
    const answered = new Set(it.answers.map(({ ticket: of, unit }) => `${of} ${unit}`));
    expect(owed.filter((each) => !answered.has(each) && !lacks(it, each.split(' ')[1] ?? ''))).toEqual([]);
    expect([...unitsOf(it).keys()].filter((name) => it.state(name) === 'waiting' && !lacks(it, name))).toEqual([]);
    expect([...unitsOf(it).keys()].filter((name) => !['waiting', 'running', 'stopped'].includes(it.state(name)))).toEqual([]);
  }), { numRuns, seed });
  if (process.env['WALKS'] === undefined) expect(replacements).toBe(121);
});
