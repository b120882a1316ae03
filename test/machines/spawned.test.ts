import { describe, expect, test } from 'vitest';
import type { ChildFacts, ServiceSpec, SpawnOrder, SpawnSpec } from '../../machines/types.ts';
import { identityOf, specOf } from './rig.ts';
import { hasEnded } from '../../machines/supervisor.ts';
import { world, type World } from './supervisor-rig.ts';

const limits: SpawnSpec = { children: 100, depth: 3, descendants: 500, totalMemoryBytes: null, terminationPolicy: 'cascade' };

const dynamic = (changes: Partial<SpawnSpec> = {}, more: Partial<ServiceSpec> = {}): ServiceSpec => specOf({ name: 'orch', spawn: { ...limits, ...changes }, ...more });

/** A running service that may spawn. */
function serving(changes: Partial<SpawnSpec> = {}, more: Partial<ServiceSpec> = {}): World {
  const rig = world([dynamic(changes, more)], { start: ['orch'] });
  rig.come('orch');
  return rig;
}

let tickets = 0;

function ask(rig: World, order: Partial<SpawnOrder> = {}, usedBytes = 0): number {
  tickets += 1;
  rig.send({
    type: 'spawn', ticket: tickets, usedBytes,
    order: { unit: 'orch', generation: 1, token: 'T', parent: null, parentPid: 77, name: 'job', argv: ['job', '-x'], ttlMs: null, logLevel: null, ...order },
  });
  return tickets;
}

const answerTo = (rig: World, ticket: number) => rig.answers.find((answer) => answer.ticket === ticket);
const idOf = (number: number): string => `seed.c${number}`;
/** Asks and reports it as born. */
function spawned(rig: World, order: Partial<SpawnOrder> = {}): string {
  const before = new Set(rig.root.getSnapshot().context.children.keys());
  const ticket = ask(rig, order);
  const id = [...rig.root.getSnapshot().context.children.keys()].find((key) => !before.has(key));
  if (id === undefined) throw new Error(String(answerTo(rig, ticket)?.error));
  rig.reportChild(id, 'process.spawned');
  return id;
}
function end(rig: World, id: string, code = 0): void {
  rig.reportChild(id, 'process.exited', { exit: { code, signal: null } });
  rig.reportChild(id, 'process.gone');
}
const stateOf = (rig: World, id: string): string => rig.root.getSnapshot().context.children.get(id)?.facts.state ?? 'absent';
const told = (rig: World, id: string): readonly ChildFacts[] => rig.facts.flatMap((fact) => (fact.type === 'child.changed' && fact.facts.child === id ? [fact.facts] : []));

