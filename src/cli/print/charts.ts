import type { MetricSample } from '../../wire/payloads.ts';
import { clockTime } from '../../words.ts';
import { plot } from './plot.ts';
import type { Paint } from './table.ts';
import displayWidth from './width.ts';

export interface ChartLook {
  /** Columns for the charts; two go side by side when they fit. */
  readonly columns: number;
  /** Seconds. */
  readonly window: number;
  readonly cpu: Paint;
  readonly memory: Paint;
}

/** CPU and memory over time, systemg 0.33.0's charts. */
export function charts(samples: readonly MetricSample[], look: ChartLook): string[] {
  const first = samples[0];
  const last = samples.at(-1);
  if (first === undefined || last === undefined) return ['No metrics available for the specified window'];
  const width = look.columns <= 84 ? 24 : Math.min(40, Math.max(24, Math.floor((look.columns - 36) / 2)));
  const cpu = samples.map(({ cpu_percent }) => cpu_percent);
  const memory = samples.map(({ rss_bytes }) => rss_bytes / GIB);
  const cards = [
    card(['CPU Usage', 'Legend: CPU (%)', 'Y-axis: CPU (%)'], plot(cpu, width).rows.map(({ text }) => text), look.cpu),
    card(
      ['Memory Usage (Dual Y-axis)', 'Legend: RSS (GB); right axis shows normalized percent', 'Y-axis Left: RSS (GB) | Right: RSS (%)'],
      withPercent(plot(memory, width).rows), look.memory,
    ),
  ];
  const axis = `X-axis: Time (${clockTime(first.timestamp)} -> ${clockTime(last.timestamp)}) | Window: last ${look.window}s`;
  const rows = sideBySide(cards, look.columns);
  return [
    '', ...rows.flatMap((row, index) => [...(index === 0 ? [] : ['']), ...row, '', axis]), '',
    'Summary Statistics:',
    `  CPU:     ${['min', 'avg', 'max'].map((word, index) => `${word}=${(statistics(cpu)[index] ?? 0).toFixed(1)}%`).join(' ')}`,
    `  Memory:  ${['min', 'avg', 'max'].map((word, index) => `${word}=${(statistics(memory)[index] ?? 0).toFixed(4)}GB`).join(' ')}`,
    `  Samples: ${samples.length}`,
  ];
}

/** Samples of the last `windowMs`, the newest `limit` of them. */
export function inWindow(samples: readonly MetricSample[], windowMs: number, limit: number, nowMs: number): MetricSample[] {
  return samples.filter(({ timestamp }) => Date.parse(timestamp) >= nowMs - windowMs).slice(-limit);
}

const GIB = 1024 ** 3;
const GAP = '    ';

function card(head: readonly string[], lines: readonly string[], paint: Paint): string[] {
  return [...head, '', ...lines.map(paint)];
}

function withPercent(rows: readonly { readonly value: number; readonly text: string }[]): string[] {
  const most = Math.max(...rows.map(({ value }) => value));
  return rows.map(({ value, text }) => {
    const share = most <= 0 ? 0 : Math.min(100, Math.max(0, (value / most) * 100));
    return `${text}  ${share.toFixed(2).padStart(7)}(%)`;
  });
}

function sideBySide(cards: readonly (readonly string[])[], columns: number): string[][] {
  const widths = cards.map((lines) => Math.max(...lines.map(displayWidth)));
  const together = widths.reduce((sum, width) => sum + width, 0) + GAP.length * (cards.length - 1);
  if (together > columns) return cards.map((lines) => lines.map((line) => line.trimEnd()));
  const height = Math.max(...cards.map((lines) => lines.length));
  const rows = Array.from({ length: height }, (_, row) => cards.map((lines, index) => {
    const line = lines[row] ?? '';
    return line + ' '.repeat((widths[index] ?? 0) - displayWidth(line));
  }).join(GAP).trimEnd());
  return [rows];
}

function statistics(values: readonly number[]): readonly [least: number, mean: number, most: number] {
  return [Math.min(...values), values.reduce((sum, value) => sum + value, 0) / values.length, Math.max(...values)];
}
