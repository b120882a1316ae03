import { describe, expect, test } from 'vitest';
import { connectionsWithin, makeReserve, reservedDescriptors } from '../../src/process/descriptor-reserve.ts';

describe('the reserve of descriptors', () => {
  test('a unit that would take one of the reserve is refused, and the sentence holds the numbers', () => {
    let open = 60 - reservedDescriptors - 8;
    const reserve = makeReserve(60, () => open);
    expect(reserve.shortage('a')).toBeNull();
    open += 4;
    expect(reserve.shortage('b')).toMatch(/^too few file descriptors are left: 40 of the 60 .* a start takes 8, and 16 are kept in reserve$/);
  });

  test('a unit whose files are open already needs no more than the spawn takes', () => {
    let open = 20;
    const reserve = makeReserve(60, () => open);
    expect(reserve.shortage('a')).toBeNull();
    open = 40;
    expect([reserve.shortage('a'), reserve.shortage('b')]).toEqual([null, expect.any(String)]);
    open = 41;
    expect(reserve.shortage('a')).toEqual(expect.any(String));
  });

  test('what was refused is let in as soon as there are descriptors again', () => {
    let open = 59;
    const reserve = makeReserve(60, () => open);
    expect(reserve.shortage('a')).not.toBeNull();
    open = 20;
    expect(reserve.shortage('a')).toBeNull();
  });

  test('where there is plenty, descriptors are not counted for every spawn, and still never run out', () => {
    let open = 20;
    let counted = 0;
    const limit = 20_000;
    const reserve = makeReserve(limit, () => {
      counted += 1;
      return open;
    });
    let started = 0;
    while (reserve.shortage(`unit ${started}`) === null) {
      started += 1;
      open += 4;
    }
    expect(open).toBeGreaterThan(limit - reservedDescriptors - 16);
    expect(open).toBeLessThanOrEqual(limit - reservedDescriptors);
    expect(counted).toBeLessThan(started);
  });

  test('clients get an eighth of all descriptors, and never more than 1024 connections', () => {
    expect([60, 1024, 1_048_576, Infinity].map(connectionsWithin)).toEqual([8, 128, 1024, 1024]);
  });
});
