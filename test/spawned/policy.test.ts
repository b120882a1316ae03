import { describe, expect, test } from 'vitest';
import { CALM, judgeMemory, type ChildrenUse, type MemoryVerdict } from '../../src/spawned/memory-policy.ts';
import { flawOf, openRate, type SpawnRequest } from '../../src/spawned/spawn-order.ts';

describe('a request is refused for itself', () => {
  const request: SpawnRequest = { name: 'job', command: ['sleep', '1'], ttl: null, logLevel: null };
  test.each([
    [{ command: [] }, 'command: expected a program and its arguments, got an empty list'],
    [{ command: ['', 'x'] }, 'command: expected the name of a program, got an empty one'],
    [{ command: ['a', 'b\0c'] }, 'command: argument 1 has a NUL in it, which no argument can hold'],
    [{ command: ['a', 'x'.repeat(131_072)] }, 'command: argument 1 has 131072 bytes; the kernel takes 131071 at the most'],
    [{ name: 'a\nb' }, 'name: expected no control characters, got "a\\nb"'],
    [{ name: 'x'.repeat(256) }, 'name: expected at most 255 bytes, got 256'],
    [{ ttl: 0 }, 'ttl: expected at least 1 second, got 0; leave it out for a child without a limit'],
    [{ ttl: 2 ** 53 - 1 }, 'ttl: expected at most 3155760000 seconds (100 years), got 9007199254740991'],
    [{ logLevel: 'a\0' }, 'log_level: has a NUL in it, which no variable can hold'],
  ])('%j', (changes, flaw) => {
    expect(flawOf({ ...request, ...changes })).toBe(flaw);
  });

  test('and a sound one is not', () => {
    expect(flawOf({ ...request, name: '', ttl: 1, command: ['x', '', 'y'.repeat(131_071)], logLevel: 'debug' })).toBeNull();
  });
});

test('ten a second of one parent, counted whether they live or not, and of each parent for itself', () => {
  let now = 0;
  const rate = openRate(() => now);
  for (let count = 0; count < 10; count += 1) {
    expect(rate.isExceeded(7)).toBe(false);
    rate.count(7);
    now += 50;
  }
  expect([rate.isExceeded(7), rate.isExceeded(8)]).toEqual([true, false]);
  now = 1000;
  expect(rate.isExceeded(7)).toBe(false);
});

describe('the memory of all children', () => {
  const MiB = 2 ** 20;
  type Children = ChildrenUse['children'];
  /** Judges each second; `children` by the second. */
  const over = (seconds: number, children: (second: number) => Children): readonly (MemoryVerdict & { readonly second: number })[] => {
    let state = CALM;
    const verdicts: (MemoryVerdict & { readonly second: number })[] = [];
    for (let second = 0; second <= seconds; second += 1) {
      const judged = judgeMemory(state, { at: second * 1000, limitBytes: 100 * MiB, children: children(second) });
      state = judged.state;
      if (judged.verdict.kind !== 'nothing') verdicts.push({ ...judged.verdict, second });
    }
    return verdicts;
  };
  const living = (child: string, megabytes: number): Children[number] => ({ child, bytes: megabytes * MiB, state: 'living' });

  test('above the quota for three seconds ends the one that uses most, then the next', () => {
    expect(over(6, () => [living('a', 40), living('b', 70), living('c', 60)]).map((verdict) => [verdict.second, 'child' in verdict && verdict.child])).toEqual([[3, 'b'], [6, 'b']]);
    expect(over(3, () => [living('a', 40), living('b', 70)])).toEqual([{ kind: 'end-child', child: 'b', childBytes: 70 * MiB, usedBytes: 110 * MiB, second: 3 }]);
  });

  test('a peak, and what is just the quota, are forgiven', () => {
    expect(over(9, (second) => [living('a', second % 3 === 2 ? 10 : 200)])).toEqual([]);
    expect(over(9, () => [living('a', 100)])).toEqual([]);
  });

  test('while what was asked to end still ends, nothing more is ended', () => {
    expect(over(30, () => [living('a', 90), { child: 'b', bytes: 200 * MiB, state: 'ending' }])).toEqual([]);
  });

  test('what survives SIGKILL for ten seconds is the service\'s fault', () => {
    expect(over(12, () => [{ child: 'b', bytes: 200 * MiB, state: 'killed' }, living('a', 1)])).toEqual([{ kind: 'exceeded', usedBytes: 201 * MiB, second: 10 }]);
  });
});
