import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Table } from '../../machines/table.ts';

test('a table holds what a map holds after any changes, and every earlier table stays what it was', () => {
  const key = fc.integer({ min: 0, max: 80 }).map(String);
  const change = fc.oneof(fc.record({ key, value: fc.integer() }), fc.record({ key }));
  fc.assert(fc.property(fc.array(fc.tuple(key, fc.integer()), { maxLength: 100 }), fc.array(change, { maxLength: 60 }), (entries, changes) => {
    const map = new Map(entries);
    let table = Table.of(entries);
    for (const one of changes) {
      const [before, content] = [table, [...table]];
      if ('value' in one) {
        map.set(one.key, one.value);
        table = table.set(one.key, one.value);
      } else {
        map.delete(one.key);
        table = table.delete(one.key);
      }
      expect([...before]).toEqual(content);
      expect([...table]).toEqual([...map]);
      expect([table.size, table.get(one.key), table.has(one.key)]).toEqual([map.size, map.get(one.key), map.has(one.key)]);
    }
  }), { numRuns: 200, seed: 3 });
});

test('a change shares all pages but one with the table before', () => {
  const pagesOf = (table: object): readonly object[] => (table as { readonly pages: readonly object[] }).pages;
  const table = Table.of(Array.from({ length: 1000 }, (_, index) => [String(index), index] as const));
  const changed = table.set('500', -1);
  expect(pagesOf(changed).filter((page) => !pagesOf(table).includes(page))).toHaveLength(1);
});
