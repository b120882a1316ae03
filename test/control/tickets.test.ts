import { expect, test } from 'vitest';
import { openTicketOffice } from '../../src/control/tickets.ts';
import { collected } from '../collected.ts';

const done = (ticket: number, unit: string) => ({ ticket, unit, result: 'started' as const, error: null });

test('a ticket is answered when every unit it named has answered for itself', async () => {
  const office = openTicketOffice();
  let id = 0;
  let answered = false;
  const answer = office.open(['a', 'b'], (ticket) => void (id = ticket)).then((settled) => {
    answered = true;
    return settled;
  });
  office.settle(done(id, 'a'));
  await Promise.resolve();
  expect(answered).toBe(false);
  office.settle(done(id, 'b'));
  expect((await answer).map(({ unit }) => unit)).toEqual(['a', 'b']);
});

test('a unit answers once: what it says later, or what a stranger says, changes nothing', async () => {
  const office = openTicketOffice();
  let id = 0;
  const answer = office.open(['a', 'b'], (ticket) => void (id = ticket));
  office.settle({ ...done(id, 'a'), error: 'first', result: 'failed' });
  office.settle(done(id, 'a'));
  office.settle(done(id, 'stranger'));
  office.settle(done(id + 1, 'b'));
  office.settle(done(id, 'b'));
  expect((await answer).map(({ unit, error }) => [unit, error])).toEqual([['a', 'first'], ['b', null]]);
});

test('nothing to wait for is answered at once, and nothing is issued', async () => {
  let issued = false;
  expect(await openTicketOffice().open([], () => void (issued = true))).toEqual([]);
  expect(issued).toBe(false);
});

test('what was answered is kept no longer', async () => {
  const office = openTicketOffice();
  const answered = async (): Promise<WeakRef<object>> => new WeakRef(await office.open(['a'], (ticket) => office.settle(done(ticket, 'a'))));
  await collected('the answer', await answered());
  office.settle(done(1, 'a'));
});