describe('a spawned child', () => {
  test('is started in its service\'s context with its own program, its place in the tree and both tokens, and its birth answers', () => {
    const rig = serving({}, { env: { A: 'b' }, privileges: { ...specOf().privileges, user: 'www' } });
    const ticket = ask(rig, { ttlMs: 5000, logLevel: 'debug' });
    const input = rig.inputs.get(`child ${idOf(1)}`);
    expect(input).toMatchObject({ role: 'child', token: idOf(1), within: 'T', adopt: null });
    expect(input?.spec).toMatchObject({
      name: 'orch', launch: { kind: 'exec', argv: ['job', '-x'] }, privileges: { user: 'www' }, check: null, hooks: [], spawn: null,
      env: { A: 'b', SPAWN_DEPTH: '1', SPAWN_PARENT_PID: '77', RUST_LOG: 'debug' },
    });
    expect(answerTo(rig, ticket)).toBeUndefined();
    rig.reportChild(idOf(1), 'process.spawned');
    expect(answerTo(rig, ticket)).toMatchObject({ unit: 'orch', result: 'started', error: null });
    expect(rig.children.get(idOf(1))?.identity).not.toBeNull();
    expect(stateOf(rig, idOf(1))).toBe('living');
  });

  test('that cannot be started answers why, leaves no note and is not shown, whatever the policy', () => {
    for (const terminationPolicy of ['cascade', 'orphan', 'reparent'] as const) {
      const rig = serving({ terminationPolicy });
      const ticket = ask(rig);
      rig.reportChild(idOf(1), 'process.refused', { reason: 'no such program' });
      expect(answerTo(rig, ticket)).toMatchObject({ result: 'failed', error: 'no such program' });
      expect(rig.children.size).toBe(0);
      expect(stateOf(rig, idOf(1))).toBe('absent');
    }
  });

  test('is ended when its time is over: TERM, after the stop timeout KILL, again and again', () => {
    const rig = serving();
    const id = spawned(rig, { ttlMs: 5000 });
    const born = rig.now();
    expect(rig.elapseChild(id)).toBe('ttl');
    expect(rig.now()).toBe(born + 5000);
    expect(rig.effects.at(-1)).toBe(`SIGTERM child ${id}`);
    expect(rig.elapseChild(id)).toBe('grace');
    expect(rig.now()).toBe(born + 15_000);
    expect(rig.effects.at(-1)).toBe(`kill child ${id}`);
    expect(rig.elapseChild(id)).toBe('kill');
    expect(rig.effects.slice(-2)).toEqual([`kill child ${id}`, `kill child ${id}`]);
    end(rig, id);
    expect(told(rig, id).map(({ state, cause }) => [state, cause])).toEqual([
      ['living', null], ['stopping', 'ttl'], ['killing', 'ttl'], ['killing', 'ttl'], ['gone', 'ttl'],
    ]);
    expect(rig.children.size).toBe(0);
  });

  test('that ends by itself has what it left cleared away before it is gone', () => {
    const rig = serving();
    const id = spawned(rig);
    rig.reportChild(id, 'process.exited', { exit: { code: 7, signal: null } });
    expect(rig.effects.at(-1)).toBe(`clear child ${id}`);
    expect(stateOf(rig, id)).toBe('clearing');
    expect(rig.elapseChild(id)).toBe('grace');
    expect(rig.effects.at(-1)).toBe(`kill child ${id}`);
    rig.reportChild(id, 'process.gone');
    expect(told(rig, id).at(-1)).toMatchObject({ state: 'gone', exit: { code: 7 }, cause: null });
  });

  test('taken over lives on under its deadline, counted from its birth', () => {
    const record = {
      id: 'old.c4', depth: 1, token: 'old.c4', startedAt: -3000, identity: identityOf(500),
      order: { unit: 'orch', generation: 1, token: 'T', parent: null, parentPid: 77, name: 'job', argv: ['job'], ttlMs: 10_000, logLevel: null },
    };
    const rig = world([dynamic()], { start: ['orch'], children: [{ record, alive: true }, { record: { ...record, id: 'old.c5' }, alive: false }] });
    expect(rig.effects).toContain('adopt child old.c4');
    expect(stateOf(rig, 'old.c5')).toBe('absent');
    expect(rig.elapseChild('old.c4')).toBe('ttl');
    expect(rig.now()).toBe(7000);
    expect(rig.effects.at(-1)).toBe('SIGTERM child old.c4');
  });

  describe('whose actor throws', () => {
    const fail = (rig: World, id: string): void => {
      rig.root.getSnapshot().context.children.get(id)?.ref?.send({ type: 'process.exited', generation: 0, at: 1, get exit(): never { throw new Error('planted'); } } as never);
    };

    test('is taken over by another one with its process', () => {
      const rig = serving();
      const id = spawned(rig);
      fail(rig, id);
      expect(rig.effects.at(-1)).toBe(`adopt child ${id}`);
      expect(stateOf(rig, id)).toBe('living');
      end(rig, id, 3);
      expect(told(rig, id).at(-1)).toMatchObject({ state: 'gone', exit: { code: 3 } });
    });

    test('before it was born is answered, and not kept', () => {
      const rig = serving();
      const ticket = ask(rig);
      fail(rig, idOf(1));
      expect(answerTo(rig, ticket)).toMatchObject({ result: 'failed', error: 'the supervisor failed while it looked after the unit' });
      expect(stateOf(rig, idOf(1))).toBe('absent');
    });

    test('while it is ended is not ended by another one: that is left to the end of its service', () => {
      const rig = serving();
      const id = spawned(rig, { ttlMs: 5000 });
      rig.elapseChild(id);
      fail(rig, id);
      expect(stateOf(rig, id)).toBe('absent');
    });
  });
});

