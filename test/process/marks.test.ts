import { expect, test } from 'vitest';
import { marksIn } from '../../src/process/marks.ts';

test('the tokens of a process stand in the names of the groups that it is in, those of an outer supervisor first', () => {
  expect(marksIn('9:name=systemd:/sysg-unit.a.1/user.slice/sysg-unit.b.2+b.c1\n1:cpu:/limits/0123\n0::/\n')).toEqual(['a.1', 'b.2', 'b.c1']);
  expect(marksIn('0::/system.slice/sysg.service\n')).toEqual([]);
});
