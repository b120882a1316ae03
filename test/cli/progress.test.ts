import { describe, expect, test } from 'vitest';
import type { UnitStatus } from '../../src/wire/payloads.ts';
import { withProgress } from '../../src/cli/report.ts';
import { palette } from '../../src/cli/print/palette.ts';
import { progressLines, type ProgressRow } from '../../src/cli/screen/progress.ts';
import { isMoving } from '../../src/cli/print/unit.ts';
import displayWidth, { inAscii, speaksUnicode } from '../../src/width.ts';
import type { Call } from '../../src/cli/call.ts';

const unit = (name: string, more: Partial<UnitStatus> = {}): UnitStatus =>
  ({ name, hash: 'h', kind: 'service', health: 'healthy', phase: 'running', process: { pid: 7, state: 'running' }, ...more });
const row = (shown: UnitStatus, more: Partial<ProgressRow> = {}): ProgressRow => ({ unit: shown, elapsedMs: 1234, settledMs: 1234, moved: true, ...more });
const lines = (rows: readonly ProgressRow[], look: { columns?: number; height?: number; frame?: number } = {}): string[] =>
  progressLines(rows, { columns: 80, height: 20, frame: 0, paints: palette(false), ...look });

const { process: _process, ...atRest } = unit('x');

describe('the lines of a command that goes on', () => {
  test('are one for each unit, by name, with state, time and what is known of its process', () => {
    expect(lines([
      row(unit('web', { phase: 'starting', process: { pid: 12, state: 'running' } }), { settledMs: null }),
      row({ ...atRest, name: 'api', phase: 'failed', health: 'failing', last_exit: { exit_code: 3 } }),
      row({ ...atRest, name: 'idle', phase: 'stopped' }, { moved: false, settledMs: null }),
    ])).toEqual(['✗ api   failed      1.2s  exit 3', '○ idle  stopped', '◐ web   starting    1.2s  pid 12']);
  });

  test('turn while a unit moves', () => {
    const moving = [row(unit('web', { phase: 'stopping' }), { settledMs: null })];
    expect(new Set([0, 1, 2, 3].map((frame) => lines(moving, { frame })[0]?.[0])).size).toBe(4);
    const still = [row(unit('web'))];
    expect(lines(still, { frame: 0 })).toEqual(lines(still, { frame: 1 }));
  });

  test('give way where there is no room: first what is through, and what failed never', () => {
    const rows = [
      ...Array.from({ length: 30 }, (_, index) => row(unit(`ok-${index}`))), row(unit('slow', { phase: 'starting' }), { settledMs: null }),
      row({ ...atRest, name: 'zz-bad', phase: 'failed', health: 'failing' }),
    ];
    const shown = lines(rows, { height: 5 });
    expect(shown).toHaveLength(5);
    expect(shown[0]).toContain('zz-bad');
    expect(shown[1]).toContain('slow');
    expect(shown.at(-1)).toBe('  28 more');
  });

  test.each([20, 40, 80])('never reach the edge of %i columns, where the terminal would break them', (columns) => {
    const long = row({ ...atRest, name: 'n'.repeat(100), phase: 'starting', waits_for: [{ unit: 'w'.repeat(100) }] });
    for (const line of lines([long], { columns })) expect(displayWidth(line)).toBeLessThan(columns);
  });

  test('know what still moves: what waits for something that will not come does not', () => {
    expect([unit('a', { phase: 'starting' }), unit('a', { phase: 'stopping' }), unit('a', { ready: false }), unit('a', { phase: 'starting', waits_for: [{ unit: 'db' }] })].map(isMoving))
      .toEqual([true, true, true, true]);
    expect([unit('a'), unit('a', { phase: 'backoff' }), unit('a', { phase: 'starting', waits_for: [{ unit: 'db', lost: 'failed' }] })].map(isMoving)).toEqual([false, false, false]);
  });
});

test('without a terminal a command just works', async () => {
  const call = { terminal: { columns: null }, env: {}, flags: { has: () => false } } as unknown as Call;
  expect(await withProgress(call, { expects: () => true }, () => Promise.resolve(42))).toBe(42);
});

test('marks are ASCII, as wide as before, where the locale is not of UTF-8', () => {
  const text = '● ◐ ↻ ✗ ✓ ○ ◷ ├─ └─ │ ┤┼╭╮╯╰ … → ↑↓';
  // eslint-disable-next-line no-control-regex
  expect(inAscii(text)).toMatch(/^[\x20-\x7e]+$/);
  expect(displayWidth(inAscii(text))).toBe(displayWidth(text));
  expect(inAscii('é 漢')).toBe('é 漢');
  expect([{}, { LANG: 'C.UTF-8' }, { LC_ALL: 'en_US.utf8', LANG: 'C' }, { LC_ALL: '', LANG: 'de_DE.UTF-8' }].map(speaksUnicode)).toEqual([true, true, true, true]);
  expect([{ LANG: 'C' }, { LC_ALL: 'POSIX', LANG: 'C.UTF-8' }, { LC_CTYPE: 'de_DE.ISO-8859-1' }].map(speaksUnicode)).toEqual([false, false, false]);
});