describe('limits', () => {
  test.each([
    ['depth', { depth: 2 }, (rig: World) => ask(rig, { parent: spawned(rig) }), 'Maximum spawn depth reached'],
    ['descendants', { descendants: 2 }, (rig: World) => (spawned(rig), spawned(rig, { parentPid: 78 }), ask(rig, { parentPid: 79 })), 'Descendant limit exceeded'],
    ['children', { children: 1 }, (rig: World) => (spawned(rig), ask(rig)), 'Maximum direct children reached'],
    ['total_memory', { totalMemoryBytes: 100 }, (rig: World) => ask(rig, {}, 100), 'Memory quota exceeded'],
    ['the rate', {}, (rig: World) => (Array.from({ length: 10 }, () => spawned(rig)), ask(rig)), 'Spawn rate limit exceeded (max 10/sec)'],
  ] as const)('%s', (_, changes, overstep, text) => {
    const rig = serving(changes);
    expect(answerTo(rig, overstep(rig))).toMatchObject({ result: 'failed', error: `Spawn limit exceeded: ${text}` });
  });

  test('count the living only', () => {
    const rig = serving({ children: 1, descendants: 1, terminationPolicy: 'orphan' });
    end(rig, spawned(rig));
    expect(stateOf(rig, spawned(rig))).toBe('living');
  });

  test('the rate forgets what is a second old', () => {
    const rig = serving();
    for (let count = 0; count < 10; count += 1) spawned(rig);
    rig.advance(1001);
    expect(stateOf(rig, spawned(rig))).toBe('living');
  });

  test('an empty command is refused', () => {
    const rig = serving();
    expect(answerTo(rig, ask(rig, { argv: [] }))?.error).toContain('an empty list');
    expect(answerTo(rig, ask(rig, { argv: [''] }))?.error).toContain('an empty program name');
  });

  test('a static service, another generation and a service that is not up have no children', () => {
    const rig = serving();
    expect(answerTo(rig, ask(rig, { generation: 2 }))?.error).toContain('Spawn authorization failed');
    expect(answerTo(rig, ask(rig, { unit: 'nobody' }))?.error).toContain('No spawn tree found');
    rig.send({ type: 'stop', units: ['orch'] });
    expect(answerTo(rig, ask(rig))?.error).toBe("Spawn authorization failed: service 'orch' is stopping");
    const fixed = world([specOf({ name: 'orch' })], { start: ['orch'] });
    fixed.come('orch');
    expect(answerTo(fixed, ask(fixed))?.error).toContain('No spawn tree found');
  });
});

describe('the end of a child with children', () => {
  const family = (terminationPolicy: SpawnSpec['terminationPolicy']) => {
    const rig = serving({ terminationPolicy, depth: 5 });
    const parent = spawned(rig);
    const middle = spawned(rig, { parent });
    const leaf = spawned(rig, { parent: middle });
    end(rig, middle, 1);
    return { rig, parent, middle, leaf, parentOfLeaf: rig.root.getSnapshot().context.children.get(leaf)?.parent };
  };

  test('cascade ends its whole subtree and nothing above it', () => {
    const { rig, parent, middle, leaf } = family('cascade');
    expect(told(rig, leaf).at(-1)).toMatchObject({ state: 'stopping', cause: 'cascade' });
    expect([stateOf(rig, parent), stateOf(rig, middle)]).toEqual(['living', 'absent']);
    const below = serving({ depth: 5 });
    const top = spawned(below);
    const second = spawned(below, { parent: top });
    const third = spawned(below, { parent: second });
    end(below, top);
    end(below, second);
    expect(told(below, third).at(-1)).toMatchObject({ state: 'stopping', cause: 'cascade' });
  });

  test('orphan leaves them without a parent, and keeps its end', () => {
    const { rig, middle, leaf, parentOfLeaf } = family('orphan');
    expect([stateOf(rig, leaf), parentOfLeaf, stateOf(rig, middle)]).toEqual(['living', null, 'gone']);
  });

  test('reparent gives them to its own parent', () => {
    const { rig, parent, middle, leaf, parentOfLeaf } = family('reparent');
    expect([stateOf(rig, leaf), parentOfLeaf, stateOf(rig, middle)]).toEqual(['living', parent, 'gone']);
  });

  test('at most twenty ended ones are kept', () => {
    const rig = serving({ terminationPolicy: 'orphan' });
    for (let count = 0; count < 25; count += 1) {
      rig.advance(200);
      end(rig, spawned(rig));
    }
    expect(rig.root.getSnapshot().context.children.size).toBe(20);
  });
});

