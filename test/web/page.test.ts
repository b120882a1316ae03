import { expect, onTestFinished, test, vi } from 'vitest';
import { parseEvent } from '../../src/simulate/events.ts';
import { brokenAt } from '../../src/web/page/breaks.ts';
import { changeText } from '../../src/web/page/announce.ts';
import { makeGather } from '../../src/web/page/gather.ts';
import { eventOf, faultKinds } from '../../src/web/page/faults.ts';
import { bytes, offset, plain, sinceOf, span } from '../../src/web/page/words.ts';

test.each(faultKinds)('a fault that $label is an event of the simulation', ({ kind }) => {
  const parsed = parseEvent(eventOf({ id: 1, unit: 'web-1', atMs: 1500, kind }), 0);
  expect(parsed).toMatchObject({ ok: true, event: { atMs: 1500 } });
});

test('what steers a terminal is taken out of a line, and what is left is as it was', () => {
  expect(plain('\u001b[1;31mred\u001b[0m and \u001b]0;title\u0007plain\ttext')).toBe('red and plain\ttext');
  expect(plain('a\u0000b\u202ec')).toBe('a·b·c');
  expect(plain('<b>ä 漢字</b>')).toBe('<b>ä 漢字</b>');
});

test('what is said of changes is a sentence, and of many units their number', () => {
  const [failed, runs] = [{ name: 'api', state: 'failed', health: 'failing' }, { name: 'db', state: 'running', health: 'healthy' }];
  expect(changeText([failed, runs])).toBe('api failed, db is running');
  expect(changeText([{ ...runs, health: 'degraded' }, { ...failed, state: 'backoff' }, { ...failed, state: 'unready' }])).toBe('db is running, degraded, api is in backoff, api is not ready');
  expect(changeText([failed, runs, runs, runs])).toBe('4 units changed: 1 failed, 3 running');
});

test('of a flood the newest lines are put into the page, once in a moment', () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const taken: (readonly number[])[] = [];
  const gather = makeGather<number>((items) => taken.push(items), { most: 3, withinMs: 250 });
  for (const item of [1, 2, 3, 4, 5]) gather.add([item]);
  vi.advanceTimersByTime(249);
  expect(taken).toEqual([]);
  vi.advanceTimersByTime(1);
  gather.add([6]);
  vi.advanceTimersByTime(250);
  gather.add([7]);
  gather.clear();
  vi.advanceTimersByTime(1000);
  expect(taken).toEqual([[3, 4, 5], [6]]);
});

test('what one process took is not joined to what the next one takes', () => {
  expect(brokenAt([[1, 10], [2, 11], [5, 3]], [0.5, 4, 6])).toEqual([[1, 10], [2, 11], [4, null], [5, 3]]);
  expect(brokenAt([], [1])).toEqual([]);
});

test('spans and sizes are short', () => {
  expect([span(5.9), span(60), span(3723), span(90_000)]).toEqual(['5s', '1m', '1h 2m', '1d 1h']);
  expect([offset(0), offset(1530), offset(120_000)]).toEqual(['0s', '1.53s', '2m']);
  expect([bytes(0), bytes(1023), bytes(1536), bytes(3 * 1024 ** 3)]).toEqual(['0 B', '1023 B', '1.5 KiB', '3.0 GiB']);
});

test('what runs does so since its process began, whichever supervisor looks after it', () => {
  const [since, began] = ['2026-01-01T00:05:00Z', '2026-01-01T00:00:00Z'];
  expect(sinceOf({ phase: 'running', since, started_at: began })).toBe(began);
  expect(sinceOf({ phase: 'running', since })).toBe(since);
  expect(sinceOf({ phase: 'backoff', since, started_at: began })).toBe(since);
  expect(sinceOf({ phase: 'failed' })).toBeUndefined();
});
