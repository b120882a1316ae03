import { createActor, fromCallback } from 'xstate';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { OperationEvent, OperationReport, Part } from '../../machines/operation-facts.ts';
import { provideOperation } from '../../machines/operation.ts';
import type { Settlement } from '../../machines/types.ts';

const part = (unit: string, after: readonly string[] = [], more: Partial<Part> = {}): Part => ({
  unit, command: 'stop', origin: { kind: 'command', by: 'stop' }, after, owes: true, ...more,
});

function opened(parts: readonly Part[], ticket: number | null = 7) {
  const orders: string[] = [];
  const answers: Settlement[] = [];
  const parent = createActor(fromCallback<OperationReport>(({ receive }) => receive((report) => {
    orders.push(report.type === 'operation.done' ? 'done' : report.parts.map(({ command, unit }) => `${command} ${unit}`).join(', '));
  }))).start();
  const actor = createActor(provideOperation({ tickets: { settle: (settlement) => void answers.push(settlement) } }), {
    input: { id: 3, kind: 'stop', ticket, parts, at: 0, parent },
  }).start();
  const send = (event: OperationEvent): void => actor.send(event);
  return {
    actor, orders, answers,
    clear: (unit: string, way: { isDown?: boolean; isThrough?: boolean } = { isDown: true }) => send({ type: 'way.clear', at: 0, unit, isDown: false, isThrough: false, ...way }),
    settle: (unit: string) => send({ type: 'unit.settled', at: 0, settlement: { ticket: 3, unit, result: 'stopped', error: null } }),
    join: (unit: string) => send({ type: 'join', at: 0, unit }),
    supersede: (unit: string) => send({ type: 'supersede', at: 0, unit, error: 'superseded by start' }),
  };
}

test('each unit gets its order when those before it have made way, those that wait for nobody at once and together', () => {
  const it = opened([part('web'), part('worker'), part('api', ['web']), part('db', ['api', 'worker'])]);
  expect([it.orders, it.actor.getSnapshot().value]).toEqual([['stop web, stop worker'], 'waiting']);
  it.clear('web');
  it.clear('worker');
  expect(it.orders.slice(1)).toEqual(['stop api']);
  it.clear('api');
  expect([it.orders.slice(2), it.actor.getSnapshot().value]).toEqual([['stop db'], 'acting']);
});

test('a replacement waits until what it needs is up again, where others wait for that to be down; what is up again is waited for by none', () => {
  const parts = [part('db'), part('web', ['db'], { command: 'rollout' }), part('api', ['db'])];
  const it = opened(parts);
  it.clear('db', { isDown: true });
  expect(it.orders).toEqual(['stop db', 'stop api']);
  it.clear('db', { isThrough: true });
  expect(it.orders.slice(2)).toEqual(['rollout web']);
  const other = opened(parts);
  other.clear('db', { isThrough: true });
  expect(other.orders.slice(1).toSorted()).toEqual(['rollout web, stop api']);
});

test('the operation ends when every unit has answered, and the client has one answer of each under its own ticket', () => {
  const it = opened([part('web'), part('db', ['web'])]);
  it.settle('web');
  it.clear('web');
  it.settle('db');
  it.settle('db');
  expect(it.answers.map(({ ticket, unit }) => [ticket, unit])).toEqual([[7, 'web'], [7, 'db']]);
  expect([it.orders.at(-1), it.actor.getSnapshot().value]).toEqual(['done', 'settled']);
});

test('a later command takes the turn of a unit that still waits, and of no other', () => {
  const it = opened([part('web'), part('db', ['web'])]);
  it.supersede('web');
  it.supersede('db');
  expect(it.answers).toEqual([{ ticket: 7, unit: 'db', result: 'failed', error: 'superseded by start' }]);
  it.clear('web');
  expect(it.orders).toEqual(['stop web']);
  it.settle('web');
  expect([it.orders.at(-1), it.actor.getSnapshot().value]).toEqual(['done', 'settled']);
});

test('a unit whose turn another operation takes for the same purpose answers both', () => {
  const it = opened([part('web'), part('db', ['web'])]);
  it.join('db');
  it.clear('web');
  expect([it.orders, it.answers]).toEqual([['stop web'], []]);
  it.settle('db');
  it.settle('web');
  expect([it.answers.map(({ unit, error }) => [unit, error]), it.orders.at(-1)]).toEqual([[['db', null], ['web', null]], 'done']);
  const unasked = opened([part('db', ['web'], { owes: false })], null);
  unasked.join('db');
  expect(unasked.orders).toEqual(['done']);
});

test('an operation that is given up answers for the units that have not, and for no other', () => {
  const it = opened([part('web'), part('db', ['web'])]);
  it.settle('web');
  it.actor.send({ type: 'give.up', at: 0, error: 'the supervisor ended' });
  expect(it.answers.map(({ unit, error }) => [unit, error])).toEqual([['web', null], ['db', 'the supervisor ended']]);
});

test('an operation of which nothing is left is superseded', () => {
  const it = opened([part('db', ['web'])]);
  it.supersede('db');
  expect(it.actor.getSnapshot().value).toBe('superseded');
});

test('a unit that a later command has brought up again is out of the way of a replacement, and of a stop too', () => {
  const it = opened([part('db', ['api']), part('web', ['api'], { command: 'rollout' })]);
  it.clear('api', { isThrough: true });
  expect(it.orders).toEqual(['stop db, rollout web']);
});

test('nobody waits: the operation ends with its last order', () => {
  const it = opened([part('web', [], { owes: false }), part('db', ['web'], { owes: false })], null);
  it.clear('web');
  expect([it.orders, it.answers]).toEqual([['stop web', 'stop db', 'done'], []]);
});

test('what comes after the last answer changes nothing, and is no event to an actor that was stopped', () => {
  const warned = vi.spyOn(console, 'warn').mockImplementation(() => undefined);
  onTestFinished(() => warned.mockRestore());
  const it = opened([part('web')]);
  it.settle('web');
  it.actor.send({ type: 'give.up', at: 0, error: 'too late' });
  it.settle('web');
  it.clear('web');
  expect([it.answers.length, it.orders, warned.mock.calls]).toEqual([1, ['stop web', 'done'], []]);
});
