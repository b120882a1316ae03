import { afterEach, expect, test, vi } from 'vitest';
import type { Exchange } from '../../src/control/connection.ts';
import { openPeers } from '../../src/daemon/peers.ts';
import { peerOf, type Peer } from '../../src/process/peer.ts';

const exchange = (onSignal?: Exchange['onSignal']): Exchange => ({
  signal: new AbortController().signal, write: () => Promise.resolve(), peerDescriptor: () => 7, ...(onSignal !== undefined && { onSignal }),
});
const peer = (pid: number): Peer => ({ uid: 1000, identity: { pid, startTime: '1', bootId: 'b' } });

/** Each question waits until it is answered here. */
function rig(): { ask: () => Promise<Peer | null>; answers: ((found: Peer | null) => void)[]; fail: (() => void)[] } {
  const answers: ((found: Peer | null) => void)[] = [];
  const fail: (() => void)[] = [];
  return { answers, fail, ask: () => new Promise((resolve, reject) => void (answers.push(resolve), fail.push(() => reject(new Error('EAGAIN'))))) };
}

afterEach(() => void vi.useRealTimers());

test('the kernel is asked once for each exchange, whoever wants to know', async () => {
  const { ask, answers } = rig();
  const peers = openPeers(ask);
  const one = exchange();
  const [found, asker] = [peers.of(one), peers.asker(one)];
  expect(answers).toHaveLength(1);
  answers[0]?.(peer(5));
  expect(await found).toEqual(peer(5));
  expect(await asker).toEqual({ uid: 1000, pid: 5 });
});

test('the kernel is asked once by the native port, for the user and for the process', async () => {
  let asked = 0;
  const port = { peerOf: () => ({ pid: process.pid, uid: ++asked === 1 ? 0 : 77 }) };
  const peers = openPeers(peerOf, () => port);
  const one = exchange();
  expect(peers.stranger(one)).toBeNull();
  expect(await peers.asker(one)).toEqual({ uid: 0, pid: process.pid });
  expect(asked).toBe(1);
  expect(peers.stranger(exchange())).toBe(77);
  const gone = openPeers(peerOf, () => ({ peerOf: () => null }));
  expect([gone.stranger(one), await gone.asker(one)]).toEqual([null, {}]);
});

test('requests keep the order in which they came, whatever their answers take', async () => {
  const { ask, answers } = rig();
  const peers = openPeers(ask);
  const order: number[] = [];
  const all = [1, 2].map((number) => peers.asker(exchange()).then(() => order.push(number)));
  answers[1]?.(peer(2));
  await Promise.resolve();
  answers[0]?.(peer(1));
  await Promise.all(all);
  expect(order).toEqual([1, 2]);
});

test('who cannot be known in time, or at all, is left out; a signal is no client', async () => {
  vi.useFakeTimers();
  const { ask, answers, fail } = rig();
  const peers = openPeers(ask);
  const [slow, failed, gone, signal] = [peers.asker(exchange()), peers.asker(exchange()), peers.asker(exchange()), peers.asker(exchange('SIGHUP'))];
  fail[1]?.();
  answers[2]?.(null);
  await vi.advanceTimersByTimeAsync(1000);
  expect(await Promise.all([slow, failed, gone, signal])).toEqual([{}, {}, {}, { signal: 'SIGHUP' }]);
});

test('a flood of requests is no flood of processes', async () => {
  const { ask, answers } = rig();
  const peers = openPeers(ask);
  const all = Array.from({ length: 20 }, () => peers.asker(exchange()));
  expect(answers).toHaveLength(8);
  for (const [index, answer] of answers.entries()) answer(peer(index));
  const found = await Promise.all(all);
  expect(found.filter(({ pid }) => pid !== undefined)).toHaveLength(8);
  void peers.asker(exchange());
  expect(answers).toHaveLength(9);
});
