import { createActor, fromCallback } from 'xstate';
import { expect, test } from 'vitest';
import { provideEnding, type EndingInput } from '../../machines/ending.ts';
import type { ArmParams } from '../../machines/ports.ts';
import type { ProcessOrder } from '../../machines/types.ts';

function rig(input: Partial<EndingInput> = {}) {
  const orders: string[] = [];
  let armed: ArmParams | null = null;
  const machine = provideEnding({
    clock: { arm: (params) => void (armed = params), disarm: () => void (armed = null) },
    custody: fromCallback<ProcessOrder>(({ receive }) => receive((order) => orders.push(order.type === 'stop' || order.type === 'clear' ? `${order.type} ${order.signal}` : order.type))),
  });
  const actor = createActor(machine, { input: { order: 'stop', signal: 'SIGINT', graceMs: 3000, at: 100, ...input } }).start();
  return {
    actor, orders, armed: () => armed,
    elapse: () => {
      if (armed === null) throw new Error('no deadline is armed');
      const { kind, generation, at } = armed;
      actor.send({ type: `deadline.${kind}`, generation, at });
    },
    gone: () => actor.send({ type: 'process.gone', generation: 1, at: 0 }),
  };
}

test('the stop signal, the time to follow it, then SIGKILL again and again until everything is seen dead', () => {
  const { actor, orders, armed, elapse, gone } = rig();
  expect(armed()).toMatchObject({ kind: 'grace', at: 3100 });
  elapse();
  expect(actor.getSnapshot().value).toBe('killing');
  expect(armed()).toMatchObject({ kind: 'kill', at: 5100 });
  elapse();
  expect(armed()).toMatchObject({ kind: 'kill', at: 9100 });
  gone();
  expect(orders).toEqual(['stop SIGINT', 'kill', 'kill']);
  expect(actor.getSnapshot().status).toBe('done');
  expect(armed()).toBeNull();
});

test('leftovers of a leader that has ended are signalled with the same signal', () => {
  const { actor, orders, gone } = rig({ order: 'clear' });
  expect(actor.getSnapshot().value).toBe('clearing');
  gone();
  expect(orders).toEqual(['clear SIGINT']);
});

test('in a hurry SIGKILL comes at once', () => {
  const { actor, orders } = rig();
  actor.send({ type: 'hurry', at: 200 });
  expect(orders).toEqual(['stop SIGINT', 'kill']);
});
