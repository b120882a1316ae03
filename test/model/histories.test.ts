import fc from 'fast-check';
import { expect, onTestFinished, test, vi } from 'vitest';
import { viewUnit } from '../../machines/view.ts';
import { world, type World } from '../machines/supervisor-rig.ts';
import { definitions, fail, kindsIn, lacks, move, names, proceed, settle, specFor, specsOf, stateOf, successor, unitsOf, type Move, type Name } from './history-world.ts';

/** `WALKS=20000` for longer; the seed is printed by what fails. */
const numRuns = Number(process.env['WALKS'] ?? 400);
const seed = process.env['WALKS'] === undefined ? 20 : Date.now();

/** A history of a supervisor and its successors, with what clients are owed by the present one. */
class History {
  it: World;
  owed: string[] = [];
  replacements = 0;
  runs = 0;
  readonly unrecorded = new Set<string>();
  #ticket = 0;

  constructor(it: World) {
    this.it = it;
  }

  make(each: Move): void {
    const { it } = this;
    if ('settles' in each) settle(it);
    else if ('happens' in each) proceed(it, each.happens, each.code);
    else if ('fails' in each) fail(it, each.fails);
    else if ('due' in each) it.schedules.get(each.due)?.send({ type: 'due', at: it.now(), instantWallMs: 1 });
    else if ('rolloutGoesOn' in each) it.tasks[0]?.report({ type: each.rolloutGoesOn ? 'task.done' : 'task.failed' });
    else if ('reload' in each) it.send({ type: 'reload', specs: specsOf(each.reload) });
    else if ('dies' in each) this.#die(each);
    else if ('command' in each) this.#order(each.units, { type: each.command });
    else {
      const kinds = kindsIn(it);
      const specs = each.restart.flatMap((name) => (each.as[name] === null || !kinds.has(name) ? [] : [specFor(name, each.as[name], kinds)]));
      this.#order(each.restart, { type: 'restart', specs });
    }
  }

  count(): void {
    for (const name of this.it.unrecorded) this.unrecorded.add(name);
    this.replacements += this.it.facts.filter(({ type }) => type === 'rollout.changed').length;
    this.runs += this.it.runs.length;
  }

  #order(units: readonly Name[], command: Parameters<World['send']>[0]): void {
    const present = units.filter((name) => unitsOf(this.it).has(name));
    this.#ticket += 1;
    this.owed.push(...present.map((name) => `${this.#ticket} ${name}`));
    if (present.length > 0) this.it.send({ ...command, ticket: this.#ticket, units: present });
  }

  #die(how: Extract<Move, { dies: unknown }>): void {
    this.count();
    this.#ticket += 1;
    const present = [...unitsOf(this.it).values()].filter(({ name }) => names.some((known) => known === name)).map(({ spec }) => spec);
    const { it, started } = successor(this.it, how.dies === null ? present : specsOf(how.dies), how, this.#ticket);
    this.it = it;
    this.owed = started.map((name) => `${this.#ticket} ${name}`);
  }
}

/** That nothing waits for nothing, and that each unit is what it is to be. */
function expectRest({ it, owed }: History): void {
  const units = [...unitsOf(it).keys()];
  const answered = new Set(it.answers.map(({ ticket, unit }) => `${ticket} ${unit}`));
  expect(owed.filter((each) => !answered.has(each) && !lacks(it, each.split(' ')[1] ?? ''))).toEqual([]);
  expect([...it.root.getSnapshot().context.rollouts.keys()].filter((name) => !lacks(it, name))).toEqual([]);
  if (!units.some((name) => lacks(it, name))) expect(it.root.getSnapshot().context.operations.size).toBe(0);
  const wrong = units.filter((name) => {
    const [state, view] = [stateOf(it, name), viewUnit(it.root.getSnapshot(), name)];
    if (lacks(it, name)) return false;
    if (view === null || view.spec.cron !== null) return it.schedules.has(name) !== (view?.wanted === 'up');
    if (state === 'stopped') return view.wanted === 'up' && view.outcome !== 'completed';
    return view.wanted === 'up' ? state !== 'running' && state !== 'failed' : true;
  });
  expect(wrong.map((name) => `${name} ${stateOf(it, name)}`)).toEqual([]);
}

test('units of every kind whose definitions and edges change under every sort of command and under the death of the supervisor: none waits for nothing, and each client has its answers', () => {
  // XState says so where a unit that ends in a step was sent something else in that step.
  const warned = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
  onTestFinished(() => warned.mockRestore());
  const counts = { replacements: 0, runs: 0 };
  fc.assert(fc.property(definitions, fc.array(move, { maxLength: 16 }), fc.boolean(), (begun, moves, isCutOff) => {
    const history = new History(world(specsOf(begun), { start: names.filter((name) => begun[name] !== null) }));
    for (const each of moves) history.make(each);
    if (!isCutOff) {
      settle(history.it);
      expectRest(history);
    }
    history.count();
    counts.replacements += history.replacements;
    counts.runs += history.runs;
    expect([...history.unrecorded]).toEqual([]);
    // The end comes from wherever that was.
    history.it.send({ type: 'shutdown', exitCode: 0 });
    settle(history.it);
    expect(history.it.facts.map(({ type }) => type)).toContain('supervisor.ended');
    const answered = history.it.answers.map(({ ticket, unit }) => `${ticket} ${unit}`);
    expect(answered.toSorted()).toEqual(history.owed.toSorted());
  }), { numRuns, seed });
  if (process.env['WALKS'] === undefined) expect(counts).toEqual({ replacements: 239, runs: 75 });
});
