import { createActor, fromCallback, type AnyActorRef } from 'xstate';
import { describe, expect, test } from 'vitest';
import { createClock, type Clock, type TimeSource } from '../src/clock.ts';

/** Time that passes when the test says so; a pause lets it pass without any timer firing meanwhile. */
function scripted(): { source: TimeSource; waits: number[]; pass(ms: number): void; freeze(ms: number): void; poll(): void; armed(): number } {
  let now = 0;
  let timer: { at: number; wake: () => void } | null = null;
  const polls: (() => void)[] = [];
  const waits: number[] = [];
  const fire = (): void => {
    const due = timer;
    timer = null;
    due?.wake();
  };
  return {
    waits,
    source: {
      now: () => now,
      wait: (ms, wake) => {
        waits.push(ms);
        const mine = { at: now + ms, wake };
        timer = mine;
        return () => {
          if (timer === mine) timer = null;
        };
      },
      afterPoll: (wake) => void polls.push(wake),
    },
    pass: (ms) => {
      const end = now + ms;
      while (timer !== null && timer.at <= end) {
        now = Math.max(now, timer.at);
        fire();
      }
      now = end;
    },
    freeze: (ms) => {
      now += ms;
      if (timer !== null && timer.at <= now) fire();
    },
    poll: () => polls.splice(0).forEach((wake) => wake()),
    armed: () => (timer === null ? 0 : 1),
  };
}

function listener(): { ref: AnyActorRef; heard: object[] } {
  const heard: object[] = [];
  const ref = createActor(fromCallback<{ type: string }>(({ receive }) => receive((event) => heard.push(event))));
  ref.start();
  return { ref, heard };
}

describe('deadlines', () => {
  test('fire in the order of their moments, equals in the order of their arrival, behind one timer', () => {
    const time = scripted();
    const clock = createClock(time.source);
    const fired: string[] = [];
    for (const [name, at] of [['c', 30], ['a', 10], ['b1', 20], ['b2', 20]] as const) clock.at(at, () => void fired.push(name));
    expect(time.armed()).toBe(1);
    time.pass(25);
    expect(fired).toEqual(['a', 'b1', 'b2']);
    time.pass(25);
    expect(fired).toEqual(['a', 'b1', 'b2', 'c']);
    expect(time.armed()).toBe(0);
  });

  test('never early: a fraction of a millisecond is rounded up', () => {
    const time = scripted();
    createClock(time.source).at(10.2, () => undefined);
    expect(time.waits).toEqual([11]);
  });

  test('what was dropped does not fire, and thousands of dropped ones do not stay', () => {
    const time = scripted();
    const clock = createClock(time.source);
    const fired: number[] = [];
    const drops = Array.from({ length: 5000 }, (_, index) => clock.at(100 + index, () => void fired.push(index)));
    drops.slice(1).forEach((drop) => drop());
    drops[1]?.();
    time.pass(10_000);
    expect(fired).toEqual([0]);
  });

  test('a wait beyond what timers can hold is cut into pieces', () => {
    const time = scripted();
    const fired: number[] = [];
    createClock(time.source).at(2 ** 31 * 3, () => void fired.push(1));
    expect(time.waits[0]).toBe(2 ** 31 - 1);
    time.pass(2 ** 31 * 2);
    expect(fired).toEqual([]);
    time.pass(2 ** 31);
    expect(fired).toEqual([1]);
  });

  test('an actor has one: arming replaces, disarming forgets', () => {
    const time = scripted();
    const clock: Clock = createClock(time.source);
    const { ref, heard } = listener();
    clock.arm({ target: ref, kind: 'grace', generation: 1, at: 10 });
    clock.arm({ target: ref, kind: 'kill', generation: 1, at: 20 });
    time.pass(30);
    expect(heard).toEqual([{ type: 'deadline.kill', generation: 1, at: 20 }]);
    clock.arm({ target: ref, kind: 'backoff', generation: 2, at: 50 });
    clock.disarm(ref);
    time.pass(100);
    expect(heard).toHaveLength(1);
  });
});

describe('after a pause of the process', () => {
  test('a deadline more than 500 ms late waits for a poll turn and a little more, so that reports come first', () => {
    const time = scripted();
    const clock = createClock(time.source);
    const fired: string[] = [];
    clock.at(10, () => void fired.push('deadline'));
    time.freeze(5000);
    expect(fired).toEqual([]);
    time.poll();
    expect(fired).toEqual([]);
    time.pass(999);
    expect(fired).toEqual(['deadline']);
  });

  test('a deadline that is dropped meanwhile, as by the report that was waiting, never fires', () => {
    const time = scripted();
    const clock = createClock(time.source);
    const fired: string[] = [];
    const drop = clock.at(10, () => void fired.push('deadline'));
    time.freeze(5000);
    time.poll();
    drop();
    time.pass(1000);
    expect(fired).toEqual([]);
  });

  test('one that is late by less is delivered at once', () => {
    const time = scripted();
    const clock = createClock(time.source);
    const fired: string[] = [];
    clock.at(10, () => void fired.push('deadline'));
    time.freeze(400);
    expect(fired).toEqual(['deadline']);
  });
});
