import { expect, test } from 'vitest';
import { openStreams, type Sink } from '../../src/web/event-stream.ts';
import { readEvents } from './rig.ts';

const large = 'x'.repeat(100_000);

test('a client that does not read is let go, and costs a bounded part of memory', () => {
  const streams = openStreams(2);
  let sink: Sink | null = null;
  let left = 0;
  streams.open((opened) => {
    sink = opened;
    return () => (left += 1);
  });
  const found = sink as Sink | null;
  if (found === null) throw new Error('not opened');
  let sent = 0;
  while (found.send('large', large)) sent += 1;
  expect(sent).toBeLessThan(50);
  expect([left, streams.count, found.signal.aborted]).toEqual([1, 0, true]);
  expect(found.send('more', 1)).toBe(false);
});

test('an event larger than a client may leave unread reaches it, and the stream goes on', async () => {
  const response = openStreams(1).open((sink) => {
    sink.send('units', large.repeat(60));
    sink.send('units', 'small');
    return () => undefined;
  });
  if (response === null) throw new Error('not opened');
  const events = await readEvents(response, (all) => all.length > 0);
  expect(events[0]?.data).toHaveLength(6_000_000);
});

test('many clients that do not read share what all may leave unread', () => {
  const streams = openStreams(64);
  const sinks: Sink[] = [];
  for (let client = 0; client < 64; client += 1) streams.open((sink) => (sinks.push(sink), () => undefined));
  let sent = 0;
  for (let round = 0; round < 50; round += 1) for (const sink of sinks) if (sink.send('large', large)) sent += 1;
  expect(sent / 64).toBeLessThan(20);
  expect(streams.count).toBeLessThan(20);
});

test('a sender that can wait is held up until the client has read, and released when the client leaves', async () => {
  const streams = openStreams(1);
  let done = 0;
  const response = streams.open(async (sink) => {
    for (; done < 200 && !sink.signal.aborted; done += 1) {
      sink.send('large', large);
      await sink.room();
    }
  });
  await Promise.resolve();
  expect(done).toBeLessThan(5);
  if (response === null) throw new Error('not opened');
  const events = await readEvents(response, (all) => all.length >= 20);
  expect(events).toHaveLength(20);
  expect([done < 200, streams.count]).toEqual([true, 0]);
});

test('a line break in data does not end the event', async () => {
  const response = openStreams(1).open((sink) => {
    sink.send('text', { line: 'a\n\nevent: evil\ndata: 1' });
    return () => undefined;
  });
  if (response === null) throw new Error('not opened');
  expect(await readEvents(response, (all) => all.length > 0)).toEqual([{ event: 'text', data: { line: 'a\n\nevent: evil\ndata: 1' } }]);
});
