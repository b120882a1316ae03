import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import { pause, within } from '../../src/actors/within.ts';
import { makeManualClock } from './manual-clock.ts';

const result = { ok: false, reason: 'it was ended' } as const;
/** Work that comes to an end when its signal is aborted, and at no other time. */
const untilAborted = (signal: AbortSignal): Promise<typeof result> => new Promise((resolve) => {
  if (signal.aborted) resolve(result);
  signal.addEventListener('abort', () => resolve(result));
});

test('work is ended by its limit, which is the reason, and by whoever waits, whose abort may have come first', async () => {
  const clock = makeManualClock();
  const tookLonger = within(2000, clock, new AbortController().signal, untilAborted);
  await clock.pass(2000);
  expect(await tookLonger).toEqual({ ok: false, reason: 'took longer than 2 s' });
  expect(await within(2000, clock, AbortSignal.abort(), untilAborted)).toEqual(result);
  const ended = new AbortController();
  const running = within(2000, clock, ended.signal, untilAborted);
  ended.abort();
  expect(await running).toEqual(result);
  expect(clock.pending()).toEqual([]);
});

test('whoever may end much of it, one after the other, is listened to only as long as something goes on', async () => {
  const clock = makeManualClock();
  const { signal } = new AbortController();
  await within(2000, clock, signal, async () => result);
  const paused = pause(1000, clock, signal);
  expect(getEventListeners(signal, 'abort')).toHaveLength(1);
  await clock.pass(1000);
  await paused;
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});

test('what has succeeded in the moment of its limit has succeeded', async () => {
  const clock = makeManualClock();
  const done = within(2000, clock, new AbortController().signal, async (signal) => {
    await untilAborted(signal);
    return { ok: true };
  });
  await clock.pass(2000);
  expect(await done).toEqual({ ok: true });
});

test('a pause is over after its time, at once when none is left, and with the abort', async () => {
  const clock = makeManualClock();
  const { signal } = new AbortController();
  await Promise.all([pause(0, clock, signal), pause(-5, clock, signal), pause(1000, clock, AbortSignal.abort())]);
  expect(clock.pending()).toEqual([]);
  const paused = pause(1000, clock, signal);
  await clock.pass(1000);
  await paused;
  const ended = new AbortController();
  const left = pause(1000, clock, ended.signal);
  ended.abort();
  await left;
  expect(clock.pending()).toEqual([]);
});