describe('the end of the service', () => {
  test('by a stop: children it did not reach are ended, and nothing of them is kept', () => {
    const rig = serving({ terminationPolicy: 'orphan' });
    const early = spawned(rig);
    end(rig, early);
    const id = spawned(rig);
    rig.send({ type: 'stop', units: ['orch'] });
    expect(stateOf(rig, id)).toBe('living');
    rig.go('orch');
    expect(told(rig, id).at(-1)).toMatchObject({ state: 'stopping', cause: 'service' });
    expect(stateOf(rig, early)).toBe('absent');
    end(rig, id);
    expect(rig.root.getSnapshot().context.children.size).toBe(0);
  });

  test('one that is just being born is ended at once, and its asker is told', () => {
    const rig = serving();
    const ticket = ask(rig);
    rig.send({ type: 'stop', units: ['orch'] });
    expect(told(rig, idOf(1)).at(-1)).toMatchObject({ state: 'stopping', cause: 'service' });
    rig.reportChild(idOf(1), 'process.gone');
    expect(answerTo(rig, ticket)).toMatchObject({ result: 'failed', error: 'it was ended before it had started' });
  });

  test('by a crash: the next process of the service begins without them', () => {
    const rig = serving({}, { restart: { ...specOf().restart, mode: 'always', backoff: { initialMs: 100, maxMs: 100, factor: 1, jitter: 0 } } });
    const id = spawned(rig);
    rig.go('orch', 1);
    expect(told(rig, id).at(-1)).toMatchObject({ state: 'stopping', cause: 'service' });
    expect(rig.elapse('orch')).toBe('backoff');
    rig.come('orch');
    expect(answerTo(rig, ask(rig))?.error).toContain('Spawn authorization failed');
    end(rig, id);
    expect(rig.children.size).toBe(0);
  });

  test('by a reload that removes it', () => {
    const rig = serving();
    const id = spawned(rig);
    rig.send({ type: 'reload', specs: [] });
    rig.go('orch');
    expect(told(rig, id).at(-1)).toMatchObject({ state: 'stopping', cause: 'service' });
  });

  test('shutdown waits for them', () => {
    const rig = serving();
    const id = spawned(rig);
    rig.send({ type: 'shutdown', exitCode: 0 });
    rig.go('orch');
    expect(hasEnded(rig.root.getSnapshot())).toBe(false);
    expect(told(rig, id).at(-1)).toMatchObject({ state: 'stopping', cause: 'service' });
    end(rig, id);
    expect(hasEnded(rig.root.getSnapshot())).toBe(true);
  });

  test('shutdown waits for one that was killed, but not for one that survives it', () => {
    const rig = serving();
    const id = spawned(rig);
    rig.send({ type: 'shutdown', exitCode: 0 });
    rig.go('orch');
    expect(rig.elapseChild(id)).toBe('grace');
    expect(hasEnded(rig.root.getSnapshot())).toBe(false);
    expect(rig.elapseChild(id)).toBe('kill');
    expect(hasEnded(rig.root.getSnapshot())).toBe(true);
  });

  test('during a shutdown nothing is spawned', () => {
    const rig = serving();
    rig.send({ type: 'shutdown', exitCode: 0 });
    expect(answerTo(rig, ask(rig))).toMatchObject({ result: 'failed', error: 'the supervisor is shutting down' });
  });
});

test('a child over the limit of memory is ended for that; one that nobody knows changes nothing', () => {
  const rig = serving();
  const id = spawned(rig);
  rig.send({ type: 'child.limit', child: 'nobody' });
  expect(stateOf(rig, id)).toBe('living');
  rig.send({ type: 'child.limit', child: id });
  expect(told(rig, id).at(-1)).toMatchObject({ state: 'stopping', cause: 'limit' });
});
