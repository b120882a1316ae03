import { expect, test } from 'vitest';
import { openHub } from '../../src/web/hub.ts';
import type { Sink } from '../../src/web/event-stream.ts';
import type { StatusAnswer } from '../../src/cli/ask.ts';
import { keepRecords } from '../../src/web/records.ts';
import { until } from '../until.ts';
import { answering, makeCall, snapshot, unit } from './rig.ts';

function makeSink(): Sink & { readonly sent: { readonly event: string; readonly data: unknown }[] } {
  const sent: { event: string; data: unknown }[] = [];
  return { sent, signal: new AbortController().signal, room: async () => undefined, send: (event, data) => sent.push({ event, data }) > 0 };
}

test('a page gets all units also where the last page left while the status was asked for', async () => {
  const call = makeCall();
  const units = [unit('web'), unit('db')];
  const supervisor = await answering(call, { units });
  const waiting: ((answer: StatusAnswer) => void)[] = [];
  const hub = openHub({
    watched: { name: '-', call }, configured: () => ({ path: null, problem: null, specs: [], profiles: {} }), records: keepRecords(call), status: () => new Promise((answer) => void waiting.push(answer)),
  });
  const answerAll = (): void => {
    for (const answer of waiting.splice(0)) answer({ ok: true, snapshot: snapshot(units) });
  };
  const first = makeSink();
  const leave = hub.join(first);
  await until('the first page has its units', () => first.sent.some(({ event }) => event === 'units') && waiting.length > 0);
  leave();
  answerAll();
  await new Promise(setImmediate);
  const second = makeSink();
  const leaveAgain = hub.join(second);
  await until('the supervisor is watched again', () => supervisor.asked.filter((kind) => kind === 'watch').length === 2);
  await until('the second page has its units', () => second.sent.some(({ event }) => event === 'units'));
  expect(second.sent.filter(({ event }) => event === 'units')).toEqual([{ event: 'units', data: expect.objectContaining({ whole: true, at: expect.any(Number), changed: [expect.objectContaining({ name: 'web' }), expect.objectContaining({ name: 'db' })] }) }]);
  leaveAgain();
  hub.close();
  answerAll();
});
