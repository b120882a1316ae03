import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  bytes, fineSpan, formatDuration, formatSize, maxDurationMs, naturally, nearMiss, parseDuration, parseLimit, parseMoment, parseSize, parseStreamDuration, span, spanInProse, spanSince,
} from '../src/words.ts';

describe('durations', () => {
  test.each([
    ['500ms', 500], ['5s', 5000], ['2m', 120_000], ['1h', 3_600_000], ['1d', 86_400_000], ['0.5s', 500], ['5', 5000], ['0', 0], ['0s', 0], [' 5 s ', 5000], ['1.005s', 1005], ['36500d', maxDurationMs],
    ['', null], ['s', null], ['5S', null], ['5sec', null], ['1m30s', null], ['-1s', null], ['1e3', null], ['.5s', null], ['5.s', null], ['0.1ms', null], ['1.0005s', null], ['36501d', null], ['0x10', null], ['Infinity', null], ['٥s', null],
  ])('%s', (written, ms) => {
    const parsed = parseDuration(written);
    expect(parsed.ok ? parsed.value : null).toBe(ms);
  });

  test('what is shown is read back as the same', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: maxDurationMs }), (ms) => {
      expect(parseDuration(formatDuration(ms))).toEqual({ ok: true, value: ms });
    }));
  });

  test('the largest unit that is exact is shown', () => {
    expect([0, 1500, 90_000, 120_000, 86_400_000].map(formatDuration)).toEqual(['0s', '1500ms', '90s', '2m', '1d']);
  });
});

test('a child that began within a second is not shown as older than it is', () => {
  expect([1999, 2000].map((nowMs) => spanSince({ secs_since_epoch: 1, nanos_since_epoch: 0 }, nowMs))).toEqual(['0s', '1s']);
  expect([2499, 2500].map((nowMs) => spanSince({ secs_since_epoch: 1, nanos_since_epoch: 500_000_000 }, nowMs))).toEqual(['0s', '1s']);
});

describe('sizes', () => {
  test.each([
    ['512M', 536_870_912], ['1G', 1_073_741_824], ['4096', 4096], ['1_000', 1000], ['10mb', 10_485_760], ['8B', 8], ['1T', 1_099_511_627_776], ['0', 0],
    ['4KiB', null], ['1.5M', null], ['-1', null], ['', null], ['M', null], ['9999999T', null], ['unlimited', null],
  ])('%s', (written, bytes) => {
    const parsed = parseSize(written);
    expect(parsed.ok ? parsed.value : 'refused').toBe(bytes ?? 'refused');
  });

  test('a limit may be unlimited', () => {
    expect([parseLimit('UNLIMITED'), parseLimit('64K')]).toEqual([{ ok: true, value: null }, { ok: true, value: 65_536 }]);
    expect(parseLimit('none').ok).toBe(false);
  });

  test('what is shown is read back as the same', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }), (bytes) => {
      expect(parseSize(formatSize(bytes))).toEqual({ ok: true, value: bytes });
    }));
  });
});

test('a near miss is a typing error, not another word', () => {
  const keys = ['restart_policy', 'depends_on', 'command', 'exec', 'env', 'user'];
  expect(['restart_polcy', 'restart-policy', 'dependson', 'comand', 'commnad', 'evn', 'zzz', 'description'].map((word) => nearMiss(word, keys))).toEqual([
    'restart_policy', 'restart_policy', 'depends_on', 'command', 'command', 'env', null, null,
  ]);
  expect(['', 'a', 'é', 'bb', 'B'].map((word) => nearMiss(word, ['b']))).toEqual([null, null, null, 'b', 'b']);
});

describe('the duration of --stream', () => {
  test.each([['5', 5000], ['2s', 2000], ['0.5s', 500], ['.5 secs', 500], ['1.5M', 90_000], ['2 hours', 7_200_000], ['1d', 86_400_000], ['1week', 604_800_000], ['0.01s', 100]])(
    '%j is %i ms', (text, ms) => {
      expect(parseStreamDuration(text)).toEqual({ ok: true, ms });
    },
  );

  test.each([
    ['', 'Stream duration cannot be empty'], ['0', 'Stream duration must be positive'], ['0s', 'Window duration must be positive'],
    ['1.5', 'Invalid window format: 1.5'], ['-5', 'Invalid window format: -5'], ['xs', 'Invalid number in window: '], ['5 fortnights', 'Unknown time unit: fortnights'],
    ['99999999999', 'Invalid stream duration: 99999999999'],
  ])('%j is refused: %s', (text, reason) => {
    expect(parseStreamDuration(text)).toEqual({ ok: false, problem: `Invalid stream duration '${text}': ${reason}` });
  });
});

test('a span has two units at most', () => {
  expect([0, 59.9, 60, 303, 3600, 7500, 86_400, 273_600].map(span)).toEqual(['0s', '59s', '1m', '5m 3s', '1h', '2h 5m', '1d', '3d 4h']);
  expect([0, 999, 3050, 59_990, 4_320_000].map(fineSpan)).toEqual(['0ms', '999ms', '3.05s', '59.99s', '1h 12m']);
  expect([-5000, 800, 42_000, 59_999, 180_000, 7_800_000, 86_400_000, 345_600_000, Number.NaN].map(spanInProse)).toEqual(['0.0 s', '0.8 s', '42 s', '59 s', '3 min 0 s', '2 h 10 min', '1 day', '4 days', 'an unknown time']);
});

test('bytes are rounded in steps of 1024', () => {
  expect([0, 512, 1023, 1024, 1_572_864, 2 ** 60].map((count) => bytes(count))).toEqual(['0B', '512B', '1023B', '1.0KB', '1.5MB', '1048576.0TB']);
  expect([512, 64 * 1024 ** 2].map((count) => bytes(count, 'iec'))).toEqual(['512 B', '64.0 MiB']);
});

test('a moment is so long before now, or a time that exists', () => {
  const now = Date.parse('2026-03-01T00:00:00Z');
  expect(['10m', '2026-01-31T12:00:00Z', '2026-01-31 12:00:00+01:00', '2026-02-31T00:00:00Z', 'noon'].map((text) => parseMoment(text, now))).toEqual([
    now - 600_000, Date.parse('2026-01-31T12:00:00Z'), Date.parse('2026-01-31T11:00:00Z'), null, null,
  ]);
});

test('names are in the order in which a person would put them', () => {
  expect(naturally(['web10', 'web', 'web2', 'web02', 'db', 'web-1', 'a9z', 'a10b'], String)).toEqual(['a9z', 'a10b', 'db', 'web', 'web02', 'web2', 'web10', 'web-1']);
  fc.assert(fc.property(fc.uniqueArray(fc.nat()), (numbers) => {
    const named = (number: number): { name: string } => ({ name: `web${number}-a` });
    expect(naturally(numbers.map(named), ({ name }) => name)).toEqual(numbers.toSorted((one, other) => one - other).map(named));
  }));
  fc.assert(fc.property(fc.array(fc.stringMatching(/^[a0-9-]{0,5}$/)), (names) => {
    expect(naturally(names.toReversed(), String)).toEqual(naturally(names, String));
  }));
});
