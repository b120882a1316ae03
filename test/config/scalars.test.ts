import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatDuration, maxDurationMs, parseDuration } from '../../src/config/duration.ts';
import { nearMiss } from '../../src/config/near-miss.ts';
import { formatSize, parseLimit, parseSize } from '../../src/config/size.ts';

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
});
