import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { MetricSample } from '../../src/wire/payloads.ts';
import { charts, inWindow, plot } from '../../src/cli/print/charts.ts';
import displayWidth from '../../src/width.ts';

const sampleAt = (timestamp: string, cpu: number, rss: number): MetricSample => ({
  timestamp, cpu_percent: cpu, rss_bytes: rss, io_read_bytes: 0, io_write_bytes: 0, net_rx_bytes: 0, net_tx_bytes: 0,
});
const plain = { window: 5, cpu: String, memory: String };
const text = (values: readonly number[], width: number): string[] => plot(values, width).rows.map((row) => row.text);

describe('the charts', () => {
  test('are systemg 0.33.0\'s, to the blank', () => {
    const shown = charts([sampleAt('2026-11-23T07:30:25.100Z', 0, 1_761_607_680)], { ...plain, columns: 84 });
    const golden = readFileSync(join(import.meta.dirname, '../fixtures/charts/constant.txt'), 'utf8').trimEnd().split('\n');
    const timeless = (lines: readonly string[]): string[] => lines.map((line) => line.replaceAll(/\d\d:\d\d:\d\d/g, 'TIME').trimEnd());
    expect(timeless(shown)).toEqual(timeless(golden));
  });

  test('stand side by side where both fit, else one below the other', () => {
    const samples = [sampleAt('2026-01-01T00:00:00Z', 10, 2 ** 30), sampleAt('2026-01-01T00:00:05Z', 90, 2 ** 31)];
    for (const columns of [80, 84, 120, 200]) {
      const lines = charts(samples, { ...plain, columns });
      for (const line of lines) expect(displayWidth(line)).toBeLessThanOrEqual(columns);
      expect(lines.filter((line) => line.includes('CPU Usage') && line.includes('Memory Usage'))).toHaveLength(columns < 120 ? 0 : 1);
      expect(lines.filter((line) => line.startsWith('X-axis: Time ('))).toHaveLength(columns < 120 ? 2 : 1);
    }
    expect(charts(samples, { ...plain, columns: 80 }).slice(-4)).toEqual([
      'Summary Statistics:', '  CPU:     min=10.0% avg=50.0% max=90.0%', '  Memory:  min=1.0000GB avg=1.5000GB max=2.0000GB', '  Samples: 2',
    ]);
  });

  test('say so when there is nothing to show', () => {
    expect(charts([], { ...plain, columns: 80 })).toEqual(['No metrics available for the specified window']);
  });

  test('show the newest samples of the window', () => {
    const now = Date.parse('2026-01-01T00:01:00Z');
    const samples = [50, 54, 55, 57, 59].map((second) => sampleAt(`2026-01-01T00:00:${second}Z`, second, 0));
    expect(inWindow(samples, 5000, 9, now).map((sample) => sample.cpu_percent)).toEqual([55, 57, 59]);
    expect(inWindow(samples, 60_000, 2, now).map((sample) => sample.cpu_percent)).toEqual([57, 59]);
  });
});

describe('a plot', () => {
  test('rises and falls, and marks where it begins on the axis', () => {
    expect(text([0, 10, 0], 8).map((line) => line.trimEnd())).toMatchInlineSnapshot(`
      [
        " 11.9864 ┤",
        " 10.7877 ┤",
        "  9.5891 ┤",
        "  8.3905 ┤  ╭─╮",
        "  7.1918 ┤  │ │",
        "  5.9932 ┤ ╭╯ ╰╮",
        "  4.7945 ┤ │   │",
        "  3.5959 ┤ │   │",
        "  2.3973 ┤╭╯   ╰╮",
        "  1.1986 ┤│     │",
        "  0.0000 ┼╯     ╰",
      ]
    `);
  });

  test('of zeros is one line', () => {
    expect(text([0, 0, 0], 6)).toEqual([' 0.0000 ┼─────']);
  });

  test('has one mark in each column, and a line in between where it climbs', () => {
    const rows = text([5, 80, 20, 60, 1, 99], 40);
    const axis = rows[0]?.indexOf('┤') ?? 0;
    for (let column = axis + 1; column < axis + 40; column += 1) {
      const marks = rows.map((row) => row[column] ?? ' ').filter((mark) => mark !== ' ');
      expect(marks.join('')).toMatch(/^(─|╮│*╰|╭│*╯)$/);
    }
  });
});
