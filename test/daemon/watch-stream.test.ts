import { expect, onTestFinished, test } from 'vitest';
import type { Exchange } from '../../src/control/connection.ts';
import { watch } from '../../src/daemon/watch-stream.ts';
import { openJournal, type Journal } from '../../src/journal/journal.ts';
import type { StatusSnapshot } from '../../src/wire/payloads.ts';
import type { RequestOf } from '../../src/wire/requests.ts';
import { tempDir } from '../temp-dir.ts';
import { until } from '../until.ts';

interface Watching {
  /** All that was sent, as `snapshot 3`, `event 4 web`, `gap 1-2`. */
  readonly lines: string[];
  readonly ended: Promise<null>;
  leave(): void;
}

const note = (journal: Journal, unit: string | null, count = 1): void => {
  for (let round = 0; round < count; round += 1) journal.append({ at: '2026-01-01T00:00:00.000Z', unit, event: 'start', to: 'running' });
};

function open(kept?: number): Journal {
  const journal = openJournal({ stateDir: tempDir(), onProblem: (text) => expect.fail(text), ...(kept !== undefined && { kept }) });
  onTestFinished(() => journal.close());
  return journal;
}

function begin(journal: Journal, request: Partial<RequestOf<'watch'>>, onWrite: () => void = () => undefined): Watching {
  const client = new AbortController();
  const lines: string[] = [];
  let isWriting = false;
  const exchange: Exchange = {
    signal: client.signal, peerDescriptor: () => null,
    write: async (chunk) => {
      // A slow reader is waited for.
      if (isWriting) throw new Error('two lines are written at a time');
      isWriting = true;
      await Promise.resolve();
      isWriting = false;
      onWrite();
      const [[word, { seq, unit, from, to }] = ['nothing', {}]] = Object.entries(JSON.parse(Buffer.from(chunk).toString()) as Record<string, Record<string, unknown>>);
      const what = word.toLowerCase();
      lines.push(what === 'gap' ? `gap ${String(from)}-${String(to)}` : `${what} ${String(seq)}${unit === undefined ? '' : ` ${String(unit)}`}`);
    },
  };
  const ended = watch({ kind: 'watch', since: null, units: null, ...request } as RequestOf<'watch'>, exchange, journal, () => ({ units: [] }) as unknown as StatusSnapshot);
  return { lines, ended, leave: () => client.abort() };
}

const events = (from: number, to: number, unit: string | null = 'web'): readonly string[] => Array.from({ length: to - from + 1 }, (_, index) => `event ${from + index} ${unit}`);

async function told(watching: Watching, count: number): Promise<readonly string[]> {
  await until(`line ${count}`, () => watching.lines.length >= count);
  return watching.lines;
}

test('the present comes first, then what happens, and nothing of before', async () => {
  const journal = open();
  note(journal, 'web', 2);
  const watching = begin(journal, {});
  await told(watching, 1);
  note(journal, 'web');
  await told(watching, 2);
  note(journal, null);
  expect(await told(watching, 3)).toEqual(['snapshot 2', 'event 3 web', 'event 4 null']);
  watching.leave();
  expect(await watching.ended).toBeNull();
});

test('with a number what came after that comes too, and what happens meanwhile is neither lost nor doubled', async () => {
  const journal = open();
  note(journal, 'web', 3);
  let isFirst = true;
  const watching = begin(journal, { since: 1 }, () => {
    if (isFirst) note(journal, 'web', 2);
    isFirst = false;
  });
  expect(await told(watching, 5)).toEqual(['snapshot 3', ...events(2, 5)]);
});

test('what is kept no more is said to be missing, and only that', async () => {
  const journal = open(3);
  note(journal, 'web', 1004);
  const { oldest } = journal;
  expect(oldest).toBe(1002);
  expect(await told(begin(journal, { since: 2 }), 5)).toEqual(['snapshot 1004', `gap 3-${oldest - 1}`, ...events(oldest, 1004)]);
  expect(await told(begin(journal, { since: oldest - 1 }), 4)).toEqual(['snapshot 1004', ...events(oldest, 1004)]);
  // Of a journal that was removed meanwhile a client may know more than there is.
  const ahead = begin(journal, { since: 2000 });
  await told(ahead, 1);
  note(journal, 'web');
  expect(await told(ahead, 2)).toEqual(['snapshot 1004', 'event 1005 web']);
});

test('what happens while a line is written waits for nothing else to happen', async () => {
  const journal = open();
  let written = 0;
  const watching = begin(journal, {}, () => {
    written += 1;
    if (written === 2) note(journal, 'db');
  });
  await told(watching, 1);
  note(journal, 'web');
  expect(await told(watching, 3)).toEqual(['snapshot 0', 'event 1 web', 'event 2 db']);
});

test('a watch ends with its client, also where that leaves while a line is taken', async () => {
  const journal = open();
  let written = 0;
  const watching = begin(journal, {}, () => {
    written += 1;
    if (written === 2) watching.leave();
  });
  await told(watching, 1);
  note(journal, 'web');
  expect(await watching.ended).toBeNull();
});

test('of some units only theirs are told, before and after', async () => {
  const journal = open();
  for (const unit of ['web', 'db', null]) note(journal, unit);
  const watching = begin(journal, { since: 0, units: ['db', 'cache'] });
  await told(watching, 2);
  for (const unit of ['web', null, 'cache']) note(journal, unit);
  expect(await told(watching, 3)).toEqual(['snapshot 3', 'event 2 db', 'event 6 cache']);
});

test('who reads too slowly gets a gap in the place of what was too much, and goes on after that', async () => {
  const journal = open();
  let isFirst = true;
  const watching = begin(journal, {}, () => {
    if (isFirst) note(journal, 'web', 10_005);
    isFirst = false;
  });
  await told(watching, 10_002);
  note(journal, 'web');
  expect((await told(watching, 10_003)).slice(9_999)).toEqual(['event 9999 web', 'event 10000 web', 'gap 10001-10005', 'event 10006 web']);
});

test('who leaves while a line is written has not made it fail; anything else has; nobody is told any more', async () => {
  const journal = open();
  let listeners = 0;
  const counted: Journal = Object.create(journal, {
    subscribe: {
      value: (listener: Parameters<Journal['subscribe']>[0]) => {
        const off = journal.subscribe(listener);
        listeners += 1;
        return () => {
          listeners -= 1;
          off();
        };
      },
    },
  }) as Journal;
  const left = begin(counted, {}, () => {
    left.leave();
    throw new Error('the client has left');
  });
  expect(await left.ended).toBeNull();
  await expect(begin(counted, {}, () => { throw new Error('broken'); }).ended).rejects.toThrow('broken');
  expect(listeners).toBe(0);
});
